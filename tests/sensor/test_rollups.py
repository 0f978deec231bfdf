"""What the rollups promise beside their sums: nobody writes them, nobody waits, and they outlive their rows."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from sensor.dashboard import Grain, Point, metric_points, stage_latency
from sensor.models import Rollup, RollupDelta, SensorEvent
from sensor.services import ground_truth_record, judgements_record, runs_capture
from sensor.services.rollups import rollups_fold, rollups_prune
from tests.sensor import factories

SINCE, UNTIL = datetime.now(UTC) - timedelta(days=40), datetime.now(UTC) + timedelta(days=1)
TEACHERS = (
    "retrieval_recall", "retrieval_precision", "hit_rate", "mrr", "no_context_rate", "context_utilization",
    "hallucination_rate", "retry_rate", "memory_age", "tag_overlap", "memory_growth",
)  # fmt: skip


def points(metric: str, *, grain: Grain = "day", by: Sequence[str] = ()) -> list[Point]:
    return metric_points(metric, grain=grain, since=SINCE, until=UNTIL, by=by)


def captured(**columns: Any) -> uuid.UUID:
    run_id = factories.run(**columns)
    runs_capture(run_ids=[run_id])
    return run_id


@pytest.mark.django_db(databases=["default", "maas"])
@pytest.mark.parametrize("table", ["sensor_rollups", "sensor_rollup_deltas"])
def test_rollups__written_by_hand__refused(table: str) -> None:
    captured()
    rollups_fold()

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET n = n + 1")  # noqa: S608


@pytest.mark.django_db(databases=["default", "maas"])
def test_rollups_fold__what_waited__is_folded_and_reads_the_same() -> None:
    captured(latency_ms=12.5)
    before = points("latency_ms")

    folded = rollups_fold()

    assert folded > 0
    assert not RollupDelta.objects.exists()
    assert points("latency_ms") == before
    assert [point.mean for point in before] == [12.5]


@pytest.mark.django_db(databases=["default", "maas"])
def test_metric_points__same_runs__mean_what_the_teacher_computes() -> None:
    memories = [factories.memory(days_ago=3, tags=("sister",)), factories.memory(days_ago=9)]
    runs = [
        captured(found=(memories[0], memories[1])),
        captured(found=(memories[1],)),
        captured(found=(), status="FAILED", error_message="down", error_type="ModelDown"),
    ]
    for place, run_id in enumerate(runs):
        expected = tuple(memories[: 1 + place % 2])
        ground_truth_record(truths=[factories.truth(run_id, expected_memory_ids=expected)])
        judgements_record(
            judgements=[factories.judgement(run_id, hallucination_detected=place == 1, context_utilized=place == 0)]
        )

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'avg({name})' for name in TEACHERS)} FROM teacher_run_metrics")  # noqa: S608
        teachers = dict(zip(TEACHERS, cursor.fetchone(), strict=True))

    for name in TEACHERS:
        (point,) = points(name)
        assert point.mean == pytest.approx(teachers[name], abs=1e-6), name


@pytest.mark.django_db(databases=["default", "maas"])
def test_rollups__month_dropped_by_its_own_name__stay() -> None:
    captured()
    rollups_fold()
    before = points("runs")

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM sensor_events")
        month = cursor.fetchone()[0]
        cursor.execute(f"DELETE FROM {month}")  # noqa: S608
    assert not SensorEvent.objects.exists()

    assert points("runs") == before
    assert sum(point.n for point in before) == 1


@pytest.mark.django_db(databases=["default", "maas"])
def test_rollups__rows_deleted__subtracted_until_nothing_is_left() -> None:
    captured()
    rollups_fold()

    SensorEvent.objects.all().delete()
    rollups_fold()

    assert points("runs") == []
    assert not Rollup.objects.filter(stage=None).exists()


@pytest.mark.django_db(databases=["default", "maas"])
def test_rollups_prune__old_minutes__go_and_hours_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    old = datetime.now(UTC) - timedelta(hours=4)
    captured(finished_at=old, created_at=old)
    rollups_fold()
    minutes = Rollup.objects.filter(grain__in=["minute", "five"]).count()
    captured()
    rollups_fold()
    monkeypatch.setattr("sensor.services.rollups.MINUTES_KEPT", timedelta(hours=3))

    gone = rollups_prune()

    assert gone == minutes > 0
    assert Rollup.objects.filter(grain="minute", metric="runs").count() == 1
    assert sum(point.n for point in points("runs", grain="hour")) == 2


@pytest.mark.django_db(databases=["default", "maas"])
def test_rollups_prune__young_minutes__refused_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.services.rollups.MINUTES_KEPT", timedelta(hours=1))

    with pytest.raises(DatabaseError, match="older than two hours"), transaction.atomic():
        rollups_prune()


@pytest.mark.django_db(databases=["default", "maas"])
def test_stage_latency__further_back_than_minutes_are_kept__says_so() -> None:
    with pytest.raises(Exception, match="kept for 2 days"):
        stage_latency(datetime.now(UTC) - timedelta(days=3))


@pytest.mark.django_db(databases=["default", "maas"])
def test_metric_points__minutes_by_category__says_what_is_known() -> None:
    with pytest.raises(Exception, match="cannot be split by category"):
        points("latency_ms", grain="minute", by=["category"])


@pytest.mark.django_db(transaction=True, databases=["default", "maas"])
def test_rollups_fold__another_in_a_long_transaction__passes_by_and_loses_nothing() -> None:
    captured()
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            rollups_fold()
            held.set()
            release.wait(30)
        connections.close_all()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(30)
    captured()
    try:
        assert rollups_fold() == 0
        assert sum(point.n for point in points("runs")) == 2
    finally:
        release.set()
        other.join()
    assert rollups_fold() > 0
    assert sum(point.n for point in points("runs")) == 2


@pytest.mark.django_db(transaction=True, databases=["default", "maas"])
def test_rollups__captured_and_folded_by_several_at_once__count_each_run_once() -> None:
    runs = [factories.run() for _ in range(40)]

    def work(mine: list[uuid.UUID]) -> None:
        for start in range(0, len(mine), 5):
            runs_capture(run_ids=mine[start : start + 5])
            rollups_fold()
        connections.close_all()

    threads = [threading.Thread(target=work, args=(part,)) for part in (runs, runs[::-1], runs[10:30])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rollups_fold()

    assert sum(point.n for point in points("runs", grain="hour")) == 40
    assert sum(each.n for each in stage_latency(UNTIL - timedelta(days=1, hours=1))) == 200
