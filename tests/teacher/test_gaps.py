"""Gaps: what a goal asks against what is measured, which comes first, and when all is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.goal import Target
from teacher.domain.gaps import Measured, MetricGap, focus_order, gap_of, gaps_compute, target_value, targets_met

PRECISION, RECALL, HALLUCINATION = "retrieval_precision", "retrieval_recall", "hallucination_rate"


def target(metric: str = PRECISION, direction: Any = "increase", **more: Any) -> Target:
    return Target(metric=metric, direction=direction, **more)


def gaps(
    current: Mapping[str, float | None], *targets: Target, start: dict[str, float] | None = None
) -> list[MetricGap]:
    measured = Measured(metrics=current)
    return gaps_compute(current=measured, start=Measured(metrics=start or {}) if start else measured, targets=targets)


@pytest.mark.parametrize(
    ("asked", "start", "expected"),
    [
        (target(value=0.8), 0.5, 0.8),
        (target(value=0.8), None, 0.8),
        (target(delta=0.1), 0.5, 0.6),
        (target(delta=-0.1), 0.5, 0.6),
        (target(delta=0.1, relative=True), 0.5, 0.55),
        (target(HALLUCINATION, "decrease", delta=0.1), 0.5, 0.4),
        (target("latency_p95", "decrease", delta=0.2, relative=True), 4000.0, 3200.0),
        (target("latency_p95", "decrease", delta=500.0), 4000.0, 3500.0),
        (target(delta=0.9), 0.5, 1.0),
        (target(HALLUCINATION, "decrease", delta=0.9), 0.5, 0.0),
        (target(delta=0.1), None, None),
        (target(), 0.5, None),
    ],
)
def test_target_value__absolute_delta_or_relative__is_measured_from_the_start(
    asked: Target, start: float | None, expected: float | None
) -> None:
    assert target_value(asked, start) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "current", "wanted", "gap", "met"),
    [
        (PRECISION, 0.6, 0.8, 0.2, False),
        (PRECISION, 0.8, 0.8, 0.0, True),
        (PRECISION, 0.9, 0.8, -0.1, True),
        (HALLUCINATION, 0.2, 0.05, 0.15, False),
        (HALLUCINATION, 0.01, 0.05, -0.04, True),
        ("latency_p95", 4000.0, 5000.0, -1000.0, True),
    ],
)
def test_gap_of__either_direction__is_positive_while_something_is_missing(
    metric: str, current: float, wanted: float, gap: float, met: bool
) -> None:
    found = gap_of(metric, current=current, target=wanted, of_goal=True)

    assert found.gap == pytest.approx(gap)
    assert found.met is met


@pytest.mark.parametrize(("current", "exceeds"), [(0.70, False), (0.69, True)])
def test_gap_of__threshold__must_be_passed_not_only_reached(current: float, exceeds: bool) -> None:
    assert gap_of(PRECISION, current=current, target=0.8, of_goal=True).exceeds_threshold is exceeds


def test_gap_of__relative_threshold__is_a_share_of_the_target() -> None:
    over, under = (gap_of("token_cost", current=cost, target=0.01, of_goal=True) for cost in (0.0112, 0.0108))

    assert over.threshold == pytest.approx(0.001)
    assert (over.exceeds_threshold, under.exceeds_threshold) == (True, False)


def test_gaps_compute__goal_and_critical_metrics__come_in_the_goals_order_then_critical() -> None:
    current = {RECALL: 0.3, PRECISION: 0.5, HALLUCINATION: 0.2}

    found = gaps(current, target(RECALL, value=0.6), target(PRECISION, value=0.7))

    assert [(gap.metric, gap.of_goal) for gap in found] == [(RECALL, True), (PRECISION, True), (HALLUCINATION, False)]


def test_gaps_compute__critical_metric_named_by_the_goal__is_there_once_with_the_goals_target() -> None:
    (found,) = gaps({HALLUCINATION: 0.2}, target(HALLUCINATION, "decrease", value=0.1))

    assert (found.target, found.of_goal) == (0.1, True)


def test_gaps_compute__critical_metric_named_in_one_category__is_still_watched_as_a_whole() -> None:
    measured = Measured(metrics={HALLUCINATION: 0.2}, by_category={"temporal": {HALLUCINATION: 0.05}})
    asked = target(HALLUCINATION, "decrease", value=0.1, category="temporal")

    found = gaps_compute(current=measured, start=measured, targets=[asked])

    assert [(gap.category, gap.of_goal, gap.current) for gap in found] == [("temporal", True, 0.05), (None, False, 0.2)]


def test_gaps_compute__category_of_the_goal__is_measured_alone() -> None:
    measured = Measured(metrics={PRECISION: 0.9}, by_category={"temporal": {PRECISION: 0.4}})

    (found,) = gaps_compute(current=measured, start=measured, targets=[target(value=0.8, category="temporal")])

    assert (found.current, found.category) == (0.4, "temporal")


def test_gaps_compute__category_that_the_data_lacks__is_measured_as_a_whole() -> None:
    measured = Measured(metrics={PRECISION: 0.6})

    (found,) = gaps_compute(current=measured, start=measured, targets=[target(value=0.8, category="temporal")])

    assert (found.current, found.category) == (0.6, None)


@pytest.mark.parametrize(
    ("asked", "current", "end"),
    [
        (target(), 0.5, 1.0),
        (target("latency_p95", "decrease"), 900.0, 0.0),
        (target("user_satisfaction"), 3.0, 5.0),
    ],
)
def test_gaps_compute__as_far_as_it_goes__aims_at_the_end_of_the_range(
    asked: Target, current: float, end: float
) -> None:
    (found,) = gaps({asked.metric: current}, asked)

    assert (found.target, found.met) == (end, False)


def test_gaps_compute__metric_not_measured__has_no_gap() -> None:
    assert gaps({PRECISION: None}, target(value=0.8)) == []


def test_gaps_compute__delta__is_measured_from_the_campaigns_start_not_from_now() -> None:
    (found,) = gaps({PRECISION: 0.58}, target(delta=0.1), start={PRECISION: 0.5})

    assert found.target == pytest.approx(0.6)
    assert found.gap == pytest.approx(0.02)


def test_focus_order__critical_gap_beyond_its_threshold__comes_before_the_goal() -> None:
    found = gaps({PRECISION: 0.5, HALLUCINATION: 0.2}, target(value=0.8))

    assert [gap.metric for gap in focus_order(found)] == [HALLUCINATION, PRECISION]


def test_focus_order__critical_gap_within_its_threshold__is_left_alone() -> None:
    found = gaps({PRECISION: 0.5, HALLUCINATION: 0.06}, target(value=0.8))

    assert [gap.metric for gap in focus_order(found)] == [PRECISION]


def test_focus_order__target_reached__is_not_worked_on() -> None:
    found = gaps({PRECISION: 0.9, RECALL: 0.2}, target(value=0.8), target(RECALL, value=0.6))

    assert [gap.metric for gap in focus_order(found)] == [RECALL]


def test_focus_order__critical_metric_of_the_goal__stands_once() -> None:
    found = gaps(
        {HALLUCINATION: 0.3, RECALL: 0.2}, target(RECALL, value=0.6), target(HALLUCINATION, "decrease", value=0.1)
    )

    assert [gap.metric for gap in focus_order(found)] == [HALLUCINATION, RECALL]


@pytest.mark.parametrize(
    ("current", "met"),
    [
        ({PRECISION: 0.8, HALLUCINATION: 0.01}, True),
        ({PRECISION: 0.8, HALLUCINATION: 0.06}, True),
        ({PRECISION: 0.8, HALLUCINATION: 0.2}, False),
        ({PRECISION: 0.79, HALLUCINATION: 0.01}, False),
        ({HALLUCINATION: 0.01}, False),
    ],
)
def test_targets_met__goal_and_critical_metrics__must_both_hold(current: dict[str, float | None], met: bool) -> None:
    assert targets_met(gaps(current, target(value=0.8))) is met


def test_measured__from_what_the_aggregator_wrote__finds_whole_and_category() -> None:
    found = Measured.from_json({"n": 3, "metrics": {"mrr": 0.5}, "by_category": {"temporal": {"n": 1, "mrr": 0.2}}})

    assert (found.value("mrr"), found.value("mrr", "temporal"), found.value("mrr", "factual")) == (0.5, 0.2, None)
    assert Measured.from_json({}).value("mrr") is None
