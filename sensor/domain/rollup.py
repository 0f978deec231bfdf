"""Percentiles from logarithmic histograms, each within half a per cent of the exact one.

Bin i holds values in (γ^(i-1), γ^i] and stands for 2·γ^i / (γ+1), which lies within (γ-1)/(γ+1) of each of them
(DDSketch: Masson, Rim, Lee 2019). Histograms add up, so any buckets of time and any dimensions can be put together;
the database makes and adds them (`sensor_bin`, `sensor_histogram_add`), this reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

GAMMA = 1.01
ZERO_BIN = -32768
"""Holds what is below a thousandth: zero, for the milliseconds that are kept."""
RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1)

Histogram = Mapping[int, int]
"""How many values each bin holds."""


def bin_value(number: int) -> float:
    """What stands for every value of a bin."""
    return 0.0 if number == ZERO_BIN else float(2 * GAMMA**number / (GAMMA + 1))


def percentiles(histogram: Histogram, shares: Sequence[float]) -> list[float | None]:
    """The values below which `shares` (0 to 1) of all lie, as `percentile_cont` interpolates; None of no values.

    Both neighbours that are interpolated between are within `RELATIVE_ERROR`, and so is the result.
    """
    filled = sorted((number, count) for number, count in histogram.items() if count > 0)
    last = sum(count for _, count in filled) - 1
    if last < 0:
        return [None] * len(shares)
    ends = [0]
    for _, count in filled:
        ends.append(ends[-1] + count)

    def at(rank: int) -> float:
        place = next(i for i, (low, high) in enumerate(pairwise(ends)) if low <= rank < high)
        return bin_value(filled[place][0])

    found: list[float | None] = []
    for share in shares:
        wanted = share * last
        low = int(wanted)
        below, above = at(low), at(min(low + 1, last))
        found.append(below + (above - below) * (wanted - low))
    return found
