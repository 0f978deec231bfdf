"""Recommendation Generator: a verdict into an action for the Tuner, with the trade-off in words made from numbers."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.evaluation import CriterionResult, Evaluation, Verdict
from contracts.metric import METRICS
from contracts.parameters import ParameterChange
from contracts.recommendation import Recommendation, RollbackCondition
from teacher.domain.wording import amount, change_of, interval, signed

_STANDING = {
    "retrieval_precision": RollbackCondition(delta_threshold=-0.10, cycles=3),
    "hallucination_rate": RollbackCondition(delta_threshold=0.05, cycles=2),
}
_WORSE_BY = 0.10
_OUT_OF_REACH = 10
"""So many times the examples at hand is nothing to wait for."""


def recommend(
    *,
    evaluation: Evaluation,
    change: ParameterChange,
    metric: str,
    by_category: Mapping[str, Mapping[str, float | int]],
) -> Recommendation:
    """What should happen after this verdict: only a winner asks for a change, and asking is all that this does."""
    goal = next((item for item in evaluation.criteria if item.direction in ("increase", "decrease")), None)
    reason = reason_text(evaluation, goal)
    if evaluation.verdict is not Verdict.WINNER or goal is None:
        return Recommendation(
            action="keep",
            experiment_id=evaluation.experiment_id,
            reason=reason,
            next_steps=_next_steps(evaluation, change, goal),
        )
    return Recommendation(
        action="update_params",
        experiment_id=evaluation.experiment_id,
        reason=reason,
        changes=(change,),
        rollback_conditions=_conditions(metric, goal),
        gained=_gained(goal, by_category),
        given_up=_given_up(evaluation, by_category),
        acceptable_because=_acceptable(evaluation),
        next_steps=(_further(change),),
    )


def _further(change: ParameterChange) -> str:
    if isinstance(change.to_value, bool | str):
        return f"with {change.param} at {change.to_value}, look at the other factors anew"
    return f"try {change.param} further in the same direction"


def reason_text(evaluation: Evaluation, goal: CriterionResult | None) -> str:
    """One sentence: what moved, by how much, how sure, and what decided."""
    if goal is None or goal.estimate is None:
        return goal.reason if goal is not None else "only guards were tested"
    title = METRICS[goal.metric].title if goal.metric in METRICS else goal.metric
    text = f"{title} {change_of(goal.metric, goal.estimate)} {interval(goal.metric, goal.low, goal.high)}"
    failing = [item for item in evaluation.criteria if not item.passes and item is not goal]
    unhealthy = [check for check in evaluation.health if check.blocks and not check.ok]
    if unhealthy:
        return f"{text}; the experiment is not sound: {unhealthy[0].detail or unhealthy[0].name}"
    if evaluation.verdict is Verdict.WINNER:
        return f"{text}; every guard holds"
    harmed = [item for item in failing if item.failed_significantly]
    if not goal.passes and (goal.failed_significantly or not harmed):
        return f"{text}; {goal.reason}"
    if failing:
        told = (harmed or failing)[0]
        name = METRICS[told.metric].title if told.metric in METRICS else told.metric
        return f"{text}; but {name.lower()}: {told.reason}"
    return text


def _conditions(metric: str, goal: CriterionResult) -> dict[str, RollbackCondition]:
    """The mission's standing conditions, and the goal's metric worse by a tenth of its value."""
    conditions = dict(_STANDING)
    value = goal.baseline_value
    if metric not in conditions and value:
        sign = -1.0 if METRICS[metric].higher_is_better else 1.0
        conditions[metric] = RollbackCondition(delta_threshold=round(sign * _WORSE_BY * abs(value), 4), cycles=1)
    return conditions


def _gained(goal: CriterionResult, by_category: Mapping[str, Mapping[str, float | int]]) -> str:
    title = METRICS[goal.metric].title.lower() if goal.metric in METRICS else goal.metric
    better_up = goal.direction == "increase"
    ranked = sorted(by_category.items(), key=lambda item: -float(item[1]["difference"]) * (1 if better_up else -1))
    best = [(name, row) for name, row in ranked if (float(row["difference"]) > 0) == better_up and row["difference"]][
        :2
    ]
    where = " and ".join(f"{name} ({signed(goal.metric, float(row['difference']))})" for name, row in best)
    return f"{title} {change_of(goal.metric, goal.estimate)}" + (f", most in {where}" if where else "")


def _given_up(evaluation: Evaluation, by_category: Mapping[str, Mapping[str, float | int]]) -> str:
    parts = []
    for item in evaluation.criteria:
        if item.direction not in ("no_large_drop", "no_large_rise") or item.estimate is None:
            continue
        worse = item.estimate < 0 if item.direction == "no_large_drop" else item.estimate > 0
        if worse:
            title = METRICS[item.metric].title.lower() if item.metric in METRICS else item.metric
            margin = f" of {amount(item.metric, abs(item.margin))} allowed" if item.margin is not None else ""
            if item.metric in METRICS and METRICS[item.metric].kind == "positive":
                margin = f" of {abs(item.margin) * 100:.0f} % allowed" if item.margin is not None else ""
            parts.append(f"{title} {change_of(item.metric, item.estimate)}{margin}")
    goal = next((item for item in evaluation.criteria if item.direction in ("increase", "decrease")), None)
    if goal is not None:
        better_up = goal.direction == "increase"
        losses = [
            f"{name} ({signed(goal.metric, float(row['difference']))})"
            for name, row in by_category.items()
            if (float(row["difference"]) < 0) == better_up and row["difference"]
        ]
        if losses:
            parts.append(f"{METRICS[goal.metric].title.lower()} in {', '.join(losses)}")
    return "; ".join(parts) or "nothing that was measured"


def _acceptable(evaluation: Evaluation) -> str:
    """How far each guard's bound stays from its margin, the nearest first: at worst so much, allowed so much."""
    held = []
    for item in evaluation.criteria:
        bound = item.low if item.direction == "no_large_drop" else item.high
        if item.direction not in ("no_large_drop", "no_large_rise") or bound is None or not item.margin:
            continue
        title = METRICS[item.metric].title.lower() if item.metric in METRICS else item.metric
        limit = abs(item.margin) * (-1 if item.direction == "no_large_drop" else 1)
        told = f"{title} {change_of(item.metric, bound)} at worst of {change_of(item.metric, limit)} allowed"
        held.append((-bound / limit, told))
    if not held:
        return "nothing was to be guarded"
    return f"every guard holds: {'; '.join(told for _, told in sorted(held))}"


def _next_steps(evaluation: Evaluation, change: ParameterChange, goal: CriterionResult | None) -> tuple[str, ...]:
    if evaluation.verdict is Verdict.LOSER:
        return (_elsewhere(change),)
    if evaluation.needs_n is not None and goal is not None and goal.n < evaluation.needs_n:
        if evaluation.needs_n > _OUT_OF_REACH * goal.n:
            return (f"an effect as small as this would take {evaluation.needs_n} examples: try another factor",)
        return (f"with {evaluation.needs_n} examples the question could be decided", "try another factor")
    return ("try another factor",)


def _elsewhere(change: ParameterChange) -> str:
    """After a loss; a value that was switched on from 0 has no other way."""
    if isinstance(change.to_value, bool) or change.from_value == 0:
        return "try another factor"
    if isinstance(change.to_value, str):
        return f"try another value of {change.param}, or another factor"
    return f"try {change.param} the other way, or another factor"
