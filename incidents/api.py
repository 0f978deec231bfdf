# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Incidents: look, acknowledge, resolve."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate

from contracts.doors import actor_of
from incidents import services
from incidents.models import Incident

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
    note: str = ""


@router.get("/incidents", response=list[IncidentOut], summary="Incidents, newest first")
@paginate(sort=("id", "opened_at", "resolved_at"))
def incidents(
    request: HttpRequest,
    status: Literal["open", "acknowledged", "resolved"] | None = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    kind: str | None = None,
) -> QuerySet[Incident]:
    wanted = {"status": status, "severity": severity, "kind": kind}
    return Incident.objects.filter(**{name: value for name, value in wanted.items() if value}).order_by("-id")


@router.post("/incidents/{int:incident_id}/acknowledge", response=IncidentOut, summary="Somebody looks into it")
def acknowledge(request: HttpRequest, incident_id: int, body: NoteIn) -> Incident:
    return services.incident_acknowledge(incident_id=incident_id, note=body.note, actor=actor_of(request))


@router.post("/incidents/{int:incident_id}/resolve", response=IncidentOut, summary="It is over")
def resolve(request: HttpRequest, incident_id: int, body: NoteIn) -> Incident:
    return services.incident_resolve(incident_id=incident_id, note=body.note, actor=actor_of(request))
