"""Multiplies a train scenario: one numbered variant is one consistent person with words of their own.

Names, places and numbers hold through a whole variant; each message picks its ways of saying things by itself. Every
pick is a walk through all that it can be, so consecutive variant numbers repeat no value, wording or phrase before
nearly all have been used once (random picks would collide by the birthday rule).
"""

from __future__ import annotations

import math
import re

from emulator.domain.scenario import ALTERNATIVES, PHRASE, SLOT, Scenario, SlotValue, Thread, Turn
from kernel.canonical import derive_seed
from kernel.errors import InvalidInput

_DRIFTS = 4
_GOLDEN = (math.sqrt(5) - 1) / 2
_NAME = re.compile(r"(?<=[^\W\d_A-ZА-ЯЁ] )[A-ZА-ЯЁ][\w'’-]*|(?<=, )[A-ZА-ЯЁ][\w'’-]*")
_FIRST = re.compile(r"\s*(?!I\b)([A-ZА-ЯЁ][\w'’-]*)")
"""Words with a capital inside a sentence, and the word that begins a text ("I" aside, which keeps its capital)."""


def combinations(text: str) -> int:
    """In how many ways the template can be said, slots and phrases aside."""
    return math.prod(len(match.group(1).split("|")) for match in ALTERNATIVES.finditer(text))


def scenario_variant(scenario: Scenario, *, number: int) -> Scenario:
    """The variant `number` of a scenario: fixed texts, no slots left. Scenarios of fixed text return as they are.

    Same number, same variant. Raises `InvalidInput` when a text names a slot or phrases that have no values.
    """
    if scenario.split != "train":
        return scenario
    told = _Variant(scenario, number)
    return scenario.model_copy(
        update={
            "goal": told.fill(scenario.goal, scenario.id),
            "threads": tuple(told.thread(thread) for thread in scenario.threads),
            "slots": {},
            "phrases": {},
        }
    )


class _Variant:
    """One person: the values of all slots, and what has been said so far of the phrases."""

    def __init__(self, scenario: Scenario, number: int):
        self._scenario, self._number = scenario, number
        self._values = {
            name: options[_walk(len(options), number, "slot", scenario.family, name)]
            for name, options in sorted(scenario.slots.items())
        }
        self._wordings = {name: [combinations(item) for item in items] for name, items in scenario.phrases.items()}
        uses = [name for _, _, turn in scenario.turns() for name in PHRASE.findall(turn.text)]
        self._uses = {name: uses.count(name) for name in scenario.phrases}
        self._used = dict.fromkeys(scenario.phrases, 0)
        self._names = {name for _, _, turn in scenario.turns() for name in _NAME.findall(turn.text)}

    def thread(self, thread: Thread) -> Thread:
        turns = tuple(self._turn(thread, place, turn) for place, turn in enumerate(thread.turns))
        return thread.model_copy(update={"turns": turns})

    def fill(self, text: str, where: str) -> str:
        """Put the values of its slots into `text`."""

        def one(match: re.Match[str]) -> str:
            name, form = match.groups()
            value: SlotValue | None = self._values.get(name)
            if isinstance(value, dict):
                value = value.get(form or "base")
            elif form:
                value = None
            if value is None:
                raise InvalidInput(f"{where}: slot {match.group(0)} has no value", details={"slot": match.group(0)})
            return value

        return SLOT.sub(one, text)

    def _turn(self, thread: Thread, place: int, turn: Turn) -> Turn:
        where = f"{self._scenario.id}.{thread.id}"
        pick = _walk(combinations(turn.text), self._number, "turn", self._scenario.family, thread.id, place)
        text = self._phrased(turn.text, _choose(turn.text, pick), where)
        query = turn.query
        if query:
            query = query.model_copy(
                update={
                    "key_facts": tuple(self.fill(item, where) for item in query.key_facts),
                    "forbidden": tuple(self.fill(item, where) for item in query.forbidden),
                }
            )
        return turn.model_copy(update={"text": self.fill(text, where), "query": query})

    def _phrased(self, template: str, text: str, where: str) -> str:
        """Say the phrases that `text` asks for: the next ones, counted through all threads and variants."""
        places = {}
        for name in PHRASE.findall(template):
            if name not in self._used:
                raise InvalidInput(f"{where}: there are no phrases {name}", details={"phrases": name})
            places[name] = self._number * self._uses[name] + self._used[name]
            self._used[name] += 1

        def one(match: re.Match[str]) -> str:
            name = match.group(1)
            pick = _walk(sum(self._wordings[name]), places[name], "phrase", self._scenario.family, name)
            for item, ways in zip(self._scenario.phrases[name], self._wordings[name], strict=True):
                if pick < ways:
                    return _choose(item, pick)
                pick -= ways
            raise AssertionError("a walk stays within what it walks through")

        found = PHRASE.search(text)
        if found is None:
            return text
        begun = one(found)
        rest = PHRASE.sub(one, text[found.end() :])
        first = _FIRST.match(rest)
        if begun.endswith((":", ",")) and first and first[1] not in self._names:
            rest = rest[: first.start(1)] + rest[first.start(1)].lower() + rest[first.start(1) + 1 :]
        return text[: found.start()] + begun + rest


def _walk(total: int, number: int, *key: object) -> int:
    """Where walk `key` stands at `number`: any `total` − `_DRIFTS` + 1 consecutive places differ.

    Steps are of about the golden section: neighbours in the walk are far apart, unlike as neither of two halves of a
    phrase. Each round begins a little further, so that two walks of one length do not stay in step.
    """
    if total == 1:
        return 0
    step = round(total * _GOLDEN)
    while math.gcd(step, total) != 1:
        step += 1
    drift = derive_seed("drift", *key) % _DRIFTS
    return (derive_seed("start", *key) + step * (number + drift * (number // total))) % total


def _choose(text: str, pick: int) -> str:
    """Replace each group of alternatives by one, reading `pick` as digits of a mixed radix."""

    def one(match: re.Match[str]) -> str:
        nonlocal pick
        options = match.group(1).split("|")
        pick, digit = divmod(pick, len(options))
        return options[digit]

    return ALTERNATIVES.sub(one, text)
