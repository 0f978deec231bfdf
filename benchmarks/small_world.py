"""A small world for campaigns: people's old facts, asked about after newer talk that shares words with them.

What is found depends on how search weighs shared words and age, so that parameters matter because of the data alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2025, 1, 6, 9, tzinfo=UTC)

COLOURS = ("amber", "crimson", "violet", "olive", "indigo", "scarlet")
THINGS = ("kettle", "bicycle", "lantern", "telescope", "umbrella", "accordion", "compass", "teapot", "sledge", "drum")
PLACES = ("attic", "cellar", "garage", "balcony", "workshop", "pantry")
NICKNAMES = ("Bramble", "Comet", "Dumpling", "Ember", "Fidget", "Goblin", "Hazel", "Inkwell", "Juniper", "Kestrel")


@dataclass(frozen=True)
class Sizes:
    """Questions in each conversation; the names of the conversations are those of the splits."""

    train: int = 16
    validation: int = 62
    golden: int = 20

    def items(self) -> Iterator[tuple[str, int]]:
        yield from (("train", self.train), ("validation", self.validation), ("golden", self.golden))


def lines(sizes: Sizes) -> Iterator[dict[str, Any]]:
    """The data set's lines: for each question one old fact, and newer talk that shares one word with it."""
    for place, (name, count) in enumerate(sizes.items()):
        for number in range(count):
            yield from _topic(name, place, number)


def _topic(conversation: str, shift: int, number: int) -> Iterator[dict[str, Any]]:
    thing, colour = THINGS[number % len(THINGS)], COLOURS[(number // len(THINGS) + shift) % len(COLOURS)]
    spot, nick = PLACES[(number * 5 + shift) % len(PLACES)], NICKNAMES[(number * 7 + shift) % len(NICKNAMES)]

    def memory(key: str, day: int, text: str) -> dict[str, Any]:
        at = (START + timedelta(days=day, minutes=number)).isoformat()
        return {"type": "memory", "conversation": conversation, "id": key, "at": at, "speaker": "Nora", "text": text}

    yield memory(f"f{number}", number % 20, f"My {colour} {thing} stays in the {spot} and I call it {nick}.")
    for copy in range(number % 3):
        yield memory(f"d{number}-{copy}", 60 + number % 25 + copy, f"A neighbour asked about some {thing} again.")
    yield {
        "type": "question",
        "conversation": conversation,
        "id": f"q{number}",
        "at": (START + timedelta(days=100, minutes=number)).isoformat(),
        "query": f"How do I call the {colour} {thing} in the {spot}?",
        "evidence": [f"f{number}"],
        "category": "factual" if number % 2 else "temporal",
        "difficulty": "medium",
        "key_facts": [nick],
    }


def world_write(path: Path, sizes: Sizes) -> dict[str, list[str]]:
    """The data set as a `jsonl` file; returns the conversations of each split."""
    path.write_text("\n".join(json.dumps(line) for line in lines(sizes)), encoding="utf-8")
    return {split: [split] for split, count in sizes.items() if count}
