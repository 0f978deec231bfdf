"""Guards and the choice of one experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.experiment_spec import SuccessCriterion
from contracts.goal import Constraint, Target
from teacher.designer import (
    NoPlan,
    PlannedExperiment,
    Screened,
    plan_choose,
)
from teacher.designer.guards import guard_criteria
from teacher.domain.gaps import Measured
from tests.teacher.plans import (
    CURRENT,
    HALLUCINATION,
    PRECISION,
    RECALL,
    candidate,
    difference,
    planned,
    request,
    screened,
)


def guards(
    *constraints: Constraint,
    focus: str = PRECISION,
    start: Mapping[str, float] | None = None,
    now: Mapping[str, float] | None = None,
) -> dict[str, SuccessCriterion]:
    current = Measured(metrics={**CURRENT, **(now or {})})
    found = guard_criteria(
        focus=focus, constraints=constraints, start=Measured(metrics=start) if start else current, current=current
    )
    return {item.metric: item for item in found}


def test_guards__without_constraints__hold_other_quality_and_leave_room_for_cost_and_latency() -> None:
    found = guards()

    assert {name: (item.direction, item.max_delta) for name, item in found.items()} == {
        RECALL: ("no_large_drop", -0.05),
        HALLUCINATION: ("no_large_rise", 0.05),
        "token_cost": ("no_large_rise", 1.0),
        "latency_ms": ("no_large_rise", 1.0),
    }


@pytest.mark.parametrize(("cost", "room"), [(0.001, 1.0), (0.008, 0.125), (0.0095, 0.1), (0.02, 0.1)])
def test_guards__cost_near_its_target__may_rise_by_half_of_what_is_left(cost: float, room: float) -> None:
    assert guards(now={"token_cost": cost})["token_cost"].max_delta == pytest.approx(room)


@pytest.mark.parametrize(("wanted", "margin"), [(None, -0.1), (0.75, -0.05), (0.55, -0.25)])
def test_guards__metric_better_than_its_target__gives_up_the_surplus_and_the_goals_own_target_comes_first(
    wanted: float | None, margin: float
) -> None:
    now = Measured(metrics={**CURRENT, RECALL: 0.8})
    targets = [] if wanted is None else [Target(metric=RECALL, direction="increase", value=wanted)]
    found = guard_criteria(focus=PRECISION, constraints=[], start=now, current=now, targets=targets)

    assert next(item for item in found if item.metric == RECALL).max_delta == pytest.approx(margin)


def test_guards__focus__is_never_its_own_guard() -> None:
    assert RECALL not in guards(focus=RECALL)
    assert "token_cost" not in guards(focus="token_cost")
    assert "latency_ms" not in guards(focus="latency_p95")
    assert PRECISION not in guards(Constraint(metric=PRECISION, kind="no_large_drop", value=0.01))


@pytest.mark.parametrize(
    ("kind", "value", "start", "now", "margin"),
    [
        ("no_large_drop", 0.03, 0.6, 0.6, -0.03),
        ("no_large_drop", 0.03, 0.6, 0.65, -0.08),
        ("no_large_drop", 0.03, 0.6, 0.58, -0.01),
        ("no_large_drop", 0.03, 0.6, 0.5, -0.005),
        ("no_large_drop", None, 0.6, 0.6, -0.03),
        ("no_large_drop", -0.03, 0.6, 0.6, -0.03),
        ("min", 0.55, 0.7, 0.6, -0.05),
        ("min", 0.65, 0.7, 0.6, -0.005),
    ],
)
def test_guards__constraint_on_what_should_not_fall__leaves_what_is_left_since_the_start(
    kind: Any, value: float | None, start: float, now: float, margin: float
) -> None:
    found = guards(Constraint(metric=RECALL, kind=kind, value=value), start={RECALL: start}, now={RECALL: now})

    assert found[RECALL].direction == "no_large_drop"
    assert found[RECALL].max_delta == pytest.approx(margin)


@pytest.mark.parametrize(
    ("kind", "value", "start", "now", "margin"),
    [
        ("no_large_rise", 0.02, 0.1, 0.1, 0.02),
        ("no_large_rise", 0.02, 0.1, 0.08, 0.04),
        ("no_large_rise", 0.02, 0.1, 0.11, 0.01),
        ("max", 0.15, 0.05, 0.1, 0.05),
        ("max", 0.05, 0.05, 0.1, 0.005),
    ],
)
def test_guards__constraint_on_what_should_not_rise__leaves_what_is_left_since_the_start(
    kind: Any, value: float, start: float, now: float, margin: float
) -> None:
    found = guards(
        Constraint(metric=HALLUCINATION, kind=kind, value=value), start={HALLUCINATION: start}, now={HALLUCINATION: now}
    )

    assert found[HALLUCINATION].direction == "no_large_rise"
    assert found[HALLUCINATION].max_delta == pytest.approx(margin)


def test_guards__constraint_on_cost__is_a_ratio_and_counts_what_was_spent_before() -> None:
    constraint = Constraint(metric="token_cost", kind="no_large_rise", value=0.2)

    assert guards(constraint, start={"token_cost": 0.002})["token_cost"].max_delta == pytest.approx(0.2)
    assert guards(constraint, start={"token_cost": 0.0016})["token_cost"].max_delta == pytest.approx(0.005)
    assert guards(constraint, start={"token_cost": 0.00182})["token_cost"].max_delta == pytest.approx(0.1011)


def test_guards__limit_of_latency__becomes_a_ratio_of_the_latency_of_one_run() -> None:
    found = guards(Constraint(metric="latency_p95", kind="max", value=3000.0), now={"latency_p95": 2400.0})

    assert found["latency_ms"].max_delta == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("start", "now", "margin"), [(1000.0, 1000.0, 0.25), (1000.0, 1100.0, 0.15), (1000.0, 1400.0, 0.005)]
)
def test_guards__rise_of_latency_allowed_in_ms__becomes_a_ratio_too(start: float, now: float, margin: float) -> None:
    constraint = Constraint(metric="latency_p95", kind="no_large_rise", value=250.0)
    found = guards(constraint, start={"latency_p95": start}, now={"latency_p95": now})

    assert found["latency_ms"].max_delta == pytest.approx(margin)


def test_guards__two_constraints_on_one_metric__the_tighter_holds_whatever_their_order() -> None:
    both = [
        Constraint(metric=RECALL, kind="min", value=0.2),
        Constraint(metric=RECALL, kind="no_large_drop", value=0.03),
    ]

    assert guards(*both)[RECALL].max_delta == guards(*reversed(both))[RECALL].max_delta == pytest.approx(-0.03)


def test_guards__constraint_on_mean_latency__is_held_though_passes_measure_percentiles_only() -> None:
    found = guards(Constraint(metric="latency_ms", kind="no_large_rise", value=0.05), now={"latency_p50": 800.0})

    assert found["latency_ms"].max_delta == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("metric", "value", "margin"),
    [(RECALL, 0.9, -0.2), (RECALL, 0.72, -0.05), (RECALL, 0.3, -0.05), ("context_utilization", 0.98, -0.08)],
)
def test_guards__metric_beyond_its_general_target__may_give_up_the_surplus(
    metric: str, value: float, margin: float
) -> None:
    assert guards(now={metric: value})[metric].max_delta == pytest.approx(margin)


def test_guards__constraint_of_the_goal__holds_however_large_the_surplus() -> None:
    found = guards(Constraint(metric=RECALL, kind="no_large_drop", value=0.01), now={RECALL: 0.95})

    assert found[RECALL].max_delta == pytest.approx(-0.01)


def test_guards__constraint_on_what_is_not_measured__is_left_out() -> None:
    assert "user_satisfaction" not in guards(Constraint(metric="user_satisfaction", kind="min", value=4.0))


# --- the choice -------------------------------------------------------------------------------------------------------


def test_plan__several_steps__takes_the_best_promise() -> None:
    plan = planned(
        screened("a", **{PRECISION: 0.02}), screened("b", **{PRECISION: 0.06}), screened("c", **{PRECISION: 0.04})
    )

    assert plan.change.param == "b"
    assert plan.expected_effect == pytest.approx(0.06)


def test_plan__uncertain_step__gives_way_to_a_sure_one() -> None:
    unsure = screened("unsure", **{PRECISION: difference(0.06, error=0.06)})

    assert planned(unsure, screened("sure", **{PRECISION: difference(0.05, error=0.01)})).change.param == "sure"


def test_plan__step_that_breaks_a_guard__gives_way_to_a_harmless_one() -> None:
    harmful = screened("harmful", **{PRECISION: 0.10, RECALL: -0.12})

    assert planned(harmful, screened("harmless", **{PRECISION: 0.04, RECALL: -0.04})).change.param == "harmless"


@pytest.mark.parametrize(("broken", "chosen"), [(-0.069, "harmful"), (-0.071, "harmless")])
def test_plan__what_a_step_breaks_beyond_a_margin__counts_twice(broken: float, chosen: str) -> None:
    """A gain .04 larger is undone by .02 beyond the margin of .05."""
    harmful = screened("harmful", **{PRECISION: 0.08, RECALL: broken})

    assert planned(harmful, screened("harmless", **{PRECISION: 0.04})).change.param == chosen


def test_plan__gain_no_larger_than_half_its_error__is_no_plan() -> None:
    assert isinstance(plan_choose(request(), [screened("a", **{PRECISION: difference(0.02, error=0.04)})]), NoPlan)


def test_plan__nothing_promises_enough__exploring_tests_the_best_gain_all_the_same() -> None:
    weak = screened("weak", **{PRECISION: difference(0.02, error=0.06)})
    plan = plan_choose(request(), [weak, screened("harmful", **{PRECISION: 0.1, RECALL: -0.4})], explore=True)

    assert isinstance(plan, PlannedExperiment)
    assert plan.change.param == "weak"


def test_plan__no_gain_at_all__exploring_finds_no_plan_either() -> None:
    assert isinstance(plan_choose(request(), [screened("a", **{PRECISION: -0.01})], explore=True), NoPlan)


def test_plan__just_enough_validation_questions__says_nothing_of_too_few() -> None:
    plan = planned(screened("k", **{PRECISION: difference(0.05, deviation=0.4)}), n=502)

    assert "fewer" not in plan.rationale


def test_plan__lower_is_better__takes_the_step_that_falls_furthest() -> None:
    plan = planned(
        screened("up", **{HALLUCINATION: 0.05}), screened("down", **{HALLUCINATION: -0.05}), metric=HALLUCINATION
    )

    assert (plan.change.param, plan.direction) == ("down", "decrease")
    assert plan.spec.success_criteria[0].direction == "decrease"


@pytest.mark.parametrize("items", [[], [screened("a", **{PRECISION: -0.01})], [screened("a", **{RECALL: 0.2})]])
def test_plan__nothing_improves__is_no_plan(items: list[Screened]) -> None:
    plan = plan_choose(request(), items)

    assert isinstance(plan, NoPlan)
    assert f"none of {len(items)} screened steps improved retrieval precision" in plan.reason


def test_plan__only_gain_breaks_a_guard__is_no_plan_that_names_the_step() -> None:
    plan = plan_choose(request(), [screened("a", **{PRECISION: 0.02, RECALL: -0.2})])

    assert isinstance(plan, NoPlan)
    assert "a goes from 3 to 2" in plan.reason


def test_plan__spec__has_one_factor_two_arms_the_goal_first_and_then_guards() -> None:
    constraint = Constraint(metric=RECALL, kind="no_large_drop", value=0.03)

    plan = planned(screened("k", **{PRECISION: 0.06}), constraints=(constraint,), start={**CURRENT, RECALL: 0.61})

    spec = plan.spec
    assert [(arm.name, arm.params) for arm in spec.variants] == [("baseline", {"k": 3}), ("variant", {"k": 2})]
    first, *others = spec.success_criteria
    assert (first.metric, first.direction) == (PRECISION, "increase")
    assert first.min_delta == pytest.approx(0.015)
    assert all(item.is_guard for item in others)
    assert next(item.max_delta for item in others if item.metric == RECALL) == pytest.approx(-0.02)
    assert (spec.assignment.mode, spec.dataset, spec.seed, spec.expected_n) == ("paired", "bundled", 7, 400)


def test_plan__large_promise__asks_for_a_min_delta_of_two_points_at_most() -> None:
    assert planned(screened("k", **{PRECISION: 0.4})).spec.success_criteria[0].min_delta == 0.02


def test_plan__cost__asks_for_a_ratio_as_the_statistics_count_it() -> None:
    plan = planned(screened("k", token_cost=difference(-0.0001, error=0.00001)), metric="token_cost")

    assert plan.spec.success_criteria[0].min_delta == pytest.approx(0.0125)  # a quarter of 0.0001 / 0.002


def test_plan__percentile_of_latency__is_tested_on_the_latency_of_each_run() -> None:
    plan = planned(screened("k", latency_ms=difference(-16.0, error=1.0)), metric="latency_p50")

    assert (plan.metric, plan.spec.success_criteria[0].metric) == ("latency_p50", "latency_ms")
    assert plan.spec.success_criteria[0].min_delta == pytest.approx(0.01)  # a quarter of 16 / 400


def test_plan__too_few_validation_questions__says_how_many_it_would_need() -> None:
    plan = planned(screened("k", **{PRECISION: difference(0.05, deviation=0.4)}), n=100)

    assert plan.needs_n == 502  # ((1.96 + 0.84) × 0.4 / 0.05)² = 501.76
    assert "100 validation questions are fewer than the 502" in plan.rationale


def test_plan__approval_that_the_step_needs__is_carried_on() -> None:
    item = Screened(candidate("k", needs_approval=("too far",)), {PRECISION: difference(0.05)})

    assert planned(item).needs_approval == ("too far",)


def test_plan__hypothesis__says_step_metric_guards_and_evidence() -> None:
    text = planned(screened("k", **{PRECISION: 0.05})).hypothesis

    assert text.startswith("If k goes from 3 to 2, then retrieval precision rises while retrieval recall")
    assert "on 100 train questions the step moved retrieval precision by +.050 (standard error .010)" in text


def test_plan__hypothesis__says_where_it_holds_and_how_many_questions_power_needs() -> None:
    text = planned(screened("k", **{PRECISION: difference(0.05, deviation=0.2)})).hypothesis

    assert "on bundled with all else as in version 1, because" in text
    assert "80 % power needs 126 of the 400 validation questions" in text
