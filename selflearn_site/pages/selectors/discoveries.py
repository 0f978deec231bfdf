"""The ledger of false discoveries for its pages: what was spent, what is left, and what one experiment met."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.models import DiscoveryEntry
from experiments.selectors import ledger_entry_of, ledger_standing


@dataclass(frozen=True, slots=True)
class Met:
    """What one experiment met in its ledger, as texts."""

    p: str
    level: str
    discovery: bool
    place: int
    stream: str
    untested: str


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as it stands, levels as texts; `share` is the part of what was earned that is left, 0 to 100."""

    name: str
    tested: int
    spent: str
    left: str
    share: int
    next_level: str


def met(slug: str) -> Met | None:
    entry = ledger_entry_of(slug)
    if entry is None:
        return None
    return Met(
        p=small(entry.p_value),
        level=small(entry.level),
        discovery=entry.discovery,
        place=entry.place,
        stream=entry.stream,
        untested=entry.untested,
    )


def streams() -> list[Stream]:
    return [_stream(last) for last in ledger_standing()]


def _stream(last: DiscoveryEntry) -> Stream:
    earned = last.spent + last.left
    return Stream(
        name=last.stream,
        tested=last.place,
        spent=small(last.spent),
        left=small(last.left),
        share=round(100 * last.left / earned) if earned else 0,
        next_level=small(last.next_level),
    )


def small(value: float) -> str:
    """A probability to two digits that mean something: 0.0055, 0.000015, and "< 0.000001" below that."""
    if 0 < value < 1e-6:
        return "< 0.000001"
    return "0" if value == 0 else f"{value:.2g}" if value >= 1e-4 else f"{value:.6f}"
