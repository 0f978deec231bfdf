"""Agreement of a judge with people: Cohen's κ, true-positive and true-negative rates, with intervals. Pure.

Cases are drawn by the judge's own mark, since what it marks as wrong is rare. The two rates are conditional on what
the *person* says, so the raw shares of such a sample are biased: each drawn case stands for N/n cases of its stratum.

Within one stratum (and one mark of the judge) the cases are a simple random sample; their share that a person calls
positive has a Wilson interval. All three figures are monotone functions of two weighted sums of such shares:

    A = share of all cases where judge and person say yes,  B = where the judge says no and the person yes,
    m = share where the judge says yes (known: the judge has marked every case)

    TPR = A / (A + B)        TNR = (1 − m − B) / (1 − A − B)        κ = 1 − (m − A + B) / (m + P − 2mP),  P = A + B

κ and TPR and TNR rise with A and fall with B. Intervals are recovered from those of the shares by squaring and adding
(Newcombe 1998 method 10 for two, Zou and Donner 2008, "MOVER", for sums; Newcombe 2011, "propagating imprecision",
for functions of them). They stay wide where no error was found among few drawn cases that stand for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or a κ with its 95 % interval. `value` None: it cannot be told, and `absent` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Cases of one stratum under one mark of the judge. `weight`: how many cases there are in all, labelled or not.

    `n`: labelled by people; `positive`: those that people call positive.
    """

    mark: bool
    weight: float
    n: int
    positive: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """`n` labelled cases; `agreed` of them as the judge says (in the sample itself, not weighted)."""

    n: int
    agreed: int
    kappa: Figure
    tpr: Figure
    tnr: Figure


def wilson(positive: float, n: float, *, z: float = _Z) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share; all of [0, 1] where nothing was seen."""
    if n <= 0:
        return 0.0, 1.0
    share = positive / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the formula is exact but for rounding, which may step over the estimate.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def agreement(cells: Iterable[Cell]) -> Agreement:
    """The three figures of one judge on one question, for the population that the weights add up to."""
    held = [cell for cell in cells if cell.weight > 0]
    n = sum(cell.n for cell in held)
    agreed = sum(cell.positive if cell.mark else cell.n - cell.positive for cell in held)
    whole = sum(cell.weight for cell in held)
    if n == 0:
        nothing = Figure(None, absent="no case is labelled yet")
        return Agreement(0, 0, nothing, nothing, nothing)
    yes = _Sum.of([cell for cell in held if cell.mark], whole)
    no = _Sum.of([cell for cell in held if not cell.mark], whole)
    m = sum(cell.weight for cell in held if cell.mark) / whole
    return Agreement(
        n=n,
        agreed=agreed,
        kappa=_figure(_Kappa(m), yes, no, absent="people and judge say the same of every case: κ is not defined"),
        tpr=_figure(_Tpr(), yes, no, absent="people call no case positive"),
        tnr=_figure(_Tnr(m), yes, no, absent="people call every case positive"),
    )


@dataclass(frozen=True, slots=True)
class _Sum:
    """A weighted sum of shares, A or B, with its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, cells: Sequence[Cell], whole: float) -> _Sum:
        """A stratum that nobody has labelled yet has the share of the others and all of [0, 1] for an interval."""
        n, positive = sum(cell.n for cell in cells), sum(cell.positive for cell in cells)
        pooled = positive / n if n else 0.5
        value = below = above = 0.0
        for cell in cells:
            part = cell.weight / whole
            share = cell.positive / cell.n if cell.n else pooled
            low, high = wilson(cell.positive, cell.n)
            value += part * share
            below = hypot(below, part * (share - low))
            above = hypot(above, part * (high - share))
        most = sum(cell.weight for cell in cells) / whole
        return cls(value, max(value - below, 0.0), min(value + above, most))


class _Tpr:
    def __call__(self, a: float, b: float) -> float | None:
        return a / (a + b) if a + b > 0 else None


@dataclass(frozen=True, slots=True)
class _Tnr:
    m: float

    def __call__(self, a: float, b: float) -> float | None:
        negative = 1 - a - b
        return min(max((1 - self.m - b) / negative, 0.0), 1.0) if negative > 1e-12 else None


@dataclass(frozen=True, slots=True)
class _Kappa:
    m: float

    def __call__(self, a: float, b: float) -> float | None:
        positive = a + b
        chance = self.m + positive - 2 * self.m * positive
        return 1 - (self.m - a + b) / chance if chance > 1e-12 else None


def _figure(function: _Tpr | _Tnr | _Kappa, yes: _Sum, no: _Sum, *, absent: str) -> Figure:
    value = function(yes.value, no.value)
    if value is None:
        return Figure(None, absent=absent)

    def away(a: float, b: float) -> float:
        moved = function(a, b)
        return 0.0 if moved is None else moved - value

    low = value - hypot(min(away(yes.low, no.value), 0.0), min(away(yes.value, no.high), 0.0))
    high = value + hypot(max(away(yes.high, no.value), 0.0), max(away(yes.value, no.low), 0.0))
    floor = -1.0 if isinstance(function, _Kappa) else 0.0
    return Figure(value, max(low, floor), min(high, 1.0))


def cohen_kappa(both: int, first: int, second: int, neither: int) -> Figure:
    """κ of two raters who saw the same cases, each counted once, with the asymptotic interval.

    `both` said yes, only the `first`, only the `second`, `neither`. The standard error is that of Fleiss, Cohen and
    Everitt (1969), as in statsmodels' `cohens_kappa`; too narrow below some thirty cases, and 0 when all agree.
    """
    n = both + first + second + neither
    if n == 0:
        return Figure(None, absent="no case was labelled by both")
    table = ((both / n, first / n), (second / n, neither / n))
    rows = [sum(row) for row in table]
    columns = [table[0][place] + table[1][place] for place in (0, 1)]
    observed = table[0][0] + table[1][1]
    chance = rows[0] * columns[0] + rows[1] * columns[1]
    if 1 - chance < 1e-12:
        return Figure(None, absent="both say the same of every case: κ is not defined")
    kappa = (observed - chance) / (1 - chance)
    agreeing = sum(table[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in (0, 1))
    crossing = (1 - kappa) ** 2 * sum(table[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in (0, 1))
    variance = agreeing + crossing - (kappa - chance * (1 - kappa)) ** 2
    error = sqrt(max(variance, 0.0) / n) / (1 - chance)
    return Figure(kappa, max(kappa - _Z * error, -1.0), min(kappa + _Z * error, 1.0))
