"""Gaps between what a goal asks and what is measured, and whether they ask for action (MANAGER.md §0.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.goal import Target
from contracts.metric import METRICS

_ROUNDING = 1e-9
"""Differences below this are of floats, not of metrics."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics of one pass, overall and by category."""

    metrics: Mapping[str, float | None]
    by_category: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measured:
        """From what `Aggregate.to_json` wrote."""
        return cls(metrics=data.get("metrics", {}), by_category=data.get("by_category", {}))

    def value(self, metric: str, category: str | None = None) -> float | None:
        if category is None:
            return self.metrics.get(metric)
        return self.by_category.get(category, {}).get(metric)


@dataclass(frozen=True, slots=True)
class MetricGap:
    """`gap` = target − current, or current − target where lower is better; positive means not reached yet."""

    metric: str
    target: float
    current: float
    gap: float
    threshold: float
    exceeds_threshold: bool
    priority: str
    of_goal: bool
    category: str | None = None

    @property
    def met(self) -> bool:
        return self.gap <= _ROUNDING

    def to_json(self) -> dict[str, float | str | bool | None]:
        return {
            "metric": self.metric, "target": self.target, "current": self.current, "gap": self.gap,
            "threshold": self.threshold, "exceeds_threshold": self.exceeds_threshold, "priority": self.priority,
            "of_goal": self.of_goal, "category": self.category,
        }  # fmt: skip


def target_value(target: Target, start: float | None) -> float | None:
    """The absolute value that a target asks for. `start` is the metric at the campaign's start.

    None when it cannot be known: a change is asked of something that was not measured, or no amount was named.
    """
    if target.value is not None:
        return target.value
    if target.delta is None or start is None:
        return None
    size = abs(target.delta) * (abs(start) if target.relative else 1.0)
    value = start + size if target.direction == "increase" else start - size
    return max(0.0, min(1.0, value)) if METRICS[target.metric].unit == "share" else value


def _furthest(target: Target) -> float:
    """What "as far as it goes" means: the end of the metric's range."""
    low, high = (1.0, 5.0) if METRICS[target.metric].unit == "score" else (0.0, 1.0)
    return high if target.direction == "increase" else low


def gap_of(metric: str, *, current: float, target: float, of_goal: bool, category: str | None = None) -> MetricGap:
    definition = METRICS[metric]
    gap = target - current if definition.higher_is_better else current - target
    threshold = definition.threshold or 0.0
    if definition.threshold_relative:
        threshold *= abs(target)
    return MetricGap(
        metric=metric,
        target=target,
        current=current,
        gap=gap,
        threshold=threshold,
        exceeds_threshold=gap > threshold + _ROUNDING,
        priority=definition.priority,
        of_goal=of_goal,
        category=category,
    )


def gaps_compute(*, current: Measured, start: Measured, targets: Sequence[Target]) -> list[MetricGap]:
    """Gaps of the goal's targets in their order, then those of critical metrics that the goal does not name."""
    found = []
    named = set()
    for wish in targets:
        # A category that the data does not have is measured as a whole (decision 0005).
        known = wish.category is None or current.value(wish.metric, wish.category) is not None
        target = wish if known else wish.model_copy(update={"category": None})
        value = current.value(target.metric, target.category)
        wanted = target_value(target, start.value(target.metric, target.category))
        if value is None:
            continue
        if target.category is None:  # a goal for one category says nothing of the metric as a whole
            named.add(target.metric)
        if wanted is None:
            wanted = _furthest(target)
        found.append(gap_of(target.metric, current=value, target=wanted, of_goal=True, category=target.category))
    for name, definition in METRICS.items():
        value = current.value(name)
        if (
            definition.priority == "critical"
            and name not in named
            and value is not None
            and definition.target is not None
        ):
            found.append(gap_of(name, current=value, target=definition.target, of_goal=False))
    return found


def focus_order(gaps: Sequence[MetricGap]) -> list[MetricGap]:
    """What to work on, first things first: a critical gap beyond its threshold comes before the goal's own targets."""
    critical = [gap for gap in gaps if gap.priority == "critical" and gap.exceeds_threshold]
    goal = [gap for gap in gaps if gap.of_goal and not gap.met and gap not in critical]
    return critical + goal


def targets_met(gaps: Sequence[MetricGap]) -> bool:
    """Whether every target of the goal is reached and no critical gap is open."""
    own = [gap for gap in gaps if gap.of_goal]
    return (
        bool(own) and all(gap.met for gap in own) and not any(gap.exceeds_threshold for gap in gaps if not gap.of_goal)
    )
