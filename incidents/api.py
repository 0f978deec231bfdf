# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Incidents: look, acknowledge, resolve."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from audit.services import chain_lock
from contracts.doors import actor_of
from contracts.etags import TAGGED, TAKES_IF_MATCH, tagged, unchanged
from incidents import services
from incidents.models import Incident
from incidents.selectors import incident_get

router = Router(tags=["incidents"])


class IncidentOut(Schema):
    id: int
    kind: str
    severity: str
    title: str
    detail: str
    subject: str
    status: str
    opened_at: datetime
    resolved_at: datetime | None
    timeline: list[dict[str, Any]]
    actor: str


class NoteIn(Schema, extra="forbid"):
    note: str = Field("", max_length=5000, examples=["the index was rebuilt"])


@router.get("/incidents", response=list[IncidentOut], summary="Incidents, newest first")
@paginate(sort=("id", "opened_at", "resolved_at"))
def incidents(
    request: HttpRequest,
    status: Literal["open", "acknowledged", "resolved"] | None = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    kind: str | None = None,
    subject: QueryEx[str | None, P(description="what it is about, e.g. `version:2`")] = None,
) -> QuerySet[Incident]:
    wanted = {"status": status, "severity": severity, "kind": kind, "subject": subject}
    return Incident.objects.filter(**{name: value for name, value in wanted.items() if value}).order_by("-id")


@router.get("/incidents/{int:incident_id}", response=IncidentOut, summary="One incident", openapi_extra=TAGGED)
def incident(request: HttpRequest, response: HttpResponse, incident_id: int) -> IncidentOut:
    return tagged(response, _shown(incident_id))


@router.post(
    "/incidents/{int:incident_id}/acknowledge",
    response=IncidentOut,
    summary="Somebody looks into it",
    openapi_extra=TAKES_IF_MATCH,
)
def acknowledge(request: HttpRequest, response: HttpResponse, incident_id: int, body: NoteIn) -> IncidentOut:
    with _as_seen(request, incident_id):
        services.incident_acknowledge(incident_id=incident_id, note=body.note, actor=actor_of(request))
    return tagged(response, _shown(incident_id))


@router.post(
    "/incidents/{int:incident_id}/resolve", response=IncidentOut, summary="It is over", openapi_extra=TAKES_IF_MATCH
)
def resolve(request: HttpRequest, response: HttpResponse, incident_id: int, body: NoteIn) -> IncidentOut:
    with _as_seen(request, incident_id):
        services.incident_resolve(incident_id=incident_id, note=body.note, actor=actor_of(request))
    return tagged(response, _shown(incident_id))


def _shown(incident_id: int) -> IncidentOut:
    return IncidentOut.from_orm(incident_get(incident_id))


def _as_seen(request: HttpRequest, incident_id: int) -> AbstractContextManager[None]:
    """The services lock the same, in the same order: the change log first."""

    def lock() -> Incident | None:
        chain_lock()
        return Incident.objects.select_for_update().filter(pk=incident_id).first()

    return unchanged(request, lambda: _shown(incident_id), inside=transaction.atomic, lock=lock)
