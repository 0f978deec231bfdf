"""How many examples a question needs, and what a number of examples can see. Standard library only.

n = (z + .84)² s² / δ², at least 50: s² the variance of one difference (paired: of a pair's difference; unpaired:
σ₁² + σ₂²), δ the effect looked for, z 1.96 at two-sided α .05 and 1.645 at one-sided, .84 for a power of 80 %.
Source: Cohen (1988), ch. 2. At sd .35, correlation .7 and a margin of .03: 505.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Final

from teacher.statistics import MIN_SAMPLES_PER_VARIANT

DEFAULT_EFFECT: Final = 0.05
"""The effect planned for when a criterion accepts any improvement."""

_NORMAL = NormalDist()
_POWER_80: Final = 0.84


def _z(alpha: float, *, one_sided: bool) -> float:
    return round(_NORMAL.inv_cdf(1 - (alpha if one_sided else alpha / 2)), 3)


def needs_n(*, variance: float, delta: float, alpha: float = 0.05, one_sided: bool, design_effect: float = 1.0) -> int:
    """Examples (pairs, or per arm) for a power of 80 %. Raises `ValueError` when `delta` is not positive."""
    if delta <= 0:
        raise ValueError("no number of examples can show an effect of 0")
    wanted = (_z(alpha, one_sided=one_sided) + _POWER_80) ** 2 * variance / delta**2 * design_effect
    return max(MIN_SAMPLES_PER_VARIANT, math.ceil(wanted - 1e-9))


def needs_n_constant(*, margin: float, alpha: float) -> int:
    """Examples until the exact bound 1 − α^(1/n) lies within `margin`, while no example differs."""
    if margin >= 1:
        return MIN_SAMPLES_PER_VARIANT
    return max(MIN_SAMPLES_PER_VARIANT, math.floor(math.log(alpha) / math.log1p(-margin)) + 1)


def power(*, n: int, variance: float, delta: float, alpha: float = 0.05, one_sided: bool = False) -> float:
    """The chance that n examples show an effect of `delta`, in the right direction, at one look."""
    if variance <= 0:
        return 1.0 if delta > 0 else 0.0
    z = _NORMAL.inv_cdf(1 - (alpha if one_sided else alpha / 2))
    return _NORMAL.cdf(delta / math.sqrt(variance / n) - z)


def paired_variance(*, sd: float, correlation: float) -> float:
    """Variance of a pair's difference when both arms have `sd`."""
    return 2 * sd * sd * (1 - correlation)


def unpaired_variance(*, sd: float, sd_variant: float | None = None) -> float:
    """Sum of the arms' variances."""
    return sd * sd + (sd if sd_variant is None else sd_variant) ** 2


@dataclass(frozen=True)
class Plan:
    """`n` examples (pairs, or per arm); `runs` of the student over both arms; `variance` of one difference."""

    n: int
    runs: int
    variance: float
    delta: float
    paired: bool
    power_at_floor: float


def plan_from_history(
    *,
    baseline: Sequence[float],
    variant: Sequence[float] | None = None,
    delta: float,
    paired: bool,
    alpha: float = 0.05,
    one_sided: bool = False,
    assumed_correlation: float = 0.7,
) -> Plan:
    """A plan with the variance that was observed.

    `baseline` alone: the variant is taken to vary as much, and paired runs to correlate by `assumed_correlation`.
    With `variant` (same examples in the same order when `paired`) both are measured. Raises `ValueError` with fewer
    than two values, or with unequal lengths when paired.
    """
    if len(baseline) < 2 or (variant is not None and len(variant) < 2):
        raise ValueError("a variance needs two values")
    if variant is None:
        sd = math.sqrt(_variance(baseline))
        spread = paired_variance(sd=sd, correlation=assumed_correlation) if paired else unpaired_variance(sd=sd)
    elif paired:
        spread = _variance([after - before for before, after in zip(baseline, variant, strict=True)])
    else:
        spread = _variance(baseline) + _variance(variant)
    n = needs_n(variance=spread, delta=delta, alpha=alpha, one_sided=one_sided)
    at_floor = power(n=MIN_SAMPLES_PER_VARIANT, variance=spread, delta=delta, alpha=alpha, one_sided=one_sided)
    return Plan(n=n, runs=2 * n, variance=spread, delta=delta, paired=paired, power_at_floor=at_floor)


def _variance(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
