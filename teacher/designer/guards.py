"""What an experiment must not break: the goal's constraints, the other primary metrics, cost and latency."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.experiment_spec import SuccessCriterion
from contracts.goal import Constraint, Target
from contracts.metric import METRICS
from teacher.domain.gaps import Measured, target_value

PRIMARY_MARGIN = 0.05
"""Allowed change of a primary or critical metric that the goal does not name: the golden gate's own margin. A metric
that stands better than its general target may also give up what lies beyond it."""

SMALLEST_MARGIN = 0.005
_GUARDED = ("retrieval_precision", "retrieval_recall", "hallucination_rate", "context_utilization")
_SOURCES = {"latency_p50": "latency_ms", "latency_p95": "latency_ms"}
"""Percentiles are guarded by the latency of one run, compared as a ratio; goals bound them in ms."""
_STANDS_FOR = {"latency_ms": "latency_p50"}
"""Passes measure percentiles only: the median says how the latency of one run stands."""


def guard_criteria(
    *,
    focus: str,
    constraints: Sequence[Constraint],
    start: Measured,
    current: Measured,
    targets: Sequence[Target] = (),
) -> list[SuccessCriterion]:
    """Guards for every metric but the focus: the goal's own first, then the primary ones, then cost and latency.

    A constraint of the goal is measured against the campaign's start: what earlier steps gained may be given back,
    what they lost is gone from the margin.
    """
    guards: dict[str, SuccessCriterion] = {}
    for constraint in constraints:
        guard = _from_constraint(constraint, start, current)
        if guard is not None and guard.metric != focus:
            guards[guard.metric] = min(guards.get(guard.metric, guard), guard, key=_room)
    for name in _GUARDED:
        value = current.value(name)
        if name != focus and name not in guards and value is not None:
            guards[name] = _guard(name, max(PRIMARY_MARGIN, _surplus(name, value, start, targets)))
    for name, limit_name in (("token_cost", "token_cost"), ("latency_ms", "latency_p50")):
        value = current.value(limit_name)
        if name not in guards and _SOURCES.get(focus, focus) != name and value:
            guards[name] = _guard(name, _headroom(value, METRICS[limit_name].target))
    return list(guards.values())


def _room(guard: SuccessCriterion) -> float:
    """Of two constraints on one metric the tighter holds."""
    return abs(guard.max_delta or 0.0)


def _guard(metric: str, margin: float) -> SuccessCriterion:
    if METRICS[metric].higher_is_better:
        return SuccessCriterion(metric=metric, direction="no_large_drop", max_delta=-round(margin, 4))
    return SuccessCriterion(metric=metric, direction="no_large_rise", max_delta=round(margin, 4))


def _surplus(metric: str, value: float, start: Measured, targets: Sequence[Target]) -> float:
    """How much better than its target a metric stands, the goal's own before the general one; negative or 0 when it
    does not reach it."""
    own = next((item for item in targets if item.metric == metric and item.category is None), None)
    target = target_value(own, start.value(metric)) if own is not None else METRICS[metric].target
    if target is None:
        return 0.0
    return value - target if METRICS[metric].higher_is_better else target - value


def _headroom(value: float, target: float | None) -> float:
    """Allowed relative rise: half of what is left to the metric's general target, between 10 % and 100 %."""
    if target is None:
        return 0.10
    return max(0.10, min(1.0, (target / value - 1.0) / 2))


def _from_constraint(constraint: Constraint, start: Measured, current: Measured) -> SuccessCriterion | None:
    metric = constraint.metric
    standing = _STANDS_FOR.get(metric, metric)
    now, before = current.value(standing), start.value(standing)
    if now is None:
        return None
    measured = _SOURCES.get(metric, metric)
    relative = METRICS[measured].kind == "positive"
    if constraint.kind in ("no_large_drop", "no_large_rise"):
        sign = 1.0 if constraint.kind == "no_large_drop" else -1.0
        allowed = abs(constraint.value) if constraint.value is not None else 0.03
        if metric in _SOURCES and constraint.value is not None and now:
            allowed /= before or now  # ms, of which the test sees the ratio
        moved = 0.0
        if before is not None:
            moved = (now - before) / before if relative and before else now - before
        margin = max(SMALLEST_MARGIN, allowed + sign * moved)
        direction = constraint.kind
    else:
        if constraint.value is None:
            return None
        room = now - constraint.value if constraint.kind == "min" else constraint.value - now
        if relative and now:
            room /= now
        margin = max(SMALLEST_MARGIN, room)
        direction = "no_large_drop" if constraint.kind == "min" else "no_large_rise"
    signed = -margin if direction == "no_large_drop" else margin
    return SuccessCriterion(metric=measured, direction=direction, max_delta=round(signed, 4))
