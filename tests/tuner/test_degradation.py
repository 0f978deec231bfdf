from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.recommendation import RollbackCondition
from tuner.domain.degradation import DegradationInput, DegradationSignal, evaluate

BASELINE: Mapping[str, float | None] = {
    "retrieval_precision": 0.8,
    "retrieval_recall": 0.5,
    "hallucination_rate": 0.05,
    "latency_p95": 1000.0,
    "error_rate": 0.0,
}


def _signals(metric: str, *values: float | None, **fields: Any) -> list[DegradationSignal]:
    history = [{**BASELINE, metric: value} for value in values]
    return evaluate(DegradationInput(baseline=BASELINE, history=history, **fields))


@pytest.mark.parametrize(
    ("metric", "values", "rules"),
    [
        ("retrieval_precision", (0.7, 0.69, 0.65), ["precision_fell"]),
        ("retrieval_precision", (0.6, 0.71, 0.6), []),
        ("retrieval_precision", (0.6, 0.6), []),
        ("retrieval_precision", (0.6, None, 0.6), []),
        ("hallucination_rate", (0.10, 0.12), ["hallucination_rose"]),
        ("hallucination_rate", (0.09, 0.12), []),
        ("latency_p95", (5001.0,) * 5, ["too_slow"]),
        ("latency_p95", (5001.0,) * 4, []),
        ("latency_p95", (5000.0,) * 5, []),
        ("error_rate", (0.11,), ["too_many_errors"]),
        ("error_rate", (0.10,), []),
    ],
)
def test_evaluate__one_metric_over_cycles__breaks_these_rules(
    metric: str, values: tuple[float | None, ...], rules: list[str]
) -> None:
    assert [signal.rule for signal in _signals(metric, *values)] == rules


@pytest.mark.parametrize(
    ("metric", "value", "rules"),
    [
        ("retrieval_recall", 0.44, ["goal_metric_worse"]),
        ("retrieval_recall", 0.45, []),
        ("latency_p95", 1101.0, ["goal_metric_worse"]),
        ("latency_p95", 1100.0, []),
    ],
)
def test_evaluate__metric_of_the_goal__may_lose_a_tenth_of_its_value(
    metric: str, value: float, rules: list[str]
) -> None:
    assert [signal.rule for signal in _signals(metric, value, goal_metrics=[metric])] == rules


def test_evaluate__three_cycles_without_improvement__signals() -> None:
    fields: dict[str, Any] = {"goal_metrics": ["retrieval_recall"], "predecessor": {"retrieval_recall": 0.5}}
    (signal,) = _signals("retrieval_recall", 0.5, 0.49, 0.5, **fields)
    assert (signal.rule, signal.limit) == ("no_improvement", 0.5)
    assert _signals("retrieval_recall", 0.5, 0.51, 0.5, **fields) == []
    assert _signals("retrieval_recall", 0.5, 0.5, **fields) == []


def test_evaluate__condition_of_the_recommendation__is_checked_beside() -> None:
    conditions = {"retrieval_recall": RollbackCondition(delta_threshold=-0.02, cycles=2)}
    (signal,) = _signals("retrieval_recall", 0.48, 0.47, conditions=conditions)
    assert (signal.rule, signal.observed, signal.limit) == ("recommendation:retrieval_recall", 0.47, 0.48)


def test_evaluate__nothing_measured__signals_nothing() -> None:
    assert evaluate(DegradationInput(baseline={}, history=[{}, {}, {}], goal_metrics=["retrieval_recall"])) == []
