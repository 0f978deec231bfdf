"""Cheap screening on train data: paired mean differences of each candidate against the current parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm, t

from contracts.evaluation import Sample
from teacher.designer.candidates import Candidate

BASE_ARM = "baseline"
_ONE_SIGMA = norm.cdf(1.0)


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean paired difference (variant − baseline), its standard error and standard deviation, over n pairs.

    The error is cluster-robust where examples share clusters, as variants of one family do (decision 0011). Few
    clusters tell little of the spread between them: the error is widened by Student's t, as far as `clusters` - 1
    degrees of freedom ask. One cluster alone tells nothing of it; the error is then that of the questions. `base`: the
    baseline's mean over these pairs.
    """

    mean: float
    error: float
    deviation: float
    n: int
    clusters: int
    base: float | None = None


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
    arms: dict[str, dict[str, Sample]] = {}
    for item in samples:
        if category is None or item.category == category:
            arms.setdefault(item.variant, {})[item.example_id] = item
    base = arms.get(BASE_ARM, {})
    return [Screened(candidate, _differences(base, arms.get(candidate.arm, {}))) for candidate in candidates]


def differences_read(samples: Sequence[Sample], *, baseline: str, variant: str) -> dict[str, Difference]:
    """Differences of an experiment's two arms, by metric, from the samples of its verdict."""
    arms: dict[str, dict[str, Sample]] = {}
    for item in samples:
        arms.setdefault(item.variant, {})[item.example_id] = item
    return _differences(arms.get(baseline, {}), arms.get(variant, {}))


def _differences(base: dict[str, Sample], variant: dict[str, Sample]) -> dict[str, Difference]:
    pairs: dict[str, list[tuple[float, float, str]]] = {}
    for example, after in variant.items():
        before = base[example].metrics if example in base else {}
        for metric, value in after.metrics.items():
            other = before.get(metric)
            if value is not None and other is not None:
                pairs.setdefault(metric, []).append((value - other, other, after.cluster or example))
    return {metric: _difference(items) for metric, items in pairs.items()}


def _difference(items: Sequence[tuple[float, float, str]]) -> Difference:
    n = len(items)
    mean = sum(value for value, _, _ in items) / n
    clusters: dict[str, float] = {}
    for value, _, cluster in items:
        clusters[cluster] = clusters.get(cluster, 0.0) + value - mean
    variance = sum((value - mean) ** 2 for value, _, _ in items) / (n - 1) if n > 1 else 0.0
    error = variance / n
    count = len(clusters)
    if 1 < count < n:  # Liang & Zeger (1986); never less than independence gives
        between = count / (count - 1) * sum(total**2 for total in clusters.values()) / n**2
        error = max(error, between * t.ppf(_ONE_SIGMA, count - 1) ** 2)
    base = sum(before for _, before, _ in items) / n
    return Difference(mean=mean, error=float(error**0.5), deviation=variance**0.5, n=n, clusters=count, base=base)
