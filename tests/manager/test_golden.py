"""The golden gate's rules: each limit from both sides, each mode."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from manager.domain.golden import CategoryValues, GateDecision, averaged, degradations, failures_priced, gate, mode_for

BEFORE: dict[str, float | None] = {
    "retrieval_recall": 0.5,
    "retrieval_precision": 0.6,
    "hallucination_rate": 0.1,
    "context_utilization": 0.8,
}


Values = Mapping[str, float | None]


def decided(
    after: Values | None = None,
    *,
    before: Values | None = None,
    mode: str = "directional",
    metric: str = "retrieval_recall",
) -> GateDecision:
    start = {**BEFORE, **(before or {})}
    return gate(before=start, after={**start, **(after or {})}, metric=metric, mode=mode)


@pytest.mark.parametrize("mode", ["directional", "strict", "not_worse"])
@pytest.mark.parametrize(
    ("after", "word"),
    [
        ({"hallucination_rate": 0.16}, "hallucination rises by .060"),
        ({"retrieval_precision": 0.54}, "retrieval precision falls by .060"),
        ({"retrieval_recall": 0.44}, "retrieval recall falls by .060"),
    ],
)
def test_gate__beyond_a_limit__refuses_in_every_mode(mode: str, after: Values, word: str) -> None:
    decision = decided({"context_utilization": 0.9, **after}, mode=mode)
    assert not decision.passed
    assert word in decision.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"hallucination_rate": 0.35}, {"hallucination_rate": 0.4}),
        ({"retrieval_precision": 0.8}, {"retrieval_precision": 0.75}),
        ({"retrieval_recall": 0.35}, {"retrieval_recall": 0.3}),
        ({"retrieval_precision": 0.1}, {"retrieval_precision": 0.08}),
    ],
)
def test_gate__exactly_at_a_limit__is_not_beyond_it(before: Values, after: Values) -> None:
    assert decided(after, before=before, mode="not_worse").passed


def test_gate__small_values__a_fifth_is_the_stricter_limit() -> None:
    decision = decided({"retrieval_recall": 0.07}, before={"retrieval_recall": 0.1}, mode="not_worse")
    assert not decision.passed
    assert "more than .020" in decision.reason


def test_gate__several_limits_broken__names_all() -> None:
    decision = decided({"hallucination_rate": 0.3, "retrieval_recall": 0.2})
    assert "hallucination" in decision.reason
    assert "recall" in decision.reason


@pytest.mark.parametrize(
    ("metric", "value", "passed"),
    [
        ("retrieval_recall", 0.501, True),
        ("retrieval_recall", 0.5, False),
        ("retrieval_recall", 0.5 + 1e-15, False),
        ("retrieval_recall", 0.49, False),
        ("hallucination_rate", 0.09, True),
        ("hallucination_rate", 0.1, False),
        ("hallucination_rate", 0.11, False),
    ],
)
def test_gate__directional__wants_the_goals_metric_to_move_the_right_way(
    metric: str, value: float, passed: bool
) -> None:
    assert decided({metric: value}, metric=metric).passed is passed


def test_gate__goals_metric_not_measured__refuses() -> None:
    decision = decided({"retrieval_recall": None})
    assert (decision.passed, decision.reason) == (False, "retrieval recall cannot be measured on the golden set")


@pytest.mark.parametrize(("last", "passed"), [(0.35, True), (0.25, False), (None, False)])
def test_gate__goal_of_one_category__that_category_must_move_the_right_way(last: float | None, passed: bool) -> None:
    decision = gate(
        before=BEFORE,
        after={**BEFORE, "retrieval_recall": 0.6},
        metric="retrieval_recall",
        mode="directional",
        category=CategoryValues("temporal", 0.3, last),
    )
    assert decision.passed is passed
    assert "retrieval recall of temporal questions" in decision.reason


@pytest.mark.parametrize(
    ("after", "passed"),
    [
        ({}, False),
        ({"retrieval_recall": 0.52}, False),
        ({"retrieval_recall": 0.53}, True),
        ({"retrieval_precision": 0.63}, True),
        ({"hallucination_rate": 0.09}, False),
        ({"hallucination_rate": 0.08}, True),
        ({"context_utilization": 0.83}, True),
    ],
)
def test_gate__strict__wants_one_improvement_beyond_the_missions_least(after: Values, passed: bool) -> None:
    assert decided(after, mode="strict").passed is passed


def test_gate__not_worse__passes_without_any_improvement() -> None:
    assert decided({"retrieval_recall": 0.48}, mode="not_worse", metric="token_cost").passed


def test_gate__any_decision__carries_before_after_and_difference() -> None:
    row = decided({"retrieval_recall": 0.75}).to_json()["rows"]["retrieval_recall"]
    assert row == {"before": 0.5, "after": 0.75, "difference": 0.25}


# --- failures and what cannot be measured ----------------------------------------------------------------------------

COUNTS = {"error_rate": 100, "retrieval_recall": 80, "hallucination_rate": 80}


def test_priced__failed_runs__count_as_the_worst_there_is() -> None:
    found = failures_priced({"error_rate": 0.2, "retrieval_recall": 0.5, "hallucination_rate": 0.1}, COUNTS)
    assert (found["retrieval_recall"], found["hallucination_rate"]) == pytest.approx((0.4, 0.28))


def test_priced__nothing_failed__changes_nothing() -> None:
    measured = {"error_rate": 0.0, "retrieval_recall": 0.5, "retrieval_precision": None}
    assert failures_priced(measured, COUNTS) == measured


def test_gate__hard_questions_failed_under_the_variant__is_no_gain() -> None:
    after = {**BEFORE, "retrieval_recall": 0.6, "error_rate": 0.2}
    counts = {**dict.fromkeys(BEFORE, 80), "error_rate": 100}
    assert gate(before=BEFORE, after=after, metric="retrieval_recall", mode="directional").passed
    assert not gate(
        before=BEFORE, after=failures_priced(after, counts), metric="retrieval_recall", mode="directional"
    ).passed


def test_gate__measured_before_and_not_after__refuses() -> None:
    decision = decided({"retrieval_precision": None}, mode="not_worse")
    assert decision.reason == "retrieval precision cannot be measured on the golden set"
    assert not decision.passed


def test_degradations__memory_of_another_user__is_one_whatever_else_improves() -> None:
    after = {**BEFORE, "retrieval_recall": 0.9, "isolation_violations": 1.0}
    assert degradations(before=BEFORE, after=after) == ["memories of another user reached golden answers (1)"]


def test_averaged__several_looks_at_the_same__are_one_look_at_their_mean() -> None:
    looks = [
        {"retrieval_recall": 0.4, "hallucination_rate": 0.10},
        {"retrieval_recall": 0.5, "hallucination_rate": 0.16},
    ]
    assert averaged(looks) == pytest.approx({"retrieval_recall": 0.45, "hallucination_rate": 0.13})


def test_averaged__metric_that_one_look_lacks__is_lacking() -> None:
    assert averaged([{"retrieval_recall": 0.4}, {"retrieval_recall": None}]) == {"retrieval_recall": None}


def test_degradations__one_unlucky_look_of_two__is_no_degradation() -> None:
    before = averaged([{"hallucination_rate": 0.134}, {"hallucination_rate": 0.134}])
    assert (
        degradations(before=before, after=averaged([{"hallucination_rate": 0.188}, {"hallucination_rate": 0.161}]))
        == []
    )
    assert degradations(before=before, after={"hallucination_rate": 0.188}) != []


@pytest.mark.parametrize("mode", ["directional", "strict", "not_worse"])
@pytest.mark.parametrize(
    ("metric", "asks"), [("token_cost", "not_worse"), ("latency_p95", "not_worse"), ("retrieval_recall", None)]
)
def test_mode__goal_about_cost_or_latency__asks_golden_for_quality_that_holds(
    mode: str, metric: str, asks: str | None
) -> None:
    assert mode_for(metric, mode) == (asks or mode)


# --- a judge that does not count ---

DOUBT = {"hallucination_rate": "judge rules-1 on hallucination: κ 0.20 of 60 labels is below the 0.6"}


def doubted(after: Values, *, metric: str = "retrieval_recall", mode: str = "directional") -> GateDecision:
    return gate(before=BEFORE, after={**BEFORE, **after}, metric=metric, mode=mode, distrusted=DOUBT)


@pytest.mark.parametrize("mode", ["directional", "strict", "not_worse"])
def test_gate__judge_does_not_count__applies_nothing_that_needs_its_word(mode: str) -> None:
    decision = doubted({"retrieval_recall": 0.7, "hallucination_rate": 0.0}, mode=mode)
    assert not decision.passed
    assert decision.reason == f"hallucination does not count on the golden set: {DOUBT['hallucination_rate']}"


def test_gate__judge_does_not_count__refuses_by_ids_before_it_speaks_of_the_judge() -> None:
    decision = doubted({"retrieval_recall": 0.3, "hallucination_rate": 0.9})
    assert "retrieval recall falls" in decision.reason
    assert "hallucination" not in decision.reason


def test_degradations__judge_does_not_count__says_nothing_of_its_metric() -> None:
    worse = {**BEFORE, "hallucination_rate": 0.9}
    assert degradations(before=BEFORE, after=worse) != []
    assert degradations(before=BEFORE, after=worse, distrusted=DOUBT) == []
    assert degradations(before=BEFORE, after={**BEFORE, "hallucination_rate": None}, distrusted=DOUBT) == []
