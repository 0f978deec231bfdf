# ruff: noqa: ARG001 - ninja calls every route with `request`
"""`GET /changes`: the change log."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from audit import selectors
from audit.models import AuditEntry

router = Router(tags=["changes"])


class ChangeOut(Schema):
    id: int
    at: datetime
    actor_kind: str
    actor: str
    role: str
    action: str
    subject_type: str
    subject_id: str
    parameter: str | None
    before: Any
    after: Any
    reason: str
    experiment: str | None
    campaign: str | None
    request_id: str | None
    hash: str


@router.get("/changes", response=list[ChangeOut], summary="The change log, newest first")
@paginate
def changes(
    request: HttpRequest,
    since: QueryEx[datetime | None, P(alias="from", description="inclusive")] = None,
    until: QueryEx[datetime | None, P(alias="to", description="exclusive")] = None,
    parameter: str | None = None,
    initiator: QueryEx[str | None, P(description="a name, a kind, or kind:name")] = None,
    experiment: str | None = None,
    campaign: str | None = None,
) -> QuerySet[AuditEntry]:
    return selectors.entries(
        since=since, until=until, parameter=parameter, initiator=initiator, experiment=experiment, campaign=campaign
    )
