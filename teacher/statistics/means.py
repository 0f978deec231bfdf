"""Welch and paired t for bounded metrics and counts; the same on logs, read as a ratio, for cost and mean latency.

Null: the difference of means (or of log means) is the bound asked about. Assumes: n ≥ 50 makes the mean near normal.
Repeated looks and several criteria are the caller's business (`sequential`, `criteria`).
Source: Welch (1947); Student (1908). Equal to statsmodels' `ttest_ind(usevar="unequal")` and `ttest_1samp`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from teacher.statistics.clusters import (
    Floats,
    Ints,
    MeanVariance,
    OneClusterError,
    paired_variance,
    unpaired_variance,
)
from teacher.statistics.inference import (
    Bounds,
    ConstantDifference,
    Inference,
    NotInferable,
    sign_flip_floor,
)

FEW_DIFFER = 5
"""Fewer differing pairs than this, and the guard's bound is no tighter than the exact one."""

ONE_CLUSTER = NotInferable("all examples come from one scenario: nothing tells how scenarios differ")


@dataclass(frozen=True)
class StudentT:
    """A mean with its t distribution; on logs when `ratio`, and then told as ratio − 1.

    `p_floor`: no two-sided p is smaller than what a sign-flip test of the differing pairs could give.
    `exact`: present where nearly all pairs are alike; one-sided statements are then the more careful of the two.
    """

    mean: float
    spread: MeanVariance
    method: str
    ratio: bool = False
    p_floor: float = 0.0
    exact: ConstantDifference | None = None

    def _out(self, value: float) -> float:
        return math.expm1(min(value, 700.0)) if self.ratio else value

    def _in(self, bound: float) -> float:
        if not self.ratio:
            return bound
        return math.log1p(bound) if bound > -1 else -math.inf

    def _tail(self, bound: float) -> float:
        """P(T ≤ t) for t = (bound − mean) / se."""
        distance = bound - self.mean
        if math.isinf(distance):
            return 0.0 if distance < 0 else 1.0
        return float(stdtr(self.spread.df, distance / math.sqrt(self.spread.value)))

    @property
    def estimate(self) -> float:
        return self._out(self.mean)

    @property
    def variance(self) -> float | None:
        return self.spread.single

    @property
    def design_effect(self) -> float:
        return self.spread.design_effect

    @property
    def p_two_sided(self) -> float:
        return max(2 * min(self._tail(0.0), self._tail(2 * self.mean)), self.p_floor)

    def interval(self, tail: float) -> Bounds:
        half = -float(stdtrit(self.spread.df, tail)) * math.sqrt(self.spread.value)
        low, high = self._out(self.mean - half), self._out(self.mean + half)
        if self.exact is None:
            return low, high
        exact_low, exact_high = self.exact.bounds(tail)
        return min(low, exact_low), max(high, exact_high)

    def p_greater(self, bound: float) -> float:
        p = self._tail(self._in(bound))
        return p if self.exact is None else max(p, self.exact.p_greater(bound))

    def p_less(self, bound: float) -> float:
        inner = self._in(bound)
        p = 1.0 if math.isinf(inner) else self._tail(2 * self.mean - inner)
        return p if self.exact is None else max(p, self.exact.p_less(bound))


def _alike(values: Floats) -> bool:
    """All equal, but for the last bits that averaging leaves."""
    return float(np.ptp(values)) <= 1e-12 * max(1.0, float(np.abs(values).max()))


def paired_mean(
    variant: Floats, baseline: Floats, *, codes: Ints | None, span: float | None, ratio: bool = False
) -> Inference | NotInferable:
    """Paired t on the examples' differences; on log ratios when `ratio`, which needs positive values.

    Where some cost is 0 the logs do not exist: the ratio of means by the delta method takes their place.
    """
    method = "paired t on log ratios" if ratio else "paired t"
    if ratio and min(variant.min(), baseline.min()) <= 0:
        return _ratio_of_means(variant, baseline, paired=True, codes=codes, both=None)
    differences = np.log(variant) - np.log(baseline) if ratio else variant - baseline
    n = differences.size
    units = n if codes is None else int(codes.max()) + 1
    mean = math.fsum(differences) / n
    if _alike(differences):
        told = math.expm1(mean) if ratio else mean
        told = 0.0 if abs(told) < 1e-12 else told
        p = 1.0 if told == 0 else sign_flip_floor(units)
        return ConstantDifference(estimate=told, n=units, p_two_sided=p, span=span)
    try:
        spread = paired_variance(differences - mean, codes)
    except OneClusterError:
        return ONE_CLUSTER
    differing = int(np.count_nonzero(np.abs(differences) > 1e-12))
    exact = None
    if differing < FEW_DIFFER:
        told = math.expm1(mean) if ratio else mean
        exact = ConstantDifference(estimate=told, n=units, p_two_sided=1.0, span=span)
    if codes is not None:
        method += ", cluster-robust"
    return StudentT(mean, spread, method, ratio, sign_flip_floor(differing), exact)


def unpaired_mean(
    variant: Floats, baseline: Floats, *, codes: tuple[Ints, Ints] | None, span: float | None, ratio: bool = False
) -> Inference | NotInferable:
    """Welch on the arms' values; on their logs when `ratio`."""
    if ratio and min(variant.min(), baseline.min()) <= 0:
        return _ratio_of_means(variant, baseline, paired=False, codes=None, both=codes)
    if ratio:
        variant, baseline = np.log(variant), np.log(baseline)
    mean_v, mean_b = math.fsum(variant) / variant.size, math.fsum(baseline) / baseline.size
    mean = mean_v - mean_b
    if _alike(variant) and _alike(baseline):
        smaller = min(variant.size, baseline.size)
        if codes is not None:
            smaller = min(np.unique(codes[0]).size, np.unique(codes[1]).size)
        told = math.expm1(mean) if ratio else mean
        told = 0.0 if abs(told) < 1e-12 else told
        p = 1.0 if told == 0 else 2.0 / math.comb(2 * smaller, smaller)
        return ConstantDifference(estimate=told, n=smaller, p_two_sided=min(p, 1.0), span=span)
    try:
        spread = unpaired_variance(variant - mean_v, baseline - mean_b, codes)
    except OneClusterError:
        return ONE_CLUSTER
    method = ("Welch on logs" if ratio else "Welch") + (", cluster-robust" if codes is not None else "")
    return StudentT(mean, spread, method, ratio)


def _ratio_of_means(
    variant: Floats, baseline: Floats, *, paired: bool, codes: Ints | None, both: tuple[Ints, Ints] | None
) -> Inference | NotInferable:
    """log(mean / mean) with its delta-method variance; only both means need be positive."""
    mean_v, mean_b = math.fsum(variant) / variant.size, math.fsum(baseline) / baseline.size
    if min(variant.min(), baseline.min()) < 0:
        return NotInferable("a negative value has no ratio")
    if mean_v == 0 and mean_b == 0:
        return ConstantDifference(estimate=0.0, n=min(variant.size, baseline.size), p_two_sided=1.0, span=None)
    if mean_v == 0 or mean_b == 0:
        return NotInferable("one arm is 0 throughout, so that there is no ratio")
    share_v, share_b = variant / mean_v - 1, baseline / mean_b - 1
    try:
        spread = paired_variance(share_v - share_b, codes) if paired else unpaired_variance(share_v, share_b, both)
    except OneClusterError:
        return ONE_CLUSTER
    log_ratio = math.log(mean_v / mean_b)
    if spread.value <= 0:
        units = min(variant.size, baseline.size)
        p = 1.0 if log_ratio == 0 else sign_flip_floor(units)
        return ConstantDifference(estimate=math.expm1(log_ratio), n=units, p_two_sided=p, span=None)
    return StudentT(log_ratio, spread, "ratio of means (some values are 0), delta method", ratio=True)
