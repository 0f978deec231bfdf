"""Safety checks: each result is kept, a failure is a critical incident, and none keeps another from being made."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from audit.services import entry_append
from contracts.actor import Actor
from contracts.maas import SafetyFinding
from incidents.models import Incident, SafetyResult
from kernel.errors import NotAuthorised
from manager.services import checks
from manager.services.checks import safety_run

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
    with pytest.raises(CommandError, match="1 of 7 safety checks failed: one active version"):
        call_command("safety_check", stdout=out)
    assert "FAILED    one active version: 2 active versions" in out.getvalue()
