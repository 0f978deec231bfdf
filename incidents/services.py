"""Open, acknowledge, resolve. Opening is idempotent: one trouble is one incident, however often it is seen."""

from __future__ import annotations

from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from incidents.domain.lifecycle import INCIDENT, IncidentStatus
from incidents.models import Incident
from kernel.errors import Conflict, NotFound
from notifications.domain.events import Event
from notifications.domain.events import Severity as Told
from notifications.services.outbox import notice_write


def incident_open(
    *,
    kind: str,
    severity: Literal["info", "warning", "critical"],
    title: str,
    detail: str,
    subject: str,
    actor: Actor,
) -> Incident:
    """The unresolved incident of this kind and subject, or a new one.

    1. Look for one that is not resolved. 2. Insert; a concurrent twin is refused by the partial unique index.
    3. Then the twin is the incident; should it have been resolved in between, try once more.
    """
    for _ in range(3):
        found = Incident.objects.filter(kind=kind, subject=subject).exclude(status=IncidentStatus.RESOLVED).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                incident = Incident.objects.create(
                    kind=kind,
                    severity=severity,
                    title=title,
                    detail=detail,
                    subject=subject,
                    actor=actor.label,
                    timeline=[_event(actor, "opened", detail)],
                )
                _tell(incident)
                return incident
        except IntegrityError as error:
            if "one_unresolved_incident_per_kind_and_subject" not in str(error):
                raise
    raise Conflict(f"incident {kind} of {subject} is opened and resolved by others all the time")


def _tell(incident: Incident) -> None:
    notice_write(
        event=Event.INCIDENT_OPENED,
        severity=Told(incident.severity),
        subject=f"incident:{incident.pk}",
        facts={
            "incident": incident.pk,
            "kind": incident.kind,
            "title": incident.title,
            "detail": incident.detail,
            "about": incident.subject,
        },
        key=f"incident-{incident.pk}",
    )


def incident_acknowledge(*, incident_id: int, note: str, actor: Actor) -> Incident:
    """Raises `NotFound`, `IllegalTransition` (already acknowledged or resolved)."""
    return _move(incident_id, IncidentStatus.ACKNOWLEDGED, note, actor)


def incident_resolve(*, incident_id: int, note: str, actor: Actor) -> Incident:
    """Raises `NotFound`, `IllegalTransition` (already resolved)."""
    return _move(incident_id, IncidentStatus.RESOLVED, note, actor)


@transaction.atomic
def _move(incident_id: int, target: IncidentStatus, note: str, actor: Actor) -> Incident:
    actor.require(Role.OPERATOR)
    chain_lock()  # before the row, as every writer of both
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None:
        raise NotFound(f"there is no incident {incident_id}", details={"incident": incident_id})
    INCIDENT.check(IncidentStatus(incident.status), target)
    changed: dict[str, Any] = {
        "status": target.value,
        "timeline": [*incident.timeline, _event(actor, target.value, note)],
        "resolved_at": timezone.now() if target is IncidentStatus.RESOLVED else None,
    }
    before = incident.status
    Incident.objects.filter(pk=incident_id).update(**changed)
    incident.refresh_from_db()
    entry_append(
        actor=actor,
        action=f"incident.{target}",
        subject_type="incident",
        subject_id=str(incident_id),
        before={"status": before},
        after={"status": target.value, "title": incident.title},
        reason=note,
    )
    return incident


def _event(actor: Actor, what: str, note: str) -> dict[str, str]:
    return {"at": timezone.now().isoformat(), "actor": actor.label, "what": what, "note": note}
