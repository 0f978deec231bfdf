"""Is the active version worse than it was when it was accepted? Pure; the Manager acts on the answer.

Source: `shared/spec/reference.md`, "Degradation rules".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from contracts.metric import METRICS, MetricDefinition
from contracts.recommendation import RollbackCondition

History = Sequence[Mapping[str, float | None]]
"""One mapping metric -> value per cycle since the activation, oldest first; None or absent: not measured then."""


@dataclass(frozen=True)
class DegradationRule:
    """Broken when the metric is beyond its limit in each of the last `cycles` cycles.

    `drop` and `rise` are distances from the baseline, `above` is the value itself; all in the metric's unit.
    """

    name: str
    metric: str
    kind: Literal["drop", "rise", "above"]
    limit: float
    cycles: int


RULES: tuple[DegradationRule, ...] = (
    DegradationRule("precision_fell", "retrieval_precision", "drop", 0.10, 3),
    DegradationRule("hallucination_rose", "hallucination_rate", "rise", 0.05, 2),
    DegradationRule("too_slow", "latency_p95", "above", 5000.0, 5),
    DegradationRule("too_many_errors", "error_rate", "above", 0.10, 1),
)
GOAL_WORSE_BY = 0.10
NO_IMPROVEMENT_CYCLES = 3


@dataclass(frozen=True)
class DegradationSignal:
    """One broken rule: what was seen last, the value it had to stay on the right side of, and for how many cycles."""

    rule: str
    metric: str
    observed: float
    limit: float
    cycles: int
    message: str


@dataclass(frozen=True)
class DegradationInput:
    """What is known of one version.

    `baseline`: its metrics when it was accepted. `history`: since then. `goal_metrics`: what the campaign wants to
    move. `predecessor`: the metrics of the version that it replaced, on the same kind of data; without them the rule
    of missing improvement is not asked. `conditions`: the recommendation's own rules, signed distances per metric.
    """

    baseline: Mapping[str, float | None]
    history: History
    goal_metrics: Sequence[str] = ()
    predecessor: Mapping[str, float | None] = field(default_factory=dict)
    conditions: Mapping[str, RollbackCondition] = field(default_factory=dict)


def evaluate(given: DegradationInput) -> list[DegradationSignal]:
    """Every rule that is broken now; empty when the version may stay.

    A rule over several cycles needs that many measured in a row: what was not measured breaks no rule.
    """
    rules = [*RULES, *_own_rules(given.conditions)]
    found = [signal for rule in rules if (signal := _broken(rule, given.baseline, given.history)) is not None]
    for metric in dict.fromkeys(given.goal_metrics):
        signal = _goal_worse(metric, given.baseline, given.history)
        if signal is not None:
            found.append(signal)
    missing = _no_improvement(given)
    return found if missing is None else [*found, missing]


def _last(history: History, metric: str, cycles: int) -> list[float] | None:
    """The last `cycles` values, or None when there are fewer or one of them was not measured."""
    values = [cycle.get(metric) for cycle in history[-cycles:]]
    measured = [value for value in values if value is not None]
    return measured if len(measured) == cycles else None


def _own_rules(conditions: Mapping[str, RollbackCondition]) -> list[DegradationRule]:
    return [
        DegradationRule(
            f"recommendation:{metric}",
            metric,
            "drop" if condition.delta_threshold < 0 else "rise",
            abs(condition.delta_threshold),
            condition.cycles,
        )
        for metric, condition in conditions.items()
    ]


def _broken(rule: DegradationRule, baseline: Mapping[str, float | None], history: History) -> DegradationSignal | None:
    values = _last(history, rule.metric, rule.cycles)
    base = baseline.get(rule.metric)
    if values is None or (base is None and rule.kind != "above"):
        return None
    if rule.kind == "above":
        limit = rule.limit
        broken = min(values) > limit + _EPSILON
    elif rule.kind == "rise":
        limit = (base or 0.0) + rule.limit
        broken = min(values) >= limit - _EPSILON
    else:
        limit = (base or 0.0) - rule.limit
        broken = max(values) <= limit + _EPSILON
    if not broken:
        return None
    side = "at or below" if rule.kind == "drop" else "at or above" if rule.kind == "rise" else "above"
    return DegradationSignal(
        rule=rule.name,
        metric=rule.metric,
        observed=values[-1],
        limit=limit,
        cycles=rule.cycles,
        message=f"{rule.metric} was {side} {limit:g} for {_cycles(rule.cycles)}, last {values[-1]:g}",
    )


def _goal_worse(metric: str, baseline: Mapping[str, float | None], history: History) -> DegradationSignal | None:
    values, base, definition = _last(history, metric, 1), baseline.get(metric), METRICS.get(metric)
    if values is None or base is None or definition is None:
        return None
    margin = GOAL_WORSE_BY * abs(base)
    limit = base - margin if definition.higher_is_better else base + margin
    if _gain(definition, values[0], limit) >= -_EPSILON:
        return None
    return DegradationSignal(
        rule="goal_metric_worse",
        metric=metric,
        observed=values[0],
        limit=limit,
        cycles=1,
        message=f"{metric} of the goal is {values[0]:g}, more than {GOAL_WORSE_BY:.0%} worse than {base:g}",
    )


def _no_improvement(given: DegradationInput) -> DegradationSignal | None:
    """No goal metric better than the predecessor's in any of the last cycles; each must have been measured."""
    judged: list[tuple[str, float, float]] = []
    for metric in dict.fromkeys(given.goal_metrics):
        values, before = _last(given.history, metric, NO_IMPROVEMENT_CYCLES), given.predecessor.get(metric)
        definition = METRICS.get(metric)
        if values is None or before is None or definition is None:
            return None
        if any(_gain(definition, value, before) > _EPSILON for value in values):
            return None
        judged.append((metric, values[-1], before))
    if not judged:
        return None
    metric, observed, before = judged[0]
    return DegradationSignal(
        rule="no_improvement",
        metric=metric,
        observed=observed,
        limit=before,
        cycles=NO_IMPROVEMENT_CYCLES,
        message=f"no goal metric improved in {NO_IMPROVEMENT_CYCLES} cycles: {metric} {observed:g}, before {before:g}",
    )


def _gain(definition: MetricDefinition, value: float, reference: float) -> float:
    return value - reference if definition.higher_is_better else reference - value


def _cycles(number: int) -> str:
    return "1 cycle" if number == 1 else f"{number} cycles"


_EPSILON = 1e-9
