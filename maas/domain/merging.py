"""Which of two memories of one person says all that the other says: merging loses nothing but a repetition. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from uuid import UUID

LEAST_WORDS = 4
"""Shorter ones ("Yes, in June") mean something only where they were said."""
LEAST_SHARE = 0.8
"""Words of the fuller one that the other must have too."""
_CHANGING = frozenset(
    {
        "not", "no", "never", "without", "unless", "if", "until", "almost", "maybe", "perhaps", "hardly", "was", "were",
        "used", "former", "ex", "instead", "anymore", "не", "нет", "ни", "никогда", "без", "если", "пока", "почти",
        "может", "возможно", "вряд", "был", "была", "было", "были", "бывший", "бывшая", "больше", "раньше", "вместо",
    }
)  # fmt: skip
"""Words that turn what is said: where only one of the two has them, they do not say the same."""


@dataclass(frozen=True, slots=True)
class Said:
    memory_id: UUID
    text: str
    speaker: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    keep: UUID
    drop: UUID


def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def covers(full: Sequence[str], part: Sequence[str]) -> bool:
    """Whether the words of `part` stand in `full`, in this order, and make up most of it."""
    if len(part) < LEAST_WORDS or len(part) < LEAST_SHARE * len(full):
        return False
    rest = iter(full)
    if not all(word in rest for word in part):
        return False
    return set(full) & _CHANGING == set(part) & _CHANGING


def pairs(memories: Sequence[Said], *, protected: Collection[UUID]) -> list[Pair]:
    """What could be merged, each memory in one pair at most. Of equal ones the newer is kept, or the protected one; a
    protected one is never dropped."""
    by_speaker: dict[tuple[str, str], list[tuple[Said, tuple[str, ...]]]] = defaultdict(list)
    for memory in memories:
        found = words(memory.text)
        if found:
            by_speaker[memory.speaker, found[0]].append((memory, found))
    taken: set[UUID] = set()
    result: list[Pair] = []
    for group in by_speaker.values():
        for (one, of_one), (other, of_other) in combinations(group, 2):
            if one.memory_id in taken or other.memory_id in taken:
                continue
            pair = _pair(one, of_one, other, of_other, protected)
            if pair is not None:
                taken |= {pair.keep, pair.drop}
                result.append(pair)
    return result


def _pair(
    one: Said, of_one: Sequence[str], other: Said, of_other: Sequence[str], protected: Collection[UUID]
) -> Pair | None:
    choices = []
    if covers(of_one, of_other) and other.memory_id not in protected:
        choices.append((one, other))
    if covers(of_other, of_one) and one.memory_id not in protected:
        choices.append((other, one))
    if not choices:
        return None
    keep, drop = max(choices, key=lambda choice: (choice[0].memory_id in protected, choice[0].said_at))
    return Pair(keep.memory_id, drop.memory_id)
