"""Every settled run is recorded, whole and once."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from incidents.models import Incident
from kernel.canonical import derive_uuid
from sensor.models import CaptureCursor, SensorEvent, TelemetryEvent
from sensor.selectors import capture_lag, counts, events
from sensor.services import backfill, catch_up, runs_capture
from tests.sensor import factories
from tests.sensor.factories import ANNA, BORIS

pytestmark = pytest.mark.django_db


def test_runs_capture__settled_run__keeps_what_the_teacher_needs() -> None:
    first = factories.memory(days_ago=2, tags=("sister", "city"))
    second = factories.memory(days_ago=4)
    run_id = factories.run(found=(first, second), used=(first,), experiment="exp-1", variant="baseline")

    assert runs_capture(run_ids=[run_id]) == 1

    event = SensorEvent.objects.get(pipeline_run_id=run_id)
    assert (event.query, event.answer, event.status) == ("Where does my sister live?", "In Kazan.", "COMPLETED")
    assert (event.found_ids, event.found_scores, event.used_ids) == ([first, second], [0.9, 0.8], [first])
    assert (event.memories_found, event.memories_used, event.isolation_ok) == (2, 1, True)
    assert event.avg_memory_age_days == pytest.approx(3, abs=0.01)
    assert event.tag_overlap_score == 0.5
    assert float(event.latency_ms) == 3.875
    assert (event.experiment, event.variant, event.parameter_version) == ("exp-1", "baseline", 1)


def test_runs_capture__settled_run__has_one_telemetry_row_per_stage() -> None:
    run_id = factories.run(experiment="exp-1", prompt_tokens=7)

    runs_capture(run_ids=[run_id])

    rows = {row.stage: row for row in TelemetryEvent.objects.filter(pipeline_id=run_id)}
    assert set(rows) == {"analyzer", "assembler", "responder", "archivist", "e2e"}
    assert float(rows["analyzer"].latency_ms or 0) == 1.25
    assert {row.experiment_id for row in rows.values()} == {derive_uuid("experiment", "exp-1")}
    assert (rows["e2e"].prompt_tokens, rows["responder"].prompt_tokens) == (7, None)


def test_runs_capture__repeated__records_once() -> None:
    run_id = factories.run()

    assert [runs_capture(run_ids=[run_id, run_id]), runs_capture(run_ids=[run_id])] == [1, 0]
    assert SensorEvent.objects.count() == 1
    assert TelemetryEvent.objects.count() == 5


def test_runs_capture__unsettled_run__waits() -> None:
    run_id = factories.run(finished_at=None)

    assert runs_capture(run_ids=[run_id]) == 0
    assert not SensorEvent.objects.exists()


def test_runs_capture__failed_run__is_recorded_with_its_error() -> None:
    run_id = factories.run(
        status="FAILED", final_answer=None, error_type="TimeoutError", error_message="30 s", latency_ms=None,
        stage_timings='{"analyzer": 1.0}', retrieval=None, keywords=None, used_memory_ids=None,
    )  # fmt: skip

    runs_capture(run_ids=[run_id])

    event = SensorEvent.objects.get()
    assert (event.status, event.error_type, event.answer, event.memories_used) == ("FAILED", "TimeoutError", None, None)
    assert float(event.latency_ms) == pytest.approx(1000)
    assert set(TelemetryEvent.objects.values_list("stage", "error_type")) == {
        ("analyzer", None),
        ("e2e", "TimeoutError"),
    }


def test_runs_capture__memory_of_another_user__opens_an_incident() -> None:
    run_id = factories.run(found=(factories.memory(), factories.memory(user_id=BORIS)))

    runs_capture(run_ids=[run_id])

    assert SensorEvent.objects.get().isolation_ok is False
    assert set(TelemetryEvent.objects.values_list("isolation_ok", flat=True)) == {False}
    incident = Incident.objects.get(kind="isolation")
    assert (incident.severity, incident.subject) == ("critical", f"user:{ANNA}")
    assert str(run_id) in incident.detail


def test_runs_capture__memory_that_is_gone__leaves_isolation_untold() -> None:
    runs_capture(run_ids=[factories.run(found=(uuid.uuid4(),))])

    assert SensorEvent.objects.get().isolation_ok is None
    assert not Incident.objects.exists()


@pytest.mark.parametrize(("client", "kept"), [("user", "call [phone]"), ("emulator", "call +7 999 123-45-67")])
def test_runs_capture__phone_in_the_text__is_hidden_for_real_users_only(client: str, kept: str) -> None:
    text = "call +7 999 123-45-67"
    runs_capture(run_ids=[factories.run(client_kind=client, user_query=text, final_answer=text)])

    event = SensorEvent.objects.get()
    assert (event.query, event.answer) == (kept, kept)


def test_runs_capture__odd_json_of_one_run__does_not_stop_the_others() -> None:
    odd = factories.run(retrieval='{"found": ["nobody", 7], "candidates": 3}', keywords='{"a": 1}', stage_timings="[]")

    assert runs_capture(run_ids=[odd, factories.run()]) == 2
    assert SensorEvent.objects.get(pipeline_run_id=odd).found_ids == []


def test_runs_capture__month_without_partition__makes_it() -> None:
    then = datetime(2031, 5, 31, 23, 59, 59, tzinfo=UTC)
    runs_capture(run_ids=[factories.run(created_at=then, finished_at=then + timedelta(seconds=2))])

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM sensor_events UNION ALL "
                       "SELECT DISTINCT tableoid::regclass::text FROM telemetry_events")  # fmt: skip
        assert [row[0] for row in cursor.fetchall()] == ["sensor_events_y2031m05", "telemetry_events_y2031m06"]


def test_ensure_partitions__rows_in_the_default_partition__move_to_their_month() -> None:
    then = datetime(2033, 2, 3, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO telemetry_events (created_at, stage) VALUES (%s, 'e2e')", [then])
        cursor.execute("SELECT sensor_ensure_partitions(%s, %s)", [then, then])
        cursor.execute("SELECT tableoid::regclass::text FROM telemetry_events")
        assert cursor.fetchall() == [("telemetry_events_y2033m02",)]


def test_catch_up__runs_settled_meanwhile__are_recorded_and_the_cursor_moves() -> None:
    factories.run()
    assert catch_up().captured == 1
    before = CaptureCursor.objects.get(name="pipeline_runs").position

    late = factories.run(finished_at=datetime.now(UTC) - timedelta(seconds=10))
    report = catch_up()

    assert report.captured == 1
    assert report.lag_seconds is not None
    assert report.lag_seconds >= 10
    assert SensorEvent.objects.filter(pipeline_run_id=late).exists()
    after = CaptureCursor.objects.get(name="pipeline_runs").position
    assert before is not None
    assert after is not None
    assert after >= before


def test_catch_up__nothing_new__reports_no_lag() -> None:
    factories.run()
    catch_up()

    report = catch_up()

    assert (report.captured, report.lag_seconds) == (0, None)


def test_backfill__run_from_before_the_cursor__is_recorded() -> None:
    factories.run()
    catch_up()
    factories.run(finished_at=datetime.now(UTC) - timedelta(days=40), created_at=datetime.now(UTC) - timedelta(days=40))

    assert catch_up().captured == 0
    assert backfill().captured == 1


def test_selectors__recorded_runs__are_narrowed_and_counted() -> None:
    runs_capture(run_ids=[factories.run(variant="a"), factories.run(variant="b"), factories.run(variant="b")])

    assert events(variant="b").count() == 2
    assert counts() == {"COMPLETED": 3, "total": 3}
    assert capture_lag().runs == 3


@pytest.mark.django_db(transaction=True)
def test_runs_capture__two_at_once__record_each_run_once() -> None:
    run_ids = [factories.run() for _ in range(60)]
    together = threading.Barrier(2)
    new: list[int] = []

    def capture(ids: list[uuid.UUID]) -> None:
        together.wait()
        new.append(runs_capture(run_ids=ids))
        connections.close_all()

    threads = [threading.Thread(target=capture, args=(ids,)) for ids in (run_ids, run_ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(new) == 60
    assert SensorEvent.objects.count() == 60
    assert TelemetryEvent.objects.count() == 300


@pytest.mark.django_db(transaction=True)
def test_catch_up__transaction_still_open__keeps_the_cursor_behind_it() -> None:
    """A run whose transaction commits late, with an old `finished_at`, is still found."""
    other = connections.create_connection("maas")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT now()")
            opened = cursor.fetchone()[0]
            factories.run()
            catch_up()
            position = CaptureCursor.objects.get(name="pipeline_runs").position
        assert position is not None
        assert position <= opened
    finally:
        other.rollback()
        other.close()
