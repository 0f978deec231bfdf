"""The exact interval of one share (Clopper & Pearson 1934): careful with few trials, where Wilson's is too sure."""

from __future__ import annotations

from scipy.special import betaincinv


def exact_interval(x: int, n: int, *, alpha: float = 0.05) -> tuple[float, float]:
    """Two-sided, at least 1 − `alpha`. `x` of `n` ≥ 1."""
    low = float(betaincinv(x, n - x + 1, alpha / 2)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - alpha / 2)) if x < n else 1.0
    return low, high
