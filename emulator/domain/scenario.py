"""The scenario file format: one person's life over months, told in threads, with what each question expects.

Pure values. Texts of train scenarios are templates: `{slot}` or `{slot.form}` stands for one value of a variant,
`[[a|b|c]]` for one of several ways to say it, `<name>` for one of the person's `phrases` of that name. Validation and
golden texts are fixed. See docs/SCENARIOS.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from contracts.base import Part
from contracts.dialogue import Category, Difficulty

EventKind = Literal[
    "fact", "preference", "goal", "decision", "constraint", "update", "cancel", "contradiction", "progress"
]
QueryKind = Literal["direct", "indirect", "time-filtered", "verification"]
Language = Literal["ru", "en"]
Split = Literal["train", "validation", "golden"]

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?\}")
ALTERNATIVES = re.compile(r"\[\[(.+?)\]\]", re.DOTALL)
PHRASE = re.compile(r"<([a-z]+)>")

_NAME = r"^[a-z0-9][a-z0-9_.-]*$"


class Event(Part):
    """What one statement tells. `supersedes`: the event that it makes stale; `repeats`: the one that it says again."""

    id: str = Field(pattern=_NAME)
    kind: EventKind
    supersedes: str | None = None
    repeats: str | None = None


class Query(Part):
    """A question and its truth. `expects`: event ids said before it; `forbidden`: values that would be wrong now."""

    id: str = Field(pattern=_NAME)
    kind: QueryKind
    category: Category
    difficulty: Difficulty
    expects: tuple[str, ...] = ()
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    should_retrieve: bool = True


class Turn(Part):
    """One message of the user: a statement (events), a question (query), or neither (small talk, everyday detail)."""

    text: str = Field(min_length=1)
    events: tuple[Event, ...] = ()
    query: Query | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_event(cls, data: Any) -> Any:
        if isinstance(data, dict) and "event" in data:
            if "events" in data:
                raise ValueError("give `event` or `events`, not both")
            data = {**data, "events": [data["event"]]}
            del data["event"]
        return data

    @model_validator(mode="after")
    def _either_or(self) -> Turn:
        if self.events and self.query:
            raise ValueError("a turn states something or asks something, not both")
        return self


class Thread(Part):
    """One dialogue. `day` counts simulated days from the scenario's start."""

    id: str = Field(pattern=_NAME)
    day: int = Field(ge=0)
    turns: tuple[Turn, ...] = Field(min_length=1)


SlotValue = str | dict[str, str]
"""A text, or its forms by name ("base" is what `{slot}` alone gives; others for grammar: `{city.prep}`)."""


class Scenario(Part):
    """A goal-oriented project of one person. `family` clusters the variants made from it in every analysis."""

    schema_version: int = 1
    id: str = Field(pattern=_NAME)
    family: str = Field(pattern=_NAME)
    language: Language
    split: Split
    persona: str
    goal: str = Field(min_length=1)
    starts_on: date
    threads: tuple[Thread, ...] = Field(min_length=1)
    slots: dict[str, tuple[SlotValue, ...]] = {}
    phrases: dict[str, tuple[str, ...]] = {}
    """What this person says in many threads (greetings, partings, words around a question), as templates."""

    def turns(self) -> Iterator[tuple[Thread, int, Turn]]:
        """All turns in the order they are said: (thread, position in it, turn)."""
        for thread in self.threads:
            for position, turn in enumerate(thread.turns):
                yield thread, position, turn

    def statements(self) -> Iterator[tuple[Thread, Turn]]:
        return ((thread, turn) for thread, _, turn in self.turns() if turn.events)

    def queries(self) -> Iterator[tuple[Thread, Turn, Query]]:
        return ((thread, turn, turn.query) for thread, _, turn in self.turns() if turn.query)


class Persona(Part):
    """Who speaks: background, knowledge, style, patience (turns without help before giving up), language."""

    id: str = Field(pattern=_NAME)
    name: str
    language: Language
    background: str
    knowledge: Literal["novice", "practised", "expert"]
    style: str
    patience: int = Field(ge=1, le=20)
