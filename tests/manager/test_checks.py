"""Safety checks: each result is kept, a failure is a critical incident, and none keeps another from being made."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import Failure, OrmQ

from audit.services import entry_append
from contracts.actor import Actor
from contracts.maas import SafetyFinding
from incidents.models import Incident, SafetyResult, SafetyRun
from incidents.services import incident_open
from kernel.errors import Conflict, NotAuthorised
from manager.services import checks
from manager.services.checks import STALE, safety_begin, safety_run, safety_work
from tests.manager.world import DATASET, Sizes, dataset_load

BAD = SafetyFinding(name="tenant isolation", ok=False, detail="user 1 sees 2 rows of others")


def stored() -> dict[str, bool | None]:
    return dict(SafetyResult.objects.values_list("name", "ok"))


@pytest.mark.django_db(databases=["default", "maas"])
def test_safety_run__sound_house__keeps_every_result_and_opens_nothing(bob: Actor) -> None:
    safety_run(actor=bob)
    assert stored() == {
        "golden seal": True,
        "one active version": True,
        "change log": True,
        "personal data in our own logs": True,
        "row-level security": True,
        "tenant isolation": True,
        "searches stay with their user": True,
        "personal data in logs": True,
    }
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_safety_run__failed_twice__is_one_critical_incident_and_two_results(bob: Actor) -> None:
    for _ in range(2):
        safety_run(actor=bob, student=lambda: [BAD])
    incident = Incident.objects.get()
    assert (incident.severity, incident.subject, incident.detail) == (
        "critical",
        "safety:tenant isolation",
        BAD.detail,
    )
    assert SafetyResult.objects.filter(ok=False).count() == 2


@pytest.mark.django_db
def test_safety_run__a_check_breaks_in_the_database__has_failed_and_the_others_are_made(
    bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> tuple[str, str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return "", ""

    monkeypatch.setitem(checks._CHECKS, "golden seal", broken)
    results = {item.name: item for item in safety_run(actor=bob, student=list)}
    assert (results["golden seal"].ok, results["change log"].ok) == (False, True)
    assert results["golden seal"].detail.startswith("could not be checked: DataError")


@pytest.mark.django_db
def test_safety_run__student_elsewhere__says_that_its_checks_were_not_made(bob: Actor, settings: Any) -> None:
    settings.MAAS_URL = "http://student.example"
    safety_run(actor=bob)
    assert stored()["student"] is None
    assert not Incident.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_safety_run__change_log_altered_as_owner__fails_and_names_the_row(bob: Actor, as_owner: Any) -> None:
    with transaction.atomic():
        entry_append(actor=bob, action="t", subject_type="t", subject_id="1", after={}, reason="test")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entries SET reason = 'x' WHERE id = (SELECT min(id) FROM audit_entries)")
        changed = cursor.rowcount
        cursor.execute("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    assert changed == 1
    results = {item.name: item for item in safety_run(actor=bob, student=list)}
    assert not results["change log"].ok
    assert "was changed after it was written" in results["change log"].detail


@pytest.mark.django_db
def test_safety_run__by_a_viewer__is_not_authorised(charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        safety_run(actor=charlie, student=list)
    assert not SafetyResult.objects.exists()


@pytest.mark.django_db
def test_safety_check__one_fails__says_which_and_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks._CHECKS, "one active version", lambda: ("2 active versions", ""))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 8 safety checks failed: one active version"):
        call_command("safety_check", stdout=out)
    assert "FAILED    one active version: 2 active versions" in out.getvalue()


# --- each kind of failure, planted -----------------------------------------------------------------------------------


def result_of(bob: Actor, name: str) -> SafetyResult:
    return next(item for item in safety_run(actor=bob, student=list) if item.name == name)


@pytest.mark.django_db(transaction=True)
def test_safety_run__golden_example_altered__fails_and_names_the_set(bob: Actor, tmp_path: Path, as_owner: Any) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=2))
    assert result_of(bob, "golden seal").ok
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("UPDATE golden_examples SET query = query || '!' WHERE external_id = 'golden/q1'")
        assert cursor.rowcount == 1
    found = result_of(bob, "golden seal")
    assert found.ok is False
    assert DATASET in found.detail
    assert Incident.objects.get(subject="safety:golden seal").severity == "critical"


@pytest.mark.django_db(transaction=True)
def test_safety_run__no_active_version__fails(bob: Actor, as_owner: Any) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT version FROM experiment_parameters WHERE is_active")
        (active,) = cursor.fetchone()
        cursor.execute("ALTER TABLE experiment_parameters DISABLE TRIGGER USER")
        cursor.execute("UPDATE experiment_parameters SET is_active = false WHERE version = %s", [active])
    try:
        found = result_of(bob, "one active version")
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("UPDATE experiment_parameters SET is_active = true WHERE version = %s", [active])
            cursor.execute("ALTER TABLE experiment_parameters ENABLE TRIGGER USER")
    assert (found.ok, found.detail) == (False, "0 active versions")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("IntegrityError: Key (query)=(my card 4111 1111 1111 1111) exists", False),
        ("Failing row contains (clara@example.org)", False),
        ("Traceback: File tasks.py, line 42, run 7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10 at 2026-12-01T04:38:39", True),
    ],
)
def test_safety_run__failed_task_with_personal_data__is_told_without_it(bob: Actor, text: str, ok: bool) -> None:
    now = timezone.now()
    Failure.objects.create(
        id="f" * 32,
        name="campaign",
        func="manager.tasks.campaign_step",
        started=now,
        stopped=now,
        success=False,
        result=text,
    )
    found = result_of(bob, "personal data in our own logs")
    assert found.ok is ok
    assert text not in found.detail


@pytest.mark.django_db
def test_safety_run__incident_with_an_address__is_told(bob: Actor) -> None:
    incident_open(
        kind="student", severity="warning", title="No answer", detail="none for clara@example.org", subject="run:1",
        actor=bob,
    )  # fmt: skip
    assert "1 of 1 texts hold personal data, incident" in result_of(bob, "personal data in our own logs").detail


# --- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_safety_begin__asked_for__waits_for_a_worker_who_makes_it_once(
    bob: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = safety_begin(actor=bob)
    assert (run.state, run.started_by, OrmQ.objects.count()) == ("queued", "person:bob", 1)
    assert safety_work(run_id=run.id, student=lambda: [BAD])
    assert not safety_work(run_id=run.id, student=lambda: [BAD])
    run.refresh_from_db()
    assert (run.state, run.done, run.slot) == ("completed", run.planned, None)
    assert set(run.results.values_list("actor", flat=True)) == {"person:bob"}
    assert run.results.filter(ok=False).count() == 1


@pytest.mark.django_db
def test_safety_begin__while_another_is_at_work__is_a_conflict(bob: Actor) -> None:
    safety_begin(actor=bob)
    with pytest.raises(Conflict, match="being made now"):
        safety_begin(actor=bob)
    assert SafetyRun.objects.count() == 1


@pytest.mark.django_db
def test_safety_begin__an_old_run_never_ended__is_closed_and_a_new_one_begins(bob: Actor) -> None:
    old = safety_begin(actor=bob)
    SafetyRun.objects.filter(pk=old.pk).update(started_at=timezone.now() - STALE * 2)
    new = safety_begin(actor=bob)
    old.refresh_from_db()
    assert (old.state, old.error, new.state) == ("failed", "it has not ended: its worker died", "queued")


@pytest.mark.django_db
def test_safety_run__in_the_foreground_while_one_waits__is_made_for_both(bob: Actor) -> None:
    waiting = safety_begin(actor=bob)
    safety_run(actor=bob, student=list)
    assert not safety_work(run_id=waiting.id, student=list)
    assert sorted(SafetyRun.objects.values_list("state", flat=True)) == ["completed", "failed"]


@pytest.mark.django_db
def test_safety_begin__by_a_viewer__is_not_authorised(charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        safety_begin(actor=charlie)
    assert not SafetyRun.objects.exists()
