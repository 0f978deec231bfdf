"""What every test gives to the rules of the verdict, and the test for differences that do not vary at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

Bounds = tuple[float | None, float | None]


class Inference(Protocol):
    """One comparison of variant with baseline, in the metric's unit (a ratio − 1 on the log scale).

    `variance` is that of one difference on the scale of the test (paired: of a pair's difference; unpaired: the
    variances of both arms together), for planning; None when unknown. `design_effect` is at least 1.
    """

    @property
    def estimate(self) -> float: ...
    @property
    def p_two_sided(self) -> float: ...
    @property
    def method(self) -> str: ...
    @property
    def variance(self) -> float | None: ...
    @property
    def design_effect(self) -> float: ...

    def interval(self, tail: float) -> Bounds:
        """Low and high, each with `tail` beyond it."""

    def p_greater(self, bound: float) -> float:
        """One-sided p against "the true difference is at most `bound`"."""

    def p_less(self, bound: float) -> float:
        """One-sided p against "the true difference is at least `bound`"."""


@dataclass(frozen=True)
class NotInferable:
    """Nothing can be inferred, and why: a typed absence, never a plausible zero."""

    reason: str


@dataclass(frozen=True)
class ConstantDifference:
    """Every difference is the same value: no variance to estimate, yet not certainty.

    With n examples alike, the share q that differs is, at one-sided level α, at most 1 − α^(1/n) (exact binomial with
    no event). An example that differs can differ at worst by the whole range of the metric, so the mean lies
    between d − u(range + d) and d + u(range − d). Where the metric has no range (cost, counts) a differing example
    counts as one whole unit, a doubling for a ratio.

    Against 0 the test is the permutation test: all signs alike has probability 2^(1−n) under "the arms are
    exchangeable"; with no difference at all p = 1.
    """

    estimate: float
    n: int
    p_two_sided: float
    span: float | None
    design_effect: float = 1.0
    variance: float | None = 0.0
    method: str = "permutation test, exact bound on the share that differs"

    def _reach(self, sign: int) -> float:
        return 1.0 if self.span is None else max(self.span + sign * self.estimate, 0.0)

    def interval(self, tail: float) -> Bounds:
        return self.bounds(tail)

    def bounds(self, tail: float) -> tuple[float, float]:
        share = -math.expm1(math.log(tail) / self.n)
        return self.estimate - share * self._reach(+1), self.estimate + share * self._reach(-1)

    def _p(self, distance: float, reach: float) -> float:
        """The level at which the bound just touches: distance = reach · (1 − p^(1/n))."""
        if distance <= 0:
            return 1.0
        if reach <= 0 or distance >= reach:
            return 0.0
        return math.exp(self.n * math.log1p(-distance / reach))

    def p_greater(self, bound: float) -> float:
        return self._p(self.estimate - bound, self._reach(+1))

    def p_less(self, bound: float) -> float:
        return self._p(bound - self.estimate, self._reach(-1))


def sign_flip_floor(differing: int) -> float:
    """The smallest two-sided p that `differing` non-zero paired differences can give: all signs alike."""
    return min(1.0, 2.0 ** (1 - differing)) if differing < 1000 else 0.0
