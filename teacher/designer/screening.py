"""Cheap screening on train data: paired mean differences of each candidate against the current parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.evaluation import Sample
from teacher.designer.candidates import Candidate

BASE_ARM = "baseline"


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean paired difference (variant − baseline), its standard error and standard deviation, over n pairs."""

    mean: float
    error: float
    deviation: float
    n: int


@dataclass(frozen=True, slots=True)
class Screened:
    candidate: Candidate
    differences: dict[str, Difference]

    def gain(self, metric: str, *, higher_is_better: bool) -> float:
        """How far the metric moved the right way; 0 when nothing could be compared."""
        found = self.differences.get(metric)
        if found is None:
            return 0.0
        return found.mean if higher_is_better else -found.mean


def screening_read(
    samples: Sequence[Sample], candidates: Sequence[Candidate], *, category: str | None = None
) -> list[Screened]:
    """Differences per candidate and metric. `category` restricts the comparison to questions of that category."""
    values: dict[str, dict[str, dict[str, float | None]]] = {}
    for item in samples:
        if category is None or item.category == category:
            values.setdefault(item.variant, {})[item.example_id] = item.metrics
    base = values.get(BASE_ARM, {})
    return [Screened(candidate, _differences(base, values.get(candidate.arm, {}))) for candidate in candidates]


def _differences(
    base: dict[str, dict[str, float | None]], variant: dict[str, dict[str, float | None]]
) -> dict[str, Difference]:
    pairs: dict[str, list[float]] = {}
    for example, after in variant.items():
        before = base.get(example, {})
        for metric, value in after.items():
            other = before.get(metric)
            if value is not None and other is not None:
                pairs.setdefault(metric, []).append(value - other)
    return {metric: _difference(items) for metric, items in pairs.items()}


def _difference(items: list[float]) -> Difference:
    n = len(items)
    mean = sum(items) / n
    variance = sum((item - mean) ** 2 for item in items) / (n - 1) if n > 1 else 0.0
    return Difference(mean=mean, error=(variance / n) ** 0.5, deviation=variance**0.5, n=n)
