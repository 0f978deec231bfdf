"""What may happen to a verified change: applied at once, put before a person, or refused. Every answer has reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.change import GuardViolation
from contracts.goal import Autonomy


@dataclass(frozen=True, slots=True)
class Decision:
    kind: Literal["apply", "ask", "refuse"]
    reasons: tuple[str, ...]


def may_start(autonomy: Autonomy) -> bool:
    """Whether an experiment may start without a person."""
    return autonomy is not Autonomy.MANUAL


def decide(
    *,
    autonomy: Autonomy,
    violations: Sequence[GuardViolation],
    unasked: str = "",
    above_level: str = "",
    enough_today: str = "",
) -> Decision:
    """Decide on a change that won its experiment and that the golden gate agrees with.

    A violation that no approval lifts refuses; one that an approval lifts asks; so does a golden set that may not be
    asked any more (`unasked`: why), a p above the level of the ledger of false discoveries (`above_level`: how far),
    and a day in which the system has changed enough by itself (`enough_today`: how much). Else the autonomy level
    decides.
    """
    final = [item for item in violations if not item.lifted_by_approval]
    if final:
        return Decision("refuse", tuple(item.message for item in final))
    asking = (*(item.message for item in violations), *(why for why in (unasked, above_level, enough_today) if why))
    if asking:
        return Decision("ask", asking)
    if autonomy is Autonomy.FULL_AUTO:
        return Decision("apply", ("inside the automatic range, and the autonomy level is full_auto",))
    return Decision("ask", (f"the autonomy level is {autonomy}: applying waits for a person",))
