"""Dashboards answer from rollups, folded and waiting ones alike; the numbers here are worked out by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kernel.errors import InvalidInput, RuleViolated
from sensor.dashboard import Point, hit_rate_by_day, metric_points, stage_latency
from sensor.domain.facts import END_TO_END
from sensor.domain.rolled import HISTOGRAMS, ROLLED
from sensor.migrations import __path__ as migrations
from sensor.question import BUCKETS_MOST, answer, question_of
from sensor.services import ground_truth_record, runs_capture
from sensor.services.rollups import rollups_fold
from tests.sensor import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def record(*, at: datetime, latency: float = 10.0, found: tuple[uuid.UUID, ...] = (), **columns: Any) -> uuid.UUID:
    """A run that ended then, recorded."""
    run_id = factories.run(
        found=found, finished_at=at, created_at=at - timedelta(seconds=1), latency_ms=latency, **columns
    )
    runs_capture(run_ids=[run_id])
    return run_id


def asked(*, by: tuple[str, ...] = (), metric: str = "latency_ms", grain: str = "hour") -> list[Point]:
    since, until = NOON - timedelta(hours=3), NOON + timedelta(hours=3)
    return answer(question_of(metric=metric, grain=grain, by=by, since=since, until=until))


@pytest.mark.parametrize("folded", [False, True])
def test_metric_points__runs_of_two_hours__have_count_mean_and_percentiles(folded: bool) -> None:
    for latency in (10.0, 20.0, 30.0):
        record(at=NOON + timedelta(minutes=latency), latency=latency)
    record(at=NOON + timedelta(hours=1), latency=400.0)
    if folded:
        rollups_fold()
    first, second = asked()
    assert (first.bucket, first.n, first.mean) == (NOON, 3, 20.0)
    assert first.percentile(0.5) == pytest.approx(20.0, rel=0.005)
    assert first.percentile(0.95) == pytest.approx(29.0, rel=0.005)
    assert (second.bucket, second.n, second.mean) == (NOON + timedelta(hours=1), 1, 400.0)


def test_metric_points__split_by_version__tells_them_apart() -> None:
    record(at=NOON, latency=10.0, parameter_version=1)
    record(at=NOON, latency=30.0, parameter_version=2)
    record(at=NOON, latency=50.0, parameter_version=2)
    points = {
        point.dimensions["parameter_version"]: (point.n, point.mean) for point in asked(by=("parameter_version",))
    }
    assert points == {1: (1, 10.0), 2: (2, 40.0)}


def test_metric_points__minutes_split_by_variant__are_refused() -> None:
    with pytest.raises(RuleViolated, match="cannot be split by variant"):
        metric_points("runs", grain="minute", since=NOON, until=NOON + timedelta(hours=1), by=["variant"])


def test_metric_points__days__begin_at_midnight_of_utc() -> None:
    record(at=NOON.replace(hour=23, minute=59))
    record(at=NOON.replace(hour=23, minute=59) + timedelta(minutes=2))
    points = answer(question_of(metric="runs", grain="day", since=NOON, until=NOON + timedelta(days=2)))
    assert [(point.bucket.isoformat(), point.n) for point in points] == [
        ("2026-03-14T00:00:00+00:00", 1), ("2026-03-15T00:00:00+00:00", 1)
    ]  # fmt: skip


def test_stage_latency__last_hour__leaves_older_rows_out_and_keeps_the_order_of_stages() -> None:
    now = timezone.now()
    for latency in (10.0, 30.0):
        record(at=now - timedelta(minutes=20), latency=latency)
    record(at=now - timedelta(minutes=70), latency=900.0)
    found = stage_latency(now - timedelta(hours=1), now)
    assert [row.stage for row in found] == ["analyzer", "assembler", "responder", "archivist", END_TO_END]
    whole = found[-1]
    assert (whole.n, float(whole.total)) == (2, 40.0)
    assert whole.p50 == pytest.approx(20.0, rel=0.005)
    assert whole.p95 == pytest.approx(29.0, rel=0.005)


def test_hit_rate_by_day__truth_that_comes_late__counts_on_the_day_of_the_run() -> None:
    memory = factories.memory()
    hit, miss = record(at=NOON, found=(memory,)), record(at=NOON)
    record(at=NOON)  # nothing is expected of it
    ground_truth_record([factories.truth(run_id, expected_memory_ids=(memory,)) for run_id in (hit, miss)])
    (day,) = hit_rate_by_day(NOON.date(), NOON.date())
    assert day.rate == 0.5
    assert 0 < day.known < day.rows


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"metric": "x"}, "there is no metric 'x'"),
        ({"metric": "mrr", "stage": "e2e"}, "MRR is not recorded of single stages"),
        ({"metric": "stage_rows"}, "Recorded stages is not recorded of whole runs"),
        ({"stage": "brain"}, "there is no stage 'brain'"),
        ({"grain": "minute"}, "a grain is an hour or a day"),
        ({"by": ["colour"]}, "runs cannot be split by 'colour'"),
        ({"by": ["variant", "split", "category", "experiment"]}, "by 3 things at once, not by 4"),
        ({"since": NOON, "until": NOON}, "the span is empty"),
        ({"since": NOON, "until": NOON + timedelta(hours=BUCKETS_MOST + 1)}, "more than 2,400 hours; ask for days"),
        ({"since": datetime(1, 1, 1)}, "a time between 2000 and 2200"),
    ],
)
def test_question__that_cannot_be_answered__is_refused_in_a_sentence(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        question_of(**{"metric": "latency_ms", **wrong})


def test_question__until_nothing__ends_now_and_began_a_day_before() -> None:
    question = question_of(metric="runs")
    assert question.until - question.since == timedelta(days=1)
    assert len(question.buckets()) in (24, 25)


def test_catalogue__against_what_is_rolled_up__is_complete() -> None:
    """Names and histograms are read from the migration's SQL, so that no new metric stays out of sight."""
    import importlib
    import re
    from pathlib import Path

    assert (Path(next(iter(migrations))) / "0004_rollups.py").exists()
    module = importlib.import_module("sensor.migrations.0004_rollups")
    of_runs = set(re.findall(r"^\s+\('(\w+)',", module.RUN_VALUES, re.MULTILINE))
    of_stages = set(re.findall(r"^\s+\('(\w+)',", module.STAGE_VALUES, re.MULTILINE))
    assert {name for name, metric in ROLLED.items() if metric.of_runs} == of_runs
    assert {name for name, metric in ROLLED.items() if metric.of_stages} == of_stages
    (binned,) = re.findall(r"metric NOT IN \(([^)]*)\)", module.HISTOGRAMS)
    assert set(re.findall(r"\w+", binned)) == HISTOGRAMS


def test_dashboards__asked__read_no_table_of_rows_but_the_last_minute() -> None:
    """The rows of the two unfinished minutes are read for exactness; nothing else touches them."""
    record(at=NOON)
    with CaptureQueriesContext(connection) as queries:
        asked(by=("variant",))
        hit_rate_by_day(NOON.date(), NOON.date())
    assert not [query for query in queries if "sensor_events" in query["sql"] or "telemetry_events" in query["sql"]]
