"""What the database refuses of retention, and what happens when it is broken off or meets others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from audit.models import AuditEntry
from contracts.actor import Actor
from kernel.errors import Conflict, InvalidInput, NotAuthorised
from sensor.models import LedgerEntry, SensorEvent, TelemetryEvent
from sensor.services import backfill, retention_rows
from sensor.services.retention import retention_apply, retention_plan
from sensor.services.retention_policy import recorded_from_hold, retention_change
from sensor.storage import partitions
from tests.sensor.old import exists, kept, month_ago, recorded

pytestmark = pytest.mark.django_db
DETACH = "SELECT sensor_detach_month(%s, %s, NULL)"
ANOTHER_ROW = """
INSERT INTO sensor_events
SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'pipeline_run_id', gen_random_uuid()))).*
FROM sensor_events AS e
"""
DROP = "SELECT sensor_drop_month(%s, %s)"


@contextmanager
def another() -> Iterator[CursorWrapper]:
    """A session of its own, in a transaction."""
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.rollback()
        other.close()


@pytest.mark.parametrize("statement", [DETACH, DROP])
@pytest.mark.parametrize(("table", "months"), [
    ("sensor_events", 2), ("telemetry_events", 0), ("telemetry_events", -2), ("sensor_ledger", 9),
    ("audit_entries", 9), ("sensor_events_default", 9), (None, 9),
])  # fmt: skip
def test_functions__young_month_or_other_table__refuse(statement: str, table: str | None, months: int) -> None:
    with pytest.raises(ProgrammingError, match="retention"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [table, month_ago(months)])


def test_drop__month_that_is_in_use__is_refused() -> None:
    recorded(5)

    with pytest.raises(ProgrammingError, match="still in use"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DROP, ["sensor_events", month_ago(5)])
    assert SensorEvent.objects.count() == 1


@pytest.mark.parametrize("columns", [{"batch": "b"}, {"experiment": "exp-1"}])
def test_detach__row_of_an_experiment_or_batch_in_it__leaves_it(columns: dict[str, Any]) -> None:
    recorded(5, **columns)

    with connection.cursor() as cursor:
        cursor.execute(DETACH, ["sensor_events", month_ago(5)])
        assert cursor.fetchone()[0] is False
    assert SensorEvent.objects.count() == 1


def test_functions__of_retention__are_for_the_application_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, has_function_privilege('maas_app', oid, 'execute'),"
            " has_function_privilege(current_user, oid, 'execute') FROM pg_proc"
            " WHERE proname IN ('sensor_old_month', 'sensor_detach_month', 'sensor_drop_month') ORDER BY proname"
        )
        assert cursor.fetchall() == [
            ("sensor_detach_month", False, True),
            ("sensor_drop_month", False, True),
            ("sensor_old_month", False, False),
        ]


@pytest.mark.parametrize("values", [
    {"production_months": 1}, {"evidence_months": 12}, {"production_months": 6, "evidence_months": 5},
    {"recorded_from": None}, {"nonsense": 1},
])  # fmt: skip
def test_change__value_that_makes_no_sense__is_refused(values: dict[str, Any], alice: Actor) -> None:
    with pytest.raises(InvalidInput):
        retention_change(actor=alice, reason="a test", **values)


def test_change__by_a_meta_user__is_in_the_change_log(alice: Actor, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        retention_change(actor=bob, reason="mine", production_months=6)

    changed = retention_change(actor=alice, reason="a year is enough", production_months=12, automatic=True)

    assert (changed.production_months, changed.evidence_months, changed.automatic) == (12, None, True)
    entry = AuditEntry.objects.get(action="retention.changed")
    assert (entry.before, entry.after) == (
        {"production_months": None, "automatic": False},
        {"production_months": 12, "automatic": True},
    )


@pytest.mark.parametrize("batch", [None, "b"])
def test_apply__told_to_end_in_the_middle__the_next_goes_on(
    batch: str | None, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_rows, "CHUNK", 2)
    for _ in range(5):
        recorded(5)
    if batch:
        recorded(5, batch=batch)
    kept(2)

    first = retention_apply(actor=alice, reason="a test", go_on=lambda: False)
    assert not first.complete
    assert LedgerEntry.objects.filter(stage="run").exists()
    assert backfill().captured == 0  # half-way, nothing comes back
    second = retention_apply(actor=alice, reason="a test", go_on=lambda: True)

    assert second.complete
    assert SensorEvent.objects.count() == TelemetryEvent.objects.count() / 5 == (1 if batch else 0)
    assert LedgerEntry.objects.count() == (6 if batch else 0)
    assert sum(each.ledger for each in (*first.lines, *second.lines)) == 30


def test_apply__broken_off_after_a_month_was_hidden__shows_it_to_nobody_but_the_next_retention(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(5)
    kept(2)
    monkeypatch.setattr(retention_rows, "CHUNK", 1)

    def die() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention_apply(actor=alice, reason="a test", go_on=die)
    assert not SensorEvent.objects.exists()
    assert [each.name for each in partitions() if not each.attached] == [f"sensor_events_y{month_ago(5):%Ym%m}"]
    assert [each.action for each in retention_plan().lines] == ["drop", "drop"]
    retention_apply(actor=alice, reason="a test")

    assert not exists("sensor_events", month_ago(5))
    assert AuditEntry.objects.filter(action="retention.applied").count() == 2


@pytest.mark.django_db(transaction=True)
def test_apply__two_at_once__the_second_says_so(alice: Actor) -> None:
    recorded(5)
    kept(2)
    with another() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sensor_retention'))")
        with pytest.raises(Conflict, match="under way"):
            retention_apply(actor=alice, reason="a test")
        assert SensorEvent.objects.count() == 1

    assert retention_apply(actor=alice, reason="a test").rows == 6


@pytest.mark.django_db(transaction=True)
def test_apply__month_that_somebody_reads__is_postponed_and_goes_next_time(alice: Actor) -> None:
    recorded(5)
    kept(2)
    with another() as cursor:
        cursor.execute("SELECT count(*) FROM sensor_events")
        first = retention_apply(actor=alice, reason="a test")

    assert [(each.table, each.action) for each in first.lines] == [
        ("sensor_events", "postponed"),
        ("telemetry_events", "drop"),
    ]
    assert not first.complete
    second = retention_apply(actor=alice, reason="a test")
    assert (second.rows, second.complete, SensorEvent.objects.count()) == (1, True, 0)


@pytest.mark.django_db(transaction=True)
def test_apply__somebody_is_just_recording__waits_and_takes_what_was_recorded_too(alice: Actor) -> None:
    recorded(5)
    kept(2)
    went: list[int] = []

    def work() -> None:
        try:
            went.append(retention_apply(actor=alice, reason="a test").rows)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    with another() as cursor:
        assert recorded_from_hold(cursor) is None
        cursor.execute(ANOTHER_ROW)
        thread.start()
        with connection.cursor() as looking:
            while thread.is_alive() and not _somebody_waits(looking):
                pass
        cursor.execute("COMMIT")
    thread.join()

    assert went == [7]
    assert not SensorEvent.objects.exists()


def _somebody_waits(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
    found: bool = cursor.fetchone()[0]
    return found
