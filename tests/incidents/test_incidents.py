from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEntry
from contracts.actor import Actor
from incidents import selectors, services
from incidents.models import Incident
from kernel.errors import IllegalTransition, NotAuthorised, NotFound


def _open(actor: Actor, **fields: Any) -> Incident:
    given = {"kind": "degradation", "severity": "critical", "title": "Precision fell", "detail": "", "subject": "v2"}
    return services.incident_open(actor=actor, **{**given, **fields})


@pytest.mark.django_db
def test_incident_open__same_kind_and_subject__is_one_incident(alice: Actor) -> None:
    assert _open(alice).pk == _open(alice).pk
    assert _open(alice, subject="v3").pk != _open(alice).pk


@pytest.mark.django_db
def test_incident_open__after_the_first_was_resolved__is_a_new_one(alice: Actor) -> None:
    first = _open(alice)
    services.incident_resolve(incident_id=first.pk, note="rolled back", actor=alice)
    assert _open(alice).pk != first.pk


@pytest.mark.django_db
def test_incident_resolve__open_one__ends_it_with_its_timeline(alice: Actor) -> None:
    incident = _open(alice)
    services.incident_acknowledge(incident_id=incident.pk, note="looking", actor=alice)
    resolved = services.incident_resolve(incident_id=incident.pk, note="rolled back", actor=alice)
    assert resolved.resolved_at is not None
    assert [event["what"] for event in resolved.timeline] == ["opened", "acknowledged", "resolved"]
    assert not selectors.unresolved().exists()


@pytest.mark.django_db
def test_incident__acknowledged_and_resolved__is_in_the_change_log(alice: Actor, bob: Actor) -> None:
    incident = _open(alice)
    services.incident_acknowledge(incident_id=incident.pk, note="looking", actor=bob)
    assert not selectors.waiting().exists()
    assert selectors.unresolved().exists()
    services.incident_resolve(incident_id=incident.pk, note="rolled back", actor=alice)
    entries = AuditEntry.objects.filter(subject_type="incident", subject_id=str(incident.pk)).order_by("id")
    assert [(entry.action, entry.actor, entry.reason) for entry in entries] == [
        ("incident.acknowledged", "bob", "looking"),
        ("incident.resolved", "alice", "rolled back"),
    ]


@pytest.mark.django_db
def test_incident_acknowledge__twice__is_refused_and_audited_once(alice: Actor) -> None:
    incident = _open(alice)
    services.incident_acknowledge(incident_id=incident.pk, note="", actor=alice)
    with pytest.raises(IllegalTransition):
        services.incident_acknowledge(incident_id=incident.pk, note="", actor=alice)
    assert AuditEntry.objects.filter(action="incident.acknowledged").count() == 1


@pytest.mark.django_db
def test_incident_resolve__twice__is_an_illegal_transition(alice: Actor) -> None:
    incident = _open(alice)
    services.incident_resolve(incident_id=incident.pk, note="done", actor=alice)
    with pytest.raises(IllegalTransition):
        services.incident_resolve(incident_id=incident.pk, note="done", actor=alice)


@pytest.mark.django_db
def test_incident_resolve__unknown__is_not_found(alice: Actor) -> None:
    with pytest.raises(NotFound):
        services.incident_resolve(incident_id=404, note="?", actor=alice)


@pytest.mark.django_db
def test_incident_resolve__by_a_viewer__is_not_authorised(alice: Actor, charlie: Actor) -> None:
    incident = _open(alice)
    with pytest.raises(NotAuthorised):
        services.incident_resolve(incident_id=incident.pk, note="done", actor=charlie)


@pytest.mark.django_db(transaction=True)
def test_incident_open__from_eight_threads__is_one_incident(alice: Actor) -> None:
    found: list[int] = []
    start = threading.Barrier(8)

    def run() -> None:
        try:
            start.wait()
            found.append(_open(alice).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
