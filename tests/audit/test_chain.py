from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from audit import selectors
from audit.models import AuditEntry
from audit.services import chain_verify, entry_append
from contracts.actor import Actor, Role, component
from tests.access.people import bearer, client_of, person


def _three(actor: Actor) -> list[AuditEntry]:
    return [
        entry_append(
            actor=actor,
            action="tried",
            subject_type="thing",
            subject_id=str(number),
            before={"a": 1.5, "ж": None},
            after=[number],
            reason="because",
            parameter="retrieval.top_k",
        )
        for number in range(3)
    ]


@pytest.mark.django_db
def test_entry_append__three_rows__form_a_chain_without_gaps(alice: Actor) -> None:
    first, second, third = _three(alice)
    assert (second.id - first.id, third.id - second.id) == (1, 1)
    assert (second.prev_hash, third.prev_hash) == (first.hash, second.hash)
    assert first.prev_hash == "0" * 64
    report = chain_verify()
    assert (report.ok, report.rows, report.head) == (True, 3, third.hash)


@pytest.mark.django_db
def test_entry_append__hash_given_by_the_writer__is_replaced() -> None:
    entry = AuditEntry.objects.create(
        actor_kind="person",
        actor="x",
        role="viewer",
        action="a",
        subject_type="s",
        subject_id="1",
        hash="forged",
        prev_hash="forged",
    )
    entry.refresh_from_db()
    assert "forged" not in (entry.hash, entry.prev_hash)
    assert chain_verify().ok


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET reason = 'better'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "DROP TABLE audit_entries",
    ],
)
def test_audit_row__changed_by_the_application__is_refused(alice: Actor, statement: str) -> None:
    _three(alice)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert chain_verify().rows == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET reason = 'better'", "DELETE FROM audit_entries"])
def test_audit_row__changed_by_the_owner__is_refused(
    alice: Actor, as_owner: Callable[..., Any], statement: str
) -> None:
    _three(alice)
    with as_owner(), connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_chain_verify__row_changed_by_a_superuser__names_the_row(
    alice: Actor, as_superuser: Callable[..., None]
) -> None:
    second = _three(alice)[1]
    as_superuser("UPDATE audit_entries SET reason = 'better' WHERE id = %s", second.id)
    report = chain_verify()
    assert (report.ok, report.first_bad_id) == (False, second.id)
    assert "changed" in report.reason


@pytest.mark.django_db(transaction=True)
def test_chain_verify__row_deleted_by_a_superuser__names_the_row_after_the_gap(
    alice: Actor, as_superuser: Callable[..., None]
) -> None:
    _, second, third = _three(alice)
    as_superuser("DELETE FROM audit_entries WHERE id = %s", second.id)
    report = chain_verify()
    assert (report.first_bad_id, report.reason) == (third.id, f"a row before row {third.id} is missing")


@pytest.mark.django_db(transaction=True)
def test_chain_verify__row_forged_with_its_own_hash__names_the_row_after_it(
    alice: Actor, as_superuser: Callable[..., None]
) -> None:
    _, second, third = _three(alice)
    as_superuser("UPDATE audit_entries SET reason = 'better' WHERE id = %s", second.id)
    as_superuser("UPDATE audit_entries e SET hash = audit_entry_hash(e) WHERE id = %s", second.id)
    assert chain_verify().first_bad_id == third.id


@pytest.mark.django_db(transaction=True)
def test_audit_verify__broken_chain__exits_with_one_and_names_the_row(
    alice: Actor, as_superuser: Callable[..., None]
) -> None:
    second = _three(alice)[1]
    as_superuser("UPDATE audit_entries SET actor = 'bob' WHERE id = %s", second.id)
    out = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("audit_verify", "--json", stdout=out)
    assert caught.value.code == 1
    assert json.loads(out.getvalue())["first_bad_id"] == second.id


@pytest.mark.django_db
def test_audit_verify__sound_chain__says_how_many_rows(alice: Actor) -> None:
    _three(alice)
    out = io.StringIO()
    call_command("audit_verify", stdout=out)
    assert "3 rows" in out.getvalue()


@pytest.mark.django_db
def test_entries__filters__select_what_they_name(alice: Actor) -> None:
    _three(alice)
    entry_append(actor=component("tuner"), action="x", subject_type="t", subject_id="1", experiment="e1", campaign="c1")
    now = timezone.now()
    counts = {
        "name": selectors.entries(initiator="alice").count(),
        "label": selectors.entries(initiator="component:tuner").count(),
        "kind": selectors.entries(initiator="person").count(),
        "parameter": selectors.entries(parameter="retrieval.top_k").count(),
        "experiment": selectors.entries(experiment="e1").count(),
        "campaign": selectors.entries(campaign="c1").count(),
        "period": selectors.entries(since=now - timedelta(minutes=5), until=now).count(),
        "future": selectors.entries(since=now + timedelta(minutes=5)).count(),
    }
    assert counts == {
        "name": 3,
        "label": 1,
        "kind": 3,
        "parameter": 3,
        "experiment": 1,
        "campaign": 1,
        "period": 4,
        "future": 0,
    }


@pytest.mark.django_db(transaction=True)
def test_doors__row_changed_by_a_superuser__name_the_row(alice: Actor, as_superuser: Callable[..., None]) -> None:
    second = _three(alice)[1]
    as_superuser("UPDATE audit_entries SET reason = 'better' WHERE id = %s", second.id)
    told = Client().get("/api/v1/changes/verify", headers=bearer(Role.VIEWER)).json()
    assert (told["ok"], told["first_bad_id"]) == (False, second.id)
    page = client_of(person("viewer", Role.VIEWER)).post("/changes/verify/", follow=True).content.decode()
    assert f"The change log is broken: row {second.id} " in page
