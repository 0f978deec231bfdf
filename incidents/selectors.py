"""Reads of incidents."""

from __future__ import annotations

from django.db.models import QuerySet

from incidents.domain.lifecycle import IncidentStatus
from incidents.models import Incident, SafetyResult, SafetyRun
from kernel.errors import NotFound


def incident_get(incident_id: int) -> Incident:
    """Raises `NotFound`."""
    found = Incident.objects.filter(pk=incident_id).first()
    if found is None:
        raise NotFound(f"there is no incident {incident_id}", details={"incident": incident_id})
    return found


def waiting() -> QuerySet[Incident]:
    """Those that nobody looks into yet, newest first."""
    return Incident.objects.filter(status=IncidentStatus.OPEN).order_by("-id")


def unresolved(*, subject: str | None = None, kind: str | None = None) -> QuerySet[Incident]:
    """Open and acknowledged ones, newest first."""
    rows = Incident.objects.exclude(status=IncidentStatus.RESOLVED)
    if subject is not None:
        rows = rows.filter(subject=subject)
    if kind is not None:
        rows = rows.filter(kind=kind)
    return rows.order_by("-id")


def safety_last() -> list[SafetyResult]:
    """What each check found in the newest run that ended well; of older installations, the newest result of each."""
    run = SafetyRun.objects.filter(state="completed").first()
    if run is not None:
        return list(run.results.order_by("id"))
    return list(SafetyResult.objects.order_by("name", "-id").distinct("name"))
