"""P50 and P95 of latency: a percentile bootstrap of the difference, seeded, over examples or clusters.

Assumes: examples (or clusters) are exchangeable. Caveat: a P95 rests on a twentieth of the runs; the share of requests
over the limit, as a binary metric, says the same with a sound small-sample test and is to be preferred in a guard.
A p-value below 2 / (RESAMPLES + 1) cannot arise, so that very early looks never decide.
Source: Efron & Tibshirani (1993), ch. 13; p-values with the +1 of Davison & Hinkley (1997).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from teacher.statistics.clusters import Floats, Ints
from teacher.statistics.inference import Bounds, Inference

RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Bootstrap:
    """The difference of a quantile with its resampled distribution, sorted."""

    estimate: float
    draws: Floats
    n: int
    method: str
    design_effect: float = 1.0

    @property
    def variance(self) -> float | None:
        """Of one example's worth of information: the bootstrap variance times n."""
        return float(self.draws.var(ddof=1)) * self.n

    @property
    def p_two_sided(self) -> float:
        return min(1.0, 2 * min(self.p_greater(0.0), self.p_less(0.0)))

    def interval(self, tail: float) -> Bounds:
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)

    def p_greater(self, bound: float) -> float:
        return (1 + int(np.searchsorted(self.draws, bound, side="right"))) / (self.draws.size + 1)

    def p_less(self, bound: float) -> float:
        above = self.draws.size - int(np.searchsorted(self.draws, bound, side="left"))
        return (1 + above) / (self.draws.size + 1)


@dataclass(frozen=True)
class ConstantQuantile:
    """All pairs differ by the same: at most the share 1 − α^(1/n) differs otherwise, which moves a quantile q no
    further than to q ± that share of the pooled values. Beyond the last value nothing is known: low or high is None.
    """

    estimate: float
    values: Floats
    quantile: float
    n: int
    p_two_sided: float
    design_effect: float = 1.0
    variance: float | None = None
    method: str = "permutation test, exact bound on the share that differs"

    def _moved(self, share: float) -> float | None:
        place = self.quantile + share
        if not 0 <= place <= 1:
            return None
        shift = np.quantile(self.values, place) - np.quantile(self.values, self.quantile)
        return self.estimate + float(shift)

    def interval(self, tail: float) -> Bounds:
        share = -math.expm1(math.log(tail) / self.n)
        return self._moved(-share), self._moved(share)

    def _p(self, bound: float, sign: int) -> float:
        """The smallest level at which the interval still clears `bound`, by bisection."""
        low, high = 1e-12, 1.0
        for _ in range(60):
            middle = math.sqrt(low * high)
            moved = self._moved(sign * -math.expm1(math.log(middle) / self.n))
            clears = moved is not None and sign * (bound - moved) > 0
            low, high = (low, middle) if clears else (middle, high)
        return high

    def p_greater(self, bound: float) -> float:
        return self._p(bound, -1)

    def p_less(self, bound: float) -> float:
        return self._p(bound, +1)


def _resampled(values: Floats, chosen: Ints, quantile: float) -> Floats:
    """Quantiles of rows of resampled values, by linear interpolation as SQL's percentile_cont."""
    rows = values[chosen]
    place = quantile * (values.size - 1)
    below = math.floor(place)
    above = min(below + 1, values.size - 1)
    rows.partition([below, above], axis=1)
    part = place - below
    return rows[:, below] * (1 - part) + rows[:, above] * part


def _members(codes: Ints, groups: int) -> list[Ints]:
    return [np.flatnonzero(codes == group) for group in range(groups)]


def quantile_difference(
    variant: Floats,
    baseline: Floats,
    *,
    quantile: float,
    paired: bool,
    codes: tuple[Ints, Ints] | None,
    seed: int,
) -> Inference:
    """The quantile of `variant` minus that of `baseline`; `codes` groups the examples of each arm into clusters."""
    estimate = float(np.quantile(variant, quantile) - np.quantile(baseline, quantile))
    n = min(variant.size, baseline.size)
    constant = paired and float(np.ptp(variant - baseline)) <= 1e-9
    constant = constant or (float(np.ptp(variant)) == 0 and float(np.ptp(baseline)) == 0)
    if constant:
        units = n if codes is None else int(np.unique(codes[0]).size)
        p = 1.0 if estimate == 0 else max(2.0 ** (1 - min(units, 1000)), 1e-300)
        return ConstantQuantile(estimate, np.sort(np.concatenate([variant, baseline])), quantile, units, p)
    chance = np.random.Generator(np.random.PCG64(seed))
    if codes is not None:
        return _clustered(variant, baseline, quantile, codes, chance, estimate, n)
    chosen = chance.integers(0, variant.size, size=(RESAMPLES, variant.size))
    other = chosen if paired else chance.integers(0, baseline.size, size=(RESAMPLES, baseline.size))
    draws = _resampled(variant, chosen, quantile) - _resampled(baseline, other, quantile)
    return Bootstrap(estimate, np.sort(draws), n, "paired bootstrap" if paired else "bootstrap")


def _clustered(
    variant: Floats,
    baseline: Floats,
    quantile: float,
    codes: tuple[Ints, Ints],
    chance: np.random.Generator,
    estimate: float,
    n: int,
) -> Bootstrap:
    """Whole clusters are drawn with replacement, each with its examples in both arms."""
    groups = int(max(codes[0].max(), codes[1].max())) + 1
    of_variant, of_baseline = _members(codes[0], groups), _members(codes[1], groups)
    draws = np.empty(RESAMPLES)
    for row in range(RESAMPLES):
        picked = chance.integers(0, groups, size=groups)
        mine = np.concatenate([of_variant[group] for group in picked])
        theirs = np.concatenate([of_baseline[group] for group in picked])
        if mine.size == 0 or theirs.size == 0:
            draws[row] = estimate
            continue
        draws[row] = np.quantile(variant[mine], quantile) - np.quantile(baseline[theirs], quantile)
    return Bootstrap(estimate, np.sort(draws), n, "bootstrap over clusters")
