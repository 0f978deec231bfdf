"""Paired proportions: McNemar mid-p against no difference, Tango's score for intervals and guards.

Only the discordant pairs speak: `gained` (variant 1, baseline 0) and `lost` (variant 0, baseline 1), of n pairs.
Sources: Fagerland, Lydersen & Laake (2013) for mid-p; Tango (1998) for the score statistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import bdtr

from teacher.statistics.inference import Bounds
from teacher.statistics.proportions import critical, solve_decreasing, upper_tail


def mcnemar_mid_p(gained: int, lost: int) -> float:
    """Two-sided: twice the tail of Binomial(gained + lost, ½), with half the weight of what was seen."""
    total = gained + lost
    if total == 0:
        return 1.0
    smaller = min(gained, lost)
    upto = float(bdtr(smaller, total, 0.5))
    exactly = upto - (float(bdtr(smaller - 1, total, 0.5)) if smaller > 0 else 0.0)
    if gained == lost:
        return 1 - exactly / 2
    return min(1.0, 2 * (upto - exactly / 2))


def tango_z(gained: float, lost: float, n: float, delta: float) -> float:
    """Tango's score statistic against "P(variant) − P(baseline) = delta"."""
    a = 2 * n
    b = -gained - lost + (2 * n - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    null_lost = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * null_lost + delta * (1 - delta))
    distance = gained - lost - n * delta
    if variance <= 1e-300:
        return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def tango(gained: float, lost: float, n: float, z: float) -> tuple[float, float]:
    """The score interval of the difference."""

    def statistic(delta: float) -> float:
        return tango_z(gained, lost, n, delta)

    edge = 1 - 1e-12
    estimate = (gained - lost) / n
    low = solve_decreasing(statistic, z, -edge, max(estimate, -edge))
    return low, solve_decreasing(statistic, -z, min(estimate, edge), edge)


@dataclass(frozen=True)
class PairedProportions:
    """n pairs, of which `gained` and `lost` are discordant. Clustered: counts are divided by the design effect."""

    gained: int
    lost: int
    n: int
    guard: bool
    design_effect: float = 1.0
    df: float | None = None

    @property
    def _counts(self) -> tuple[float, float, float]:
        by = self.design_effect
        return self.gained / by, self.lost / by, self.n / by

    @property
    def estimate(self) -> float:
        return (self.gained - self.lost) / self.n

    @property
    def variance(self) -> float | None:
        mean = self.estimate
        return (self.gained + self.lost) / self.n - mean * mean

    @property
    def method(self) -> str:
        if self.df is not None:
            return ("Tango" if self.guard else "McNemar") + " score, design effect of clusters"
        return "Tango score" if self.guard else "McNemar mid-p, Tango interval"

    @property
    def p_two_sided(self) -> float:
        if self.df is None:
            return mcnemar_mid_p(self.gained, self.lost)
        gained, lost, _ = self._counts
        clustered = 2 * upper_tail(abs(gained - lost) / math.sqrt(gained + lost), self.df)
        return max(min(1.0, clustered), mcnemar_mid_p(self.gained, self.lost))

    def interval(self, tail: float) -> Bounds:
        return tango(*self._counts, critical(tail, self.df))

    def p_greater(self, bound: float) -> float:
        return upper_tail(tango_z(*self._counts, bound), self.df) if bound > -1 else 0.0

    def p_less(self, bound: float) -> float:
        return upper_tail(-tango_z(*self._counts, bound), self.df) if bound < 1 else 0.0
