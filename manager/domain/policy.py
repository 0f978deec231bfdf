"""What may happen to an experiment or to a verified change: at once, put before a person, or refused. Every answer has
its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.change import GuardViolation
from contracts.goal import Autonomy

_ORDER = (Autonomy.MANUAL, Autonomy.SEMI_AUTO, Autonomy.FULL_AUTO)


@dataclass(frozen=True, slots=True)
class Decision:
    kind: Literal["apply", "ask", "refuse"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leeway:
    """How far a campaign may go: its own level, or the policy's highest where that is lower."""

    wanted: Autonomy
    most: Autonomy = Autonomy.FULL_AUTO

    @property
    def level(self) -> Autonomy:
        return min(self.wanted, self.most, key=_ORDER.index)

    @property
    def why(self) -> str:
        """Whose level it is, in words."""
        if self.level is self.wanted:
            return f"the autonomy level is {self.level}"
        return f"the policy lets no campaign go beyond {self.level}"


def decide_start(leeway: Leeway) -> Decision:
    """Whether an experiment starts without a person."""
    if leeway.level is Autonomy.MANUAL:
        return Decision("ask", (f"{leeway.why}: starting an experiment waits for a person",))
    return Decision("apply", (f"{leeway.why}: experiments start without a person",))


def decide(
    *,
    leeway: Leeway,
    violations: Sequence[GuardViolation],
    unasked: str = "",
    above_level: str = "",
    enough_today: str = "",
    asked: str = "",
) -> Decision:
    """Decide on a change that won its experiment and that the golden gate agrees with.

    A violation that no approval lifts refuses; one that an approval lifts asks; so does a golden set that may not be
    asked any more (`unasked`: why), a p above the level of the ledger of false discoveries (`above_level`: how far),
    a day in which the system has changed enough by itself (`enough_today`: how much), and a factor that the policy
    puts before a person (`asked`: which). Else the autonomy level decides.
    """
    final = [item for item in violations if not item.lifted_by_approval]
    if final:
        return Decision("refuse", tuple(item.message for item in final))
    whys = (unasked, above_level, enough_today, asked)
    asking = (*(item.message for item in violations), *(why for why in whys if why))
    if asking:
        return Decision("ask", asking)
    if leeway.level is Autonomy.FULL_AUTO:
        return Decision("apply", ("inside the automatic range, and the autonomy level is full_auto",))
    return Decision("ask", (f"{leeway.why}: applying waits for a person",))


def factor_asked(factor: str, asked: Sequence[str]) -> str:
    """Why a person decides on every change of this factor; empty when the policy does not say so."""
    return f"the policy puts every change of {factor} before a person" if factor in asked else ""


def cycles_problem(wanted: int, most: int) -> str:
    """Why a campaign may not have so many cycles; empty when it may."""
    return f"the policy allows a campaign {most} cycles, not {wanted}" if wanted > most else ""
