"""Nothing may stand in two splits: no person, no memory, no question; and texts that nearly do are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from emulator.duplicates import NearPair, Said, near_pairs
from experiments.domain.examples import ExampleValue
from experiments.importers.base import Conversation
from kernel.errors import InvalidInput

_MEMORY_STEMS = 6
"""Turns of a talk are compared from this many stems on: thanks and farewells are alike in every talk."""
_SHOWN = 10


def leakage_refuse(values: Mapping[str, Sequence[ExampleValue]]) -> None:
    """Raise `InvalidInput` when two splits share an id: of a question, of the person asked, of an expected memory."""
    for one, other in combinations(values, 2):
        for what, ids in (
            ("question", lambda item: {item.external_id}),
            ("person", lambda item: {str(item.user_id)}),
            ("memory", lambda item: {str(memory) for memory in item.expected_memory_ids}),
        ):
            first, second = (set().union(*(ids(item) for item in values[split])) for split in (one, other))
            shared = sorted(first & second)
            if shared:
                raise InvalidInput(
                    f"{one} and {other} share the {what} {shared[0]}: nothing may stand in two splits",
                    details={"what": what, "shared": shared[:_SHOWN]},
                )


def leakage_report(
    *, questions: Mapping[str, Sequence[ExampleValue]], conversations: Mapping[str, Sequence[Conversation]]
) -> dict[str, Any]:
    """Texts of two splits that are nearly the same: how many pairs, and the nearest of them by id.

    Only ids: the report is read by all, and golden texts are not. Real talks repeat themselves ("take care, see you
    soon"), so this is said and not refused.
    """
    asked = [Said(split, item.external_id, item.query) for split, items in questions.items() for item in items]
    told = [
        Said(split, f"{item.conversation_id}/{name}", memory.text)
        for split, items in conversations.items()
        for item in items
        for name, memory in item.memories.items()
    ]
    found = [*near_pairs(asked), *near_pairs(told, fewest=_MEMORY_STEMS)]
    return {"count": len(found), "nearest": [_by_id(pair) for pair in found[:_SHOWN]]}


def _by_id(pair: NearPair) -> list[Any]:
    one, other = (f"{item.where} ({item.split})" for item in (pair.one, pair.other))
    return [one, other, round(pair.overlap, 2)]
