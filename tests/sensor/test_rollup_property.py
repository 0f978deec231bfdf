"""Rollups against the raw rows, whatever was inserted, repeated, marked late, deleted and folded, in any order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.dashboard import hit_rate_by_day, metric_points, stage_latency
from sensor.models import SensorEvent
from sensor.services import ground_truth_record, judgements_record, runs_capture
from sensor.services.removal import runs_forget
from sensor.services.rollups import rollups_fold
from tests.sensor import factories

NOW = datetime.now(UTC)
# Written apart from the product: one aggregate for each metric, straight from the recorded columns.
RAW: dict[str, str] = {
    "runs": "count(*), count(*)",
    "error_rate": "count(*), count(*) FILTER (WHERE status = 'FAILED')",
    "latency_ms": "count(latency_ms), sum(latency_ms)",
    "token_cost": "count(total_cost_usd), sum(total_cost_usd)",
    "memories_found": "count(*), sum(cardinality(found_ids))",
    "hallucination_rate": "count(hallucination_detected), count(*) FILTER (WHERE hallucination_detected)",
    "context_utilization": "count(context_utilized) FILTER (WHERE memories_found > 0),"
    " count(*) FILTER (WHERE context_utilized AND memories_found > 0)",
    "hit_rate": "count(*) FILTER (WHERE expected_ids <> '{}' AND status = 'COMPLETED'),"
    " count(*) FILTER (WHERE expected_ids && found_ids AND status = 'COMPLETED')",
    "user_satisfaction": "count(feedback_score), sum(feedback_score)",
    "isolation_violation": "count(isolation_ok), count(*) FILTER (WHERE NOT isolation_ok)",
}
DIMENSIONS = "split, category, variant, parameter_version"

late = st.sampled_from([0, 30, 90, 60 * 50, 60 * 60 * 30])
operation = st.one_of(
    st.tuples(st.just("run"), late, st.integers(0, 2), st.sampled_from(["COMPLETED", "FAILED"]), st.integers(0, 4000)),
    st.tuples(st.just("again")),
    st.tuples(st.just("truth"), st.integers(0, 9), st.sampled_from(["factual", "temporal"]), st.booleans()),
    st.tuples(st.just("judge"), st.integers(0, 9), st.sampled_from([True, False, None])),
    st.tuples(st.just("feedback"), st.integers(0, 9), st.integers(1, 5)),
    st.tuples(st.just("forget"), st.integers(0, 9)),
    st.tuples(st.just("fold")),
)


@contextmanager
def undone() -> Iterator[None]:
    """Both databases as they were, so that each example begins with nothing."""
    with transaction.atomic(), transaction.atomic(using="maas"):
        yield
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="maas")


def play(operations: list[tuple[Any, ...]]) -> None:
    memories = [factories.memory(), factories.memory()]
    runs: list[uuid.UUID] = []
    for name, *values in operations:
        if name == "run":
            seconds, found, status, latency = values
            ended = NOW - timedelta(seconds=seconds)
            broken = {"error_message": "it broke", "error_type": "ModelDown"}
            reason: dict[str, Any] = broken if status == "FAILED" else {}
            runs.append(
                factories.run(
                    found=tuple(memories[:found]), status=status, latency_ms=latency / 8, finished_at=ended,
                    created_at=ended - timedelta(seconds=1), parameter_version=1 + seconds % 2, **reason,
                )
            )  # fmt: skip
            runs_capture(run_ids=runs[-1:])
        elif name == "again":
            runs_capture(run_ids=runs)
        elif name == "fold":
            rollups_fold()
        elif runs:
            _mark(name, runs[values[0] % len(runs)], values[1:], memories)


def _mark(name: str, run_id: uuid.UUID, values: list[Any], memories: list[uuid.UUID]) -> None:
    if name == "truth":
        category, expected = values
        ids = (memories[0],) if expected else ()
        ground_truth_record(
            truths=[factories.truth(run_id, category=category, expected_memory_ids=ids, should_retrieve=expected)]
        )
    elif name == "judge":
        judgement = factories.judgement(run_id, hallucination_detected=values[0], context_utilized=values[0])
        judgements_record(judgements=[judgement])
    elif name == "feedback":
        SensorEvent.objects.filter(pipeline_run_id=run_id).update(feedback_score=values[0])
    else:
        runs_forget(run_ids=[run_id])


def raw(grain: str, metric: str) -> dict[tuple[Any, ...], tuple[int, float]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT date_trunc('{grain}', ended_at, 'UTC'), {DIMENSIONS}, {RAW[metric]} FROM sensor_events"  # noqa: S608
            f" GROUP BY 1, {DIMENSIONS}"
        )
        return {tuple(key): (n, float(total)) for *key, n, total in cursor.fetchall() if n}


def rolled(grain: Any, metric: str) -> dict[tuple[Any, ...], tuple[int, float]]:
    by = DIMENSIONS.split(", ")
    points = metric_points(metric, grain=grain, since=NOW - timedelta(days=9), until=NOW + timedelta(days=1), by=by)
    return {(p.bucket, *(p.dimensions[name] for name in by)): (p.n, float(p.total)) for p in points}


@pytest.mark.django_db(databases=["default", "maas"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(operation, min_size=1, max_size=18))
def test_rollups__any_history_of_a_store__equal_the_raw_rows(operations: list[tuple[Any, ...]]) -> None:
    with undone():
        play(operations)

        for grain in ("hour", "day"):
            for metric in RAW:
                assert rolled(grain, metric) == raw(grain, metric), (grain, metric)


@pytest.mark.django_db(databases=["default", "maas"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(operation, min_size=1, max_size=18), minutes=st.floats(0.5, 90))
def test_dashboard_queries__any_history_of_a_store__agree_with_those_of_the_mission(
    operations: list[tuple[Any, ...]], minutes: float
) -> None:
    since, until = NOW - timedelta(minutes=minutes), NOW + timedelta(seconds=1)
    with undone():
        play(operations)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT stage, count(latency_ms), sum(latency_ms),"
                " percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),"
                " percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM telemetry_events"
                " WHERE created_at >= %s AND created_at < %s GROUP BY stage",
                [since, until],
            )
            latency = {row[0]: row[1:] for row in cursor.fetchall()}
            cursor.execute(
                "SELECT (created_at AT TIME ZONE 'UTC')::date, count(*), count(hit_rate),"
                " count(*) FILTER (WHERE hit_rate) FROM telemetry_events GROUP BY 1 ORDER BY 1"
            )
            days = cursor.fetchall()

        found = stage_latency(since, until)
        assert {each.stage: (each.n, each.total) for each in found} == {s: row[:2] for s, row in latency.items()}
        for each in found:
            assert each.p50 == pytest.approx(latency[each.stage][2], rel=0.01, abs=0.001)
            assert each.p95 == pytest.approx(latency[each.stage][3], rel=0.01, abs=0.001)
        told = hit_rate_by_day((NOW - timedelta(days=9)).date(), timezone.now().date())
        assert [(each.day, each.rows, each.known, each.hits) for each in told] == days
