# ruff: noqa: ARG001, B008 - ninja calls every route with `request`, and reads parameters from defaults
"""`GET /changes`: the change log."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.pagination import paginate

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
    since: datetime | None = Query(None, alias="from", description="inclusive"),
    until: datetime | None = Query(None, alias="to", description="exclusive"),
    parameter: str | None = None,
    initiator: str | None = Query(None, description="a name, a kind, or kind:name"),
    experiment: str | None = None,
    campaign: str | None = None,
) -> QuerySet[AuditEntry]:
    return selectors.entries(
        since=since, until=until, parameter=parameter, initiator=initiator, experiment=experiment, campaign=campaign
    )
