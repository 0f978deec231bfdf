"""Each metric's formula against values worked out by hand, and what a sample says of what was not measured."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.evaluation import Sample
from sensor.models import SensorEvent
from teacher.aggregator import AVERAGED, Aggregate, differences_by_category, metrics_aggregate, samples_read
from tests.teacher.events import BATCH, START, event, store

pytestmark = pytest.mark.django_db

FAILED = {"status": "FAILED", "error_type": "TimeoutError", "answer": None}


def metric(name: str, *events: SensorEvent, **more: Any) -> float | None:
    store(*events)
    return metrics_aggregate(batch=BATCH, **more).metrics[name]


def counted(name: str) -> int:
    return metrics_aggregate(batch=BATCH).counts[name]


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_precision__share_relevant_of_found__is_averaged_over_runs_that_found_something() -> None:
    runs = (event("a b", "a"), event("a b c d", "a b c"), event("", "a"), event("x", "a"))

    assert metric("retrieval_precision", *runs) == pytest.approx((1 / 2 + 3 / 4 + 0) / 3)
    assert counted("retrieval_precision") == 3


def test_precision__nothing_was_expected_but_something_found__is_zero() -> None:
    assert metric("retrieval_precision", event("x y", "")) == 0.0


def test_recall__share_found_of_expected__is_averaged_over_runs_with_expectations() -> None:
    runs = (event("a b", "a c"), event("", "a"), event("a b", "b"), event("a", ""), event("a", None))

    assert metric("retrieval_recall", *runs) == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert counted("retrieval_recall") == 3


def test_hit_rate_and_mrr__first_expected_memory__decides() -> None:
    store(event("x a b", "a b"), event("a", "a"), event("x y", "a"), event("", "a"), event("x", ""))

    metrics = metrics_aggregate(batch=BATCH).metrics
    assert metrics["hit_rate"] == pytest.approx(2 / 4)
    assert metrics["mrr"] == pytest.approx((1 / 2 + 1 + 0 + 0) / 4)


def test_no_context_rate__finds_nothing__counts_finished_runs_only() -> None:
    assert metric("no_context_rate", event("a"), event(""), event("", **FAILED)) == pytest.approx(1 / 2)


def test_context_utilization__judged_runs_that_found_something__are_counted() -> None:
    runs = (
        event("a", context_utilized=True),
        event("a", context_utilized=False),
        event("a", context_utilized=None),
        event("", context_utilized=True),
    )

    assert metric("context_utilization", *runs) == pytest.approx(1 / 2)
    assert counted("context_utilization") == 2


def test_hallucination_rate__judged_answers__are_counted() -> None:
    runs = (
        event(hallucination_detected=True),
        event(hallucination_detected=False),
        event(hallucination_detected=False),
        event(hallucination_detected=None),
    )

    assert metric("hallucination_rate", *runs) == pytest.approx(1 / 3)


def test_error_rate__failed_of_all__and_failed_runs_count_for_nothing_else() -> None:
    store(event("a", "a"), event("a", "a"), event("", "a", **FAILED), event("b", "a", **FAILED))

    metrics = metrics_aggregate(batch=BATCH).metrics
    assert metrics["error_rate"] == pytest.approx(2 / 4)
    assert (metrics["retrieval_recall"], metrics["retrieval_precision"], metrics["mrr"]) == (1.0, 1.0, 1.0)


def test_latency__percentiles__are_interpolated_as_percentile_cont_does() -> None:
    store(*(event(latency_ms=Decimal(value)) for value in (10, 20, 30, 40)))

    metrics = metrics_aggregate(batch=BATCH).metrics
    assert metrics["latency_p50"] == pytest.approx(25.0)
    assert metrics["latency_p95"] == pytest.approx(38.5)  # 30 + 0.85 × 10


def test_cost_and_tokens__unknown_cost__is_left_out_of_the_mean() -> None:
    runs = (event(), event(total_cost_usd=Decimal("0.003")), event(total_cost_usd=None, prompt_tokens=None))

    assert metric("token_cost", *runs) == pytest.approx(0.002)
    found = metrics_aggregate(batch=BATCH)
    assert (found.n, found.tokens) == (3, 240)
    assert found.cost_usd == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("retry_rate", [{"retry_count": 2}, {"retry_count": 0}], 0.5),
        (
            "memory_age",
            [{"avg_memory_age_days": 4.0}, {"avg_memory_age_days": 1.0}, {"avg_memory_age_days": None}],
            2.5,
        ),
        ("tag_overlap", [{"tag_overlap_score": 0.25}, {"tag_overlap_score": None}], 0.25),
        ("memory_growth", [{"memory_id": "00000000-0000-4000-8000-000000000001"}, {}, {}, {}], 0.25),
        ("isolation_violations", [{"isolation_ok": False}, {"isolation_ok": True}, {"isolation_ok": None}], 1.0),
    ],
)
def test_diagnostic_metric__its_column__is_averaged_or_summed(
    name: str, columns: list[dict[str, Any]], expected: float
) -> None:
    assert metric(name, *(event(**each) for each in columns)) == pytest.approx(expected)


# --- groups -----------------------------------------------------------------------------------------------------------


def test_aggregate__by_category__groups_what_has_one() -> None:
    store(
        event("a", "a", category="temporal"),
        event("x", "a", category="temporal"),
        event("a", "a", category="factual"),
        event("a", "a", category=None),
    )

    found = metrics_aggregate(batch=BATCH)

    assert found.n == 4
    assert {name: (item.n, item.metrics["retrieval_recall"]) for name, item in found.by_category.items()} == {
        "factual": (1, 1.0),
        "temporal": (2, 0.5),
    }


def test_aggregate__of_one_arm_or_another_batch__looks_at_nothing_else() -> None:
    store(event("a", "a", variant="variant"), event("x", "a"), event("x", "a", batch="other", variant="variant"))

    assert metric("retrieval_recall", variant="variant") == 1.0
    assert metric("retrieval_recall") == 0.5


def test_aggregate__no_runs__has_no_values_rather_than_zeros() -> None:
    found = metrics_aggregate(batch="no such batch")

    assert (found.n, found.tokens, found.by_category) == (0, 0, {})
    assert {name for name, value in found.metrics.items() if value is not None} == {"isolation_violations"}


def test_aggregate__to_json__keeps_metrics_counts_and_categories() -> None:
    inner = Aggregate(n=2, metrics={"mrr": 0.5}, counts={}, tokens=0, cost_usd=0.0)
    whole = Aggregate(
        n=4, metrics={"mrr": None}, counts={"mrr": 0}, tokens=9, cost_usd=0.1, by_category={"temporal": inner}
    )

    assert whole.to_json() == {
        "n": 4, "metrics": {"mrr": None}, "counts": {"mrr": 0}, "tokens": 9, "cost_usd": 0.1,
        "by_category": {"temporal": {"n": 2, "mrr": 0.5}},
    }  # fmt: skip


def test_view__columns__are_those_that_readers_rely_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM teacher_run_metrics LIMIT 0")
        columns = [column.name for column in cursor.description]

    assert columns == [
        "run_id", "batch", "experiment", "variant", "dataset", "split", "example_id", "cluster", "category",
        "difficulty", "parameter_version", "cycle_type", "client_kind", "started_at", "judge_version", "failed",
        "expected", "found", "hits", "retrieval_recall", "retrieval_precision", "hit_rate", "mrr", "no_context_rate",
        "context_utilization", "hallucination_rate", "latency_ms", "token_cost", "tokens", "retry_rate", "memory_age",
        "tag_overlap", "isolation_violation", "memory_growth", "left_out",
    ]  # fmt: skip


def test_view__run_without_a_variant__has_an_empty_one() -> None:
    store(event(variant=None))

    assert samples_read(batch=BATCH)[0].variant == ""


# --- samples ----------------------------------------------------------------------------------------------------------


def sample(found: str = "", expected: str | None = "", **columns: Any) -> Sample:
    store(event(found, expected, **columns))
    (only,) = samples_read(batch=BATCH)
    return only


def test_sample__metric_that_does_not_apply__is_absent() -> None:
    names = set(sample("", "").metrics)

    assert not names & {"retrieval_precision", "retrieval_recall", "context_utilization", "hit_rate", "mrr"}


def test_sample__found_nothing_of_what_was_expected__has_recall_but_no_precision() -> None:
    metrics = sample("", "a").metrics

    assert (metrics["retrieval_recall"], "retrieval_precision" in metrics) == (0.0, False)


def test_sample__not_judged__is_missing_not_absent() -> None:
    metrics = sample("a", "a").metrics

    assert (metrics["hallucination_rate"], metrics["context_utilization"]) == (None, None)


def test_sample__judged_and_found_not_to_apply__is_absent() -> None:
    metrics = sample("x", "a", hallucination_detected=False, context_utilized=None, judge_version="j").metrics

    assert metrics["hallucination_rate"] == 0.0
    assert "context_utilization" not in metrics


def test_sample__failed_run__has_missing_values_and_says_that_it_failed() -> None:
    found = sample("", "a", total_cost_usd=None, **FAILED)

    assert found.failed is True
    missing = {name for name, value in found.metrics.items() if value is None}
    assert missing >= {"retrieval_precision", "retrieval_recall", "context_utilization", "hallucination_rate"}
    assert found.metrics["latency_ms"] == 10.0


def test_samples__order__is_that_of_time_and_rows_are_sorted_by_example() -> None:
    late, early = event(example_id="a", started_at=START), event(example_id="b", started_at=START.replace(year=2020))
    store(late, early)

    assert [(item.example_id, item.order, item.cluster) for item in samples_read(batch=BATCH)] == [
        ("a", 2, "c"),
        ("b", 1, "c"),
    ]


def test_differences_by_category__pairs_of_both_arms__are_averaged() -> None:
    samples = [
        Sample(example_id=example, variant=variant, category=category, metrics={"mrr": value})
        for example, category, before, after in (
            ("a", "temporal", 0.2, 0.6), ("b", "temporal", 0.5, 0.5), ("c", None, 1.0, 0.0), ("d", "other", None, 1.0),
        )
        for variant, value in (("baseline", before), ("variant", after))
    ]  # fmt: skip

    assert differences_by_category(samples, baseline="baseline", variant="variant", metric="mrr") == {
        "other": {"n": 1, "difference": -1.0},
        "temporal": {"n": 2, "difference": pytest.approx(0.2)},
    }


# --- SQL against Python -----------------------------------------------------------------------------------------------


def mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def recomputed(rows: Sequence[SensorEvent]) -> dict[str, float | None]:
    """The metrics again from reference.md, without a look at the SQL."""
    done = [row for row in rows if row.status != "FAILED"]

    def hits(row: SensorEvent) -> int:
        return len(set(row.found_ids) & set(row.expected_ids or []))

    def rank(row: SensorEvent) -> float:
        places = [place for place, found in enumerate(row.found_ids, start=1) if found in (row.expected_ids or ())]
        return 1 / places[0] if places else 0.0

    asked = [row for row in done if row.expected_ids]
    found = [row for row in done if row.found_ids]
    optional: Callable[[Any], float | None] = lambda value: None if value is None else float(value)  # noqa: E731
    return {
        "retrieval_precision": mean(hits(row) / len(row.found_ids) for row in found),
        "retrieval_recall": mean(hits(row) / len(row.expected_ids or ()) for row in asked),
        "hit_rate": mean(float(hits(row) > 0) for row in asked),
        "mrr": mean(rank(row) for row in asked),
        "no_context_rate": mean(float(not row.found_ids) for row in done),
        "context_utilization": mean(optional(row.context_utilized) for row in rows if row.found_ids),
        "hallucination_rate": mean(optional(row.hallucination_detected) for row in rows),
        "retry_rate": mean(float(row.retry_count > 0) for row in rows),
        "memory_age": mean(row.avg_memory_age_days for row in rows),
        "tag_overlap": mean(row.tag_overlap_score for row in rows),
        "memory_growth": mean(float(row.memory_id is not None) for row in rows),
        "token_cost": mean(optional(row.total_cost_usd) for row in rows),
        "error_rate": mean(float(row.status == "FAILED") for row in rows),
        "latency_p50": float(np.percentile([float(row.latency_ms) for row in rows], 50)),
        "latency_p95": float(np.percentile([float(row.latency_ms) for row in rows], 95)),
        "isolation_violations": float(sum(row.isolation_ok is False for row in rows)),
    }


def random_event(chance: random.Random) -> SensorEvent:
    names = ["a", "b", "c", "d", "e", "f"]
    failed = chance.random() < 0.15
    judged = not failed and chance.random() < 0.8
    return event(
        " ".join(chance.sample(names, chance.randint(0, 5))),
        chance.choice([None, "", " ".join(chance.sample(names, chance.randint(1, 3)))]),
        status="FAILED" if failed else "COMPLETED",
        category=chance.choice([None, "factual", "temporal", "negative"]),
        context_utilized=chance.choice([True, False, None]) if judged else None,
        hallucination_detected=chance.choice([True, False]) if judged else None,
        retry_count=chance.randint(0, 2),
        avg_memory_age_days=chance.choice([None, chance.uniform(0, 400)]),
        tag_overlap_score=chance.choice([None, chance.random()]),
        memory_id=chance.choice([None, "00000000-0000-4000-8000-000000000001"]),
        total_cost_usd=chance.choice([None, Decimal(chance.randint(0, 10**6)) / 10**8]),
        latency_ms=Decimal(chance.randint(1, 10**7)) / 1000,
        isolation_ok=chance.choice([True, False, None]),
    )


@given(seed=st.integers(min_value=0, max_value=2**32), size=st.integers(min_value=1, max_value=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql__on_random_runs__agrees_with_python(seed: int, size: int) -> None:
    SensorEvent.objects.all().delete()
    chance = random.Random(seed)
    rows = store(*(random_event(chance) for _ in range(size)))

    found = metrics_aggregate(batch=BATCH)

    assert set(found.metrics) == {*AVERAGED, "error_rate", "latency_p50", "latency_p95", "isolation_violations"}
    assert found.metrics == pytest.approx(recomputed(rows), nan_ok=False)
    for name, group in found.by_category.items():
        assert group.metrics == pytest.approx(recomputed([row for row in rows if row.category == name]))
