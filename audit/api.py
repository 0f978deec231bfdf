# ruff: noqa: ARG001 - ninja calls every route with `request`
"""`GET /changes`: the change log."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from audit import selectors
from audit.export import export_response
from audit.models import AuditEntry

router = Router(tags=["changes"])
_EXPORT = {
    "responses": {
        "200": {
            "description": "The file",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        }
    }
}


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
@paginate(sort=("id",))
def changes(
    request: HttpRequest,
    since: QueryEx[datetime | None, P(alias="from", description="inclusive")] = None,
    until: QueryEx[datetime | None, P(alias="to", description="exclusive")] = None,
    parameter: str | None = None,
    initiator: QueryEx[str | None, P(description="a name, a kind, or kind:name")] = None,
    experiment: str | None = None,
    campaign: str | None = None,
    action: QueryEx[str | None, P(description="e.g. parameters.activated")] = None,
) -> QuerySet[AuditEntry]:
    return selectors.entries(
        since=since, until=until, parameter=parameter, initiator=initiator, experiment=experiment, campaign=campaign,
        action=action,
    )  # fmt: skip


class ChainOut(Schema):
    """Whether every row is as it was written."""

    ok: bool
    rows: int
    first_bad_id: int | None
    reason: str
    head: str


@router.get("/changes/verify", response=ChainOut, summary="Whether the change log is as it was written")
def changes_verify(request: HttpRequest) -> selectors.ChainReport:
    """Recomputes the hash of each row. Note `head`: a log that was cut at its end is sound, and has another head."""
    return selectors.chain_verify()


@router.get("/changes/export", summary="The change log as a file", openapi_extra=_EXPORT)
def changes_export(
    request: HttpRequest,
    format: QueryEx[Literal["csv", "jsonl"], P(description="csv, or one JSON object a line")] = "csv",
    since: QueryEx[datetime | None, P(alias="from", description="inclusive")] = None,
    until: QueryEx[datetime | None, P(alias="to", description="exclusive")] = None,
    parameter: str | None = None,
    initiator: QueryEx[str | None, P(description="a name, a kind, or kind:name")] = None,
    experiment: str | None = None,
) -> StreamingHttpResponse:
    """Newest first, at most 100,000 rows a file."""
    rows = selectors.entries(since=since, until=until, parameter=parameter, initiator=initiator, experiment=experiment)
    return export_response(rows, format)
