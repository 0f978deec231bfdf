"""Looking often: how much of α may be used at this look.

Known horizon: Lan & DeMets (1983) spending, O'Brien–Fleming shape, per side f(t) = 2 − 2Φ(z_{α/2} / √t), boundaries by
the recursive integration of Armitage, McPherson & Rowe (1969). For two-sided α = .05 and five even looks they are
4.8769, 3.3570, 2.6803, 2.2898, 2.0310; scipy's multivariate normal confirms what they spend.

Unknown horizon: the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), tuned to be
tightest at the expected n.

Both are told as the nominal level of this look, to be compared with an ordinary p-value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from kernel.errors import InvalidInput
from teacher.statistics.clusters import Floats

_TINY = 1e-12
"""Less α than this is none: no statistic is trusted that far into its tail."""


def look_level(alpha: float, *, one_sided: bool, looks: Sequence[int], horizon: int | None, expected_n: int) -> float:
    """The nominal level of the last of `looks`: two-sided, or one-sided for guards. 0: nothing may be spent yet.

    Raises `InvalidInput` for sizes that are not positive or go backwards.
    """
    if not looks:
        return alpha
    sizes = list(dict.fromkeys(looks))
    if min(sizes) <= 0 or sizes != sorted(sizes):
        raise InvalidInput("looks are growing sample sizes", details={"field": "looks"})
    if horizon is not None and horizon <= 0:
        raise InvalidInput("horizon is a positive sample size", details={"field": "horizon"})
    side = alpha if one_sided else alpha / 2
    if horizon is None:
        level = _confidence_sequence_tail(side, sizes[-1], expected_n, one_sided=one_sided)
    else:
        level = _spent_tail(side, tuple(min(1.0, size / horizon) for size in sizes))
    level = level if one_sided else 2 * level
    return 0.0 if level < _TINY else min(level, alpha)


def is_final(looks: Sequence[int], horizon: int | None) -> bool:
    """The one look there is, or one at the horizon. Without a horizon no look is the last."""
    return not looks or (horizon is not None and looks[-1] >= horizon)


def spending(alpha: float, fraction: float) -> float:
    """One side's α spent up to this fraction of the information."""
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(min(fraction, 1.0))))


def _spent_tail(side: float, fractions: tuple[float, ...]) -> float:
    for upto in range(1, len(fractions)):
        _boundary(side, fractions[:upto])  # fills the cache from the front, so that recursion stays one deep
    return _boundary(side, fractions)[0]


@lru_cache(maxsize=4096)
def _boundary(side: float, fractions: tuple[float, ...]) -> tuple[float, Floats, Floats]:
    """Tail probability of this look's boundary, and the density of the score below it, on a grid.

    The score S has independent normal increments with variance t_k − t_{k−1}; the boundary b solves
    P(no crossing before, S_k ≥ b) = f(t_k) − f(t_{k−1}).
    """
    now = fractions[-1]
    if len(fractions) == 1:
        tail = spending(side, now)
        bound = -float(ndtri(max(tail, 1e-300))) * math.sqrt(now)
        grid = _grid(bound, now, now)
        density = np.exp(-(grid**2) / (2 * now)) / math.sqrt(2 * math.pi * now)
        return tail, grid, density * _simpson(grid)
    before = fractions[-2]
    _, past, mass = _boundary(side, fractions[:-1])
    step = now - before
    budget = spending(side, now) - spending(side, before)
    if step <= 0 or budget <= 0:
        return 0.0, past, mass
    spread = math.sqrt(step)

    def crossing(bound: float) -> float:
        return float(mass @ ndtr((past - bound) / spread))

    low, high = -8.0 * math.sqrt(now), 40.0 * math.sqrt(now)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if crossing(middle) > budget else (low, middle)
    bound = (low + high) / 2
    grid = _grid(bound, now, step)
    kernel = np.exp(-((grid[:, None] - past[None, :]) ** 2) / (2 * step)) / math.sqrt(2 * math.pi * step)
    return float(ndtr(-bound / math.sqrt(now))), grid, (kernel @ mass) * _simpson(grid)


def _grid(bound: float, now: float, step: float) -> Floats:
    """From far below to the boundary, fine enough for the narrowest increment."""
    low = -8.0 * math.sqrt(now)
    top = min(bound, 10.0 * math.sqrt(now))
    points = int(min(max((top - low) / math.sqrt(step) * 12, 400), 2000)) | 1
    return np.linspace(low, top, points)


def _simpson(grid: Floats) -> Floats:
    weights = np.ones(grid.size)
    weights[1:-1:2] = 4
    weights[2:-1:2] = 2
    weights *= (grid[1] - grid[0]) / 3
    return weights


def _confidence_sequence_tail(side: float, n: int, expected_n: int, *, one_sided: bool) -> float:
    """Upper tail of the sequence's multiplier at n.

    Two-sided: √(2 (nρ² + 1) / (nρ²) · log(√(nρ² + 1) / α)); one-sided: log(1 + √(nρ² + 1) / (2α)) in its place.
    ρ² = (2 log(1/α) + log(2 log(1/α)) + 1) / expected_n, with 2α for one side.
    """
    alpha = 2 * side
    depth = -2 * math.log(alpha)
    rho2 = max(depth + math.log(depth) + 1 if depth > 0 else 1.0, 0.1) / max(expected_n, 1)
    scaled = n * rho2 + 1
    inner = math.log1p(math.sqrt(scaled) / (2 * side)) if one_sided else math.log(math.sqrt(scaled) / alpha)
    return float(ndtr(-math.sqrt(2 * scaled / (scaled - 1) * inner)))
