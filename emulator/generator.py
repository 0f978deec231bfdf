"""Multiplies a train scenario: one numbered variant is one consistent person with words of their own.

Names, places and numbers hold through a whole variant; each thread picks its ways of saying things by itself.
A thread's pick is an affine walk through all its combinations, so consecutive variant numbers never give it the
same text until every combination has been used once (random picks would collide by the birthday rule).
"""

from __future__ import annotations

import math
import random
import re

from emulator.domain.scenario import ALTERNATIVES, SLOT, Scenario, SlotValue, Thread, Turn
from kernel.canonical import derive_seed
from kernel.errors import InvalidInput


def combinations(thread: Thread) -> int:
    """In how many ways the thread can be said, slots aside."""
    return math.prod(len(group) for group in _groups(thread))


def scenario_variant(scenario: Scenario, *, number: int) -> Scenario:
    """The variant `number` of a scenario: fixed texts, no slots left. Scenarios of fixed text return as they are.

    Same number, same variant. Raises `InvalidInput` when a text names a slot that has no values.
    """
    if scenario.split != "train":
        return scenario
    values = _slot_values(scenario, number)
    threads = tuple(_thread_variant(scenario, thread, values, number) for thread in scenario.threads)
    return scenario.model_copy(
        update={"goal": _fill(scenario.goal, values, scenario.id), "threads": threads, "slots": {}}
    )


def _slot_values(scenario: Scenario, number: int) -> dict[str, SlotValue]:
    rng = random.Random(derive_seed("slots", scenario.family, number))  # noqa: S311 - variety, not secrecy
    return {name: rng.choice(options) for name, options in sorted(scenario.slots.items())}


def _thread_variant(scenario: Scenario, thread: Thread, values: dict[str, SlotValue], number: int) -> Thread:
    total = combinations(thread)
    step = derive_seed("step", scenario.family, thread.id) % total if total > 1 else 1
    while math.gcd(step, total) != 1:
        step += 1
    pick = (derive_seed("start", scenario.family, thread.id) + step * number) % total
    turns = []
    for turn in thread.turns:
        text, pick = _choose(turn.text, pick)
        turns.append(_turn_variant(turn, text, values, f"{scenario.id}.{thread.id}"))
    return thread.model_copy(update={"turns": tuple(turns)})


def _choose(text: str, pick: int) -> tuple[str, int]:
    """Replace each group of alternatives by one, reading `pick` as digits of a mixed radix; what is left of it."""

    def one(match: re.Match[str]) -> str:
        nonlocal pick
        options = match.group(1).split("|")
        pick, digit = divmod(pick, len(options))
        return options[digit]

    return ALTERNATIVES.sub(one, text), pick


def _turn_variant(turn: Turn, text: str, values: dict[str, SlotValue], where: str) -> Turn:
    query = turn.query
    if query:
        query = query.model_copy(
            update={
                "key_facts": tuple(_fill(item, values, where) for item in query.key_facts),
                "forbidden": tuple(_fill(item, values, where) for item in query.forbidden),
            }
        )
    return turn.model_copy(update={"text": _fill(text, values, where), "query": query})


def _fill(text: str, values: dict[str, SlotValue], where: str) -> str:
    def one(match: re.Match[str]) -> str:
        name, form = match.groups()
        value = values.get(name)
        if isinstance(value, dict):
            value = value.get(form or "base")
        elif form:
            value = None
        if value is None:
            raise InvalidInput(f"{where}: slot {match.group(0)} has no value", details={"slot": match.group(0)})
        return value

    return SLOT.sub(one, text)


def _groups(thread: Thread) -> list[list[str]]:
    return [match.group(1).split("|") for turn in thread.turns for match in ALTERNATIVES.finditer(turn.text)]
