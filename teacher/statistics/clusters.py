"""Examples of one scenario are not independent: cluster-robust variances that never claim more than independence.

Source: Liang & Zeger (1986) for the sandwich; Carter, Schnepel & Steigerwald (2017) for counting clusters of unequal
size as fewer. With one example per cluster everything here is the ordinary textbook formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MeanVariance:
    """The variance of an estimated mean or difference of means.

    `value`: of the estimate. `df`: degrees of freedom of its t. `design_effect`: `value` over what independent
    examples would give, at least 1. `single`: of one example's difference (paired) or the arms' sum (unpaired).
    """

    value: float
    df: float
    design_effect: float
    single: float


class OneClusterError(Exception):
    """All examples belong to one cluster, so that nothing tells how clusters differ."""


def _sums(residuals: Floats, codes: Ints, groups: int) -> Floats:
    return np.bincount(codes, weights=residuals, minlength=groups).astype(np.float64)


def _effective(sizes: Floats) -> float:
    """Clusters of unequal size count as fewer: (Σn)² / Σn²; equal sizes count in full."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def paired_variance(residuals: Floats, codes: Ints | None) -> MeanVariance:
    """Of the mean of n values whose mean was taken away. Raises `OneClusterError`."""
    n = residuals.size
    single = float(residuals @ residuals) / (n - 1)
    independent = single / n
    if codes is None:
        return MeanVariance(independent, n - 1, 1.0, single)
    groups = int(codes.max()) + 1
    if groups < 2:
        raise OneClusterError
    sums = _sums(residuals, codes, groups)
    robust = groups / (groups - 1) * float(sums @ sums) / n**2
    value = max(robust, independent)
    df = max(_effective(np.bincount(codes, minlength=groups).astype(np.float64)) - 1, 1.0)
    return MeanVariance(value, df, value / independent if independent > 0 else 1.0, single)


def unpaired_variance(variant: Floats, baseline: Floats, codes: tuple[Ints, Ints] | None) -> MeanVariance:
    """Of the difference of two means, from the residuals of each arm. Raises `OneClusterError`.

    Clusters that lie within one arm give Welch's degrees of freedom over clusters; where a cluster has examples in
    both arms its two parts are subtracted first, so that what the arms share cancels.
    """
    n_v, n_b = variant.size, baseline.size
    s2_v = float(variant @ variant) / (n_v - 1)
    s2_b = float(baseline @ baseline) / (n_b - 1)
    independent = s2_v / n_v + s2_b / n_b
    single = s2_v + s2_b
    if codes is None:
        return MeanVariance(independent, _welch(s2_v / n_v, n_v - 1, s2_b / n_b, n_b - 1), 1.0, single)
    code_v, code_b = codes
    groups = int(max(code_v.max(), code_b.max())) + 1
    if groups < 2:
        raise OneClusterError
    parts_v = _sums(variant, code_v, groups) / n_v
    parts_b = _sums(baseline, code_b, groups) / n_b
    size_v = np.bincount(code_v, minlength=groups).astype(np.float64)
    size_b = np.bincount(code_b, minlength=groups).astype(np.float64)
    if np.any((size_v > 0) & (size_b > 0)):
        parts = parts_v - parts_b
        robust = groups / (groups - 1) * float(parts @ parts)
        df = max(_effective(size_v + size_b) - 1, 1.0)
    else:
        groups_v, groups_b = int((size_v > 0).sum()), int((size_b > 0).sum())
        if min(groups_v, groups_b) < 2:
            raise OneClusterError
        value_v = groups_v / (groups_v - 1) * float(parts_v @ parts_v)
        value_b = groups_b / (groups_b - 1) * float(parts_b @ parts_b)
        robust = value_v + value_b
        df = max(_welch(value_v, _effective(size_v) - 1, value_b, _effective(size_b) - 1), 1.0)
    value = max(robust, independent)
    return MeanVariance(value, df, value / independent if independent > 0 else 1.0, single)


def _welch(value_v: float, df_v: float, value_b: float, df_b: float) -> float:
    """Welch–Satterthwaite degrees of freedom."""
    total = (value_v + value_b) ** 2
    parts = value_v**2 / max(df_v, 1e-9) + value_b**2 / max(df_b, 1e-9)
    return total / parts if parts > 0 else df_v + df_b
