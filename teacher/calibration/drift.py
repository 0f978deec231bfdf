"""Is a judge agreed with less than before, or less than the judge that it replaced? Pure, exact, no chance.

Over time: agreement in the latest labels against all before, kept apart by the judge's mark (and so not fooled when the
mixture of marks changes), by the exact conditional test of a common odds ratio of 1, one-sided: given how many
agreements each mark has in all, the number that falls into the latest window is a sum of hypergeometric numbers
(the exact form of Mantel and Haenszel's test; Agresti 2013, section 7.3.5). Two versions: the exact form of McNemar's
test on the cases that both judged, one-sided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, fsum

LEVEL = 0.002
"""Of one look. Of steady judges one in seventy raises a false alarm within 500 labels; a fall of agreement from .92 to
.62 is noticed by the first window in nine of ten cases (both simulated; tests hold them)."""
WINDOW = 50
"""Latest labels that are compared with all before, of which there must be as many."""
STEP = 25
"""New labels until the next look: each look at chance is one more invitation to it."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One labelled case: what the judge said, and whether people agree."""

    mark: bool
    agreed: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """Agreement before and in the latest window, and the chance of so large a fall if nothing had changed."""

    before: float
    latest: float
    n_before: int
    n_latest: int
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < LEVEL


def drift(marked: Sequence[Marked], *, window: int = WINDOW, step: int = STEP) -> Drift | None:
    """Of labels in the order in which they were given, as of the last look. None: there are too few."""
    whole = len(marked) - len(marked) % step
    if whole < 2 * window:
        return None
    before, latest = marked[: whole - window], marked[whole - window : whole]
    seen = 0
    chances = [1.0]
    for mark in (True, False):
        old = [item.agreed for item in before if item.mark is mark]
        new = [item.agreed for item in latest if item.mark is mark]
        seen += sum(new)
        chances = _convolved(chances, _hypergeometric(sum(old) + sum(new), len(old) + len(new), len(new)))
    return Drift(
        before=sum(item.agreed for item in before) / len(before),
        latest=sum(item.agreed for item in latest) / window,
        n_before=len(before),
        n_latest=window,
        p_value=min(fsum(chances[: seen + 1]), 1.0),
    )


@dataclass(frozen=True, slots=True)
class Succession:
    """Two versions on the same cases: agreement of each, and the chance of so many cases lost if they were alike."""

    old: float
    new: float
    n: int
    lost: int
    won: int
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < LEVEL


def succession(pairs: Sequence[tuple[bool, bool]]) -> Succession | None:
    """`pairs`: whether people agree with the old and with the new version, a pair for each case. None: no case."""
    if not pairs:
        return None
    lost = sum(old and not new for old, new in pairs)
    won = sum(new and not old for old, new in pairs)
    differ = lost + won
    p_value = sum(comb(differ, count) for count in range(lost, differ + 1)) / 2**differ
    n = len(pairs)
    return Succession(sum(old for old, _ in pairs) / n, sum(new for _, new in pairs) / n, n, lost, won, p_value)


def _hypergeometric(marked: int, whole: int, drawn: int) -> list[float]:
    """P(k of the drawn are marked) for k = 0 … drawn."""
    ways = comb(whole, drawn)
    return [comb(marked, k) * comb(whole - marked, drawn - k) / ways for k in range(drawn + 1)]


def _convolved(first: Sequence[float], second: Sequence[float]) -> list[float]:
    out = [0.0] * (len(first) + len(second) - 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            out[i + j] += a * b
    return out
