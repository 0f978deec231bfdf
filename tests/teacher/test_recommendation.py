"""A verdict into an action, with what was gained and given up in words made from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.evaluation import CriterionResult, Evaluation, HealthCheck, Verdict
from contracts.parameters import ParameterChange
from contracts.recommendation import Recommendation
from teacher.recommendation import recommend

CHANGE = ParameterChange(param="retrieval.top_k", from_value=3, to_value=2)


def criterion(metric: str, direction: str, estimate: float | None, passes: bool = True, **more: Any) -> CriterionResult:
    return CriterionResult.model_validate(
        {
            "metric": metric, "direction": direction, "estimate": estimate, "passes": passes, "p_value": 0.01,
            "low": None if estimate is None else estimate - 0.01, "high": None if estimate is None else estimate + 0.01,
            "method": "t", "reason": "its own reason", "n": 100, "baseline_value": 0.4, **more,
        }
    )  # fmt: skip


GOAL = criterion("retrieval_precision", "increase", 0.05)


def recommended(
    *criteria: CriterionResult,
    verdict: Verdict = Verdict.WINNER,
    by_category: Mapping[str, Mapping[str, float | int]] | None = None,
    metric: str = "retrieval_precision",
    change: ParameterChange = CHANGE,
    **more: Any,
) -> Recommendation:
    evaluation = Evaluation(
        experiment_id="e1", variant="variant", verdict=verdict, criteria=criteria or (GOAL,), n=100,
        **{"health": (), "needs_n": None, **more},
    )  # fmt: skip
    return recommend(evaluation=evaluation, change=change, metric=metric, by_category=by_category or {})


def test_recommend__winner__asks_for_the_change_and_says_how_to_undo_it() -> None:
    found = recommended()

    assert (found.action, found.experiment_id, found.changes) == ("update_params", "e1", (CHANGE,))
    assert found.reason == "Retrieval precision +.050 [+.040, +.060]; every guard holds"
    assert {name: (item.delta_threshold, item.cycles) for name, item in found.rollback_conditions.items()} == {
        "retrieval_precision": (-0.10, 3),
        "hallucination_rate": (0.05, 2),
    }


@pytest.mark.parametrize(
    ("metric", "direction", "estimate", "start", "threshold"),
    [("retrieval_recall", "increase", 0.05, 0.4, -0.04), ("token_cost", "decrease", -0.1, 0.002, 0.0002)],
)
def test_recommend__winner_on_another_metric__is_undone_when_a_tenth_of_its_value_is_lost(
    metric: str, direction: str, estimate: float, start: float, threshold: float
) -> None:
    found = recommended(criterion(metric, direction, estimate, baseline_value=start), metric=metric)

    condition = found.rollback_conditions[metric]
    assert condition.delta_threshold == pytest.approx(threshold)
    assert condition.cycles == 1


@pytest.mark.parametrize("verdict", [Verdict.LOSER, Verdict.INCONCLUSIVE])
def test_recommend__no_winner__keeps_what_is_active(verdict: Verdict) -> None:
    found = recommended(criterion("retrieval_precision", "increase", 0.01, False), verdict=verdict)

    assert (found.action, found.changes, found.rollback_conditions) == ("keep", (), {})
    assert found.reason.endswith("; its own reason")


def test_recommend__loser__suggests_the_other_way() -> None:
    found = recommended(criterion("retrieval_precision", "increase", -0.05, False), verdict=Verdict.LOSER)

    assert found.next_steps == ("try retrieval.top_k the other way, or another factor",)


def test_recommend__too_few_examples__says_how_many_would_decide() -> None:
    found = recommended(
        criterion("retrieval_precision", "increase", 0.02, False), verdict=Verdict.INCONCLUSIVE, needs_n=900
    )

    assert found.next_steps[0] == "with 900 examples the question could be decided"


def test_recommend__guard_fails__is_what_the_reason_names() -> None:
    guard = criterion("retrieval_recall", "no_large_drop", -0.08, False, reason="falls beyond the margin")

    found = recommended(GOAL, guard, verdict=Verdict.LOSER)

    assert found.reason.endswith("; but retrieval recall: falls beyond the margin")


def test_recommend__goal_undecided_and_a_guard_harmed__names_what_made_it_a_loser() -> None:
    goal = criterion("hallucination_rate", "decrease", 0.0, False, reason="no significant decrease")
    short = criterion("retrieval_recall", "no_large_drop", -0.02, False, reason="the bound lies beyond the margin")
    harmed = criterion(
        "retrieval_precision", "no_large_drop", -0.2, False, reason="the whole interval does", failed_significantly=True
    )

    found = recommended(goal, short, harmed, verdict=Verdict.LOSER, metric="hallucination_rate")

    assert found.reason.endswith("; but retrieval precision: the whole interval does")


def test_recommend__unsound_experiment__says_so_before_all_else() -> None:
    check = HealthCheck(name="pairs", ok=False, detail="a third of the pairs is missing")

    found = recommended(verdict=Verdict.INCONCLUSIVE, health=(check,))

    assert found.reason.endswith("; the experiment is not sound: a third of the pairs is missing")


def test_recommend__nothing_could_be_inferred__gives_the_criterions_reason() -> None:
    found = recommended(criterion("retrieval_precision", "increase", None, False), verdict=Verdict.INCONCLUSIVE)

    assert found.reason == "its own reason"


def test_recommend__guards_only__has_nothing_to_gain() -> None:
    found = recommended(criterion("retrieval_recall", "no_large_drop", 0.0))

    assert (found.action, found.reason) == ("keep", "only guards were tested")


def test_recommend__gained__names_the_two_categories_that_gained_most() -> None:
    differences = {
        "factual": {"n": 40, "difference": 0.02}, "temporal": {"n": 20, "difference": 0.12},
        "multi-hop": {"n": 20, "difference": 0.06}, "negative": {"n": 20, "difference": -0.01},
    }  # fmt: skip

    found = recommended(by_category=differences)

    assert found.gained == "retrieval precision +.050, most in temporal (+.120) and multi-hop (+.060)"
    assert found.given_up == "retrieval precision in negative (−.010)"


def test_recommend__latency_by_category__is_told_in_its_unit_not_as_a_ratio() -> None:
    goal = criterion("latency_ms", "decrease", -0.05)

    found = recommended(goal, metric="latency_p95", by_category={"factual": {"n": 9, "difference": -52.0}})

    assert found.gained == "latency −5.0 %, most in factual (−52 ms)"


def test_recommend__given_up__is_what_fell_within_its_margin() -> None:
    found = recommended(
        GOAL,
        criterion("retrieval_recall", "no_large_drop", -0.02, margin=0.03),
        criterion("token_cost", "no_large_rise", 0.04, margin=0.1),
        criterion("hallucination_rate", "no_large_rise", -0.02, margin=0.05),
    )

    assert found.given_up == "retrieval recall −.020 of .030 allowed; cost per request +4.0 % of 10 % allowed"
    assert found.acceptable_because == (
        "every guard holds: retrieval recall −.030 at worst of −.030 allowed; cost per request +5.0 % at worst of "
        "+10.0 % allowed; hallucination −.010 at worst of +.050 allowed"
    )


def test_recommend__no_guard__says_that_nothing_was_guarded() -> None:
    assert recommended().acceptable_because == "nothing was to be guarded"


def test_recommend__nothing_fell__says_so() -> None:
    assert recommended().given_up == "nothing that was measured"


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [
        (3, 2, "try retrieval.top_k further in the same direction"),
        (True, False, "with retrieval.top_k at False, look at the other factors anew"),
    ],
)
def test_recommend__winner__says_where_to_look_next(before: Any, after: Any, step: str) -> None:
    change = ParameterChange(param="retrieval.top_k", from_value=before, to_value=after)

    assert recommended(change=change).next_steps == (step,)


def test_recommend__any_verdict__can_be_written_and_read_as_the_mission_says() -> None:
    for verdict in Verdict:
        found = recommended(verdict=verdict)
        assert Recommendation.from_mission_json(found.to_mission_json()) == found


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [
        (0.0, 0.2, "try another factor"),
        (False, True, "try another factor"),
        ("tags", "hybrid", "try another value of retrieval.top_k, or another factor"),
    ],
)
def test_recommend__loser_without_another_way__sends_elsewhere(
    before: float | str, after: float | str, step: str
) -> None:
    change = ParameterChange(param="retrieval.top_k", from_value=before, to_value=after)
    assert recommended(verdict=Verdict.LOSER, change=change).next_steps == (step,)


def test_recommend__examples_out_of_reach__are_not_asked_for() -> None:
    found = recommended(verdict=Verdict.INCONCLUSIVE, needs_n=187_080)
    assert found.next_steps == ("an effect as small as this would take 187080 examples: try another factor",)
