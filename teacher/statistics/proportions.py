"""Two independent proportions: pooled score test, Newcombe interval, Miettinen–Nurminen for guards.

Counts may be fractional: clustered data are scaled down by their design effect (Rao & Scott 1992), and the normal
gives way to t with the clusters' degrees of freedom.
Sources: Newcombe (1998) method 10; Miettinen & Nurminen (1985); Farrington & Manning (1990) for the closed form.
Never Wald: at rates near 1 it passes a true drop of a margin in 22 % of cases at n = 50.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from teacher.statistics.inference import Bounds


def upper_tail(z: float, df: float | None) -> float:
    """P(Z ≥ z), or of t with `df`."""
    return float(ndtr(-z)) if df is None else float(stdtr(df, -z))


def critical(tail: float, df: float | None) -> float:
    """The value with `tail` above it."""
    return -float(ndtri(tail)) if df is None else -float(stdtrit(df, tail))


def solve_decreasing(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a decreasing function meets `target`, by bisection to 1e-12; the edge where it never does."""
    if function(low) <= target:
        return low
    if function(high) >= target:
        return high
    while high - low > 1e-12:
        middle = (low + high) / 2
        if function(middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def score_z(x_v: float, n_v: float, x_b: float, n_b: float) -> float:
    """The pooled two-sample score statistic against no difference; 0 when every value is the same."""
    pooled = (x_v + x_b) / (n_v + n_b)
    variance = pooled * (1 - pooled) * (1 / n_v + 1 / n_b)
    return (x_v / n_v - x_b / n_b) / math.sqrt(variance) if variance > 0 else 0.0


def wilson(x: float, n: float, z: float) -> tuple[float, float]:
    """The score interval of one proportion."""
    share = x / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return max((centre - half) / whole, 0.0), min((centre + half) / whole, 1.0)


def newcombe(x_v: float, n_v: float, x_b: float, n_b: float, z: float) -> tuple[float, float]:
    """Newcombe's hybrid score interval of variant − baseline."""
    p_v, p_b = x_v / n_v, x_b / n_b
    low_v, high_v = wilson(x_v, n_v, z)
    low_b, high_b = wilson(x_b, n_b, z)
    difference = p_v - p_b
    return difference - math.hypot(p_v - low_v, high_b - p_b), difference + math.hypot(high_v - p_v, p_b - low_b)


def miettinen_nurminen_z(x_v: float, n_v: float, x_b: float, n_b: float, delta: float) -> float:
    """The score statistic against "variant − baseline = delta", with the factor N / (N − 1)."""
    p_v, p_b = x_v / n_v, x_b / n_b
    theta = n_b / n_v
    a = 1 + theta
    b = -(1 + theta + p_v + theta * p_b + delta * (theta + 2))
    c = delta * delta + delta * (2 * p_v + theta + 1) + p_v + theta * p_b
    d = -p_v * delta * (1 + delta)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + d / (2 * a)
    u = math.copysign(math.sqrt(max((b / (3 * a)) ** 2 - c / (3 * a), 0.0)), v)
    w = (math.pi + math.acos(min(1.0, max(-1.0, v / u**3)))) / 3 if u != 0 else math.pi / 3
    null_v = min(1.0, max(0.0, 2 * u * math.cos(w) - b / (3 * a)))
    null_b = min(1.0, max(0.0, null_v - delta))
    variance = (null_v * (1 - null_v) / n_v + null_b * (1 - null_b) / n_b) * (n_v + n_b) / (n_v + n_b - 1)
    distance = p_v - p_b - delta
    if variance <= 1e-300:
        return 0.0 if abs(distance) < 1e-15 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def miettinen_nurminen(x_v: float, n_v: float, x_b: float, n_b: float, z: float) -> tuple[float, float]:
    """The score interval of variant − baseline; 56/70 against 48/80 at 95 % is .0528 to .3382."""

    def statistic(delta: float) -> float:
        return miettinen_nurminen_z(x_v, n_v, x_b, n_b, delta)

    edge = 1 - 1e-12
    estimate = x_v / n_v - x_b / n_b
    low = solve_decreasing(statistic, z, -edge, max(estimate, -edge))
    return low, solve_decreasing(statistic, -z, min(estimate, edge), edge)


@dataclass(frozen=True)
class TwoProportions:
    """Variant and baseline counts. `guard` selects Miettinen–Nurminen for the interval, else Newcombe.

    One-sided statements are always Miettinen–Nurminen. `scale` (the design effect) divides all counts.
    """

    x_v: float
    n_v: float
    x_b: float
    n_b: float
    guard: bool
    design_effect: float = 1.0
    df: float | None = None

    @property
    def _counts(self) -> tuple[float, float, float, float]:
        by = self.design_effect
        return self.x_v / by, self.n_v / by, self.x_b / by, self.n_b / by

    @property
    def estimate(self) -> float:
        return self.x_v / self.n_v - self.x_b / self.n_b

    @property
    def variance(self) -> float | None:
        p_v, p_b = self.x_v / self.n_v, self.x_b / self.n_b
        return p_v * (1 - p_v) + p_b * (1 - p_b)

    @property
    def method(self) -> str:
        name = "Miettinen–Nurminen score" if self.guard else "score test, Newcombe interval"
        return name + (", design effect of clusters" if self.df is not None else "")

    @property
    def p_two_sided(self) -> float:
        return min(1.0, 2 * upper_tail(abs(score_z(*self._counts)), self.df))

    def interval(self, tail: float) -> Bounds:
        z = critical(tail, self.df)
        return miettinen_nurminen(*self._counts, z) if self.guard else newcombe(*self._counts, z)

    def p_greater(self, bound: float) -> float:
        return upper_tail(miettinen_nurminen_z(*self._counts, bound), self.df) if bound > -1 else 0.0

    def p_less(self, bound: float) -> float:
        return upper_tail(-miettinen_nurminen_z(*self._counts, bound), self.df) if bound < 1 else 0.0
