"""What a simulated user has in mind: goal, what was told, what is open, what was asked, and patience. Pure values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from emulator.domain.hearing import UNHELPFUL, Heard
from emulator.domain.script import QueryTruth, ScriptTurn

DEFAULT_PATIENCE = 6
EXTRA_SHARE = 0.25
"""Turns that a user may add to a script, as a share of it: enough to react, too few to become another story."""


class ActKind(StrEnum):
    SAY = "say"
    SHIFT = "shift focus"
    ASK_SIMPLER = "ask simpler"
    CLARIFY = "clarify"
    CORRECT = "correct"
    SUM_UP = "sum up"
    TEST_MEMORY = "test memory"
    LEAVE = "leave"


FROM_AGENDA = frozenset({ActKind.SAY, ActKind.SHIFT})


class Ending(StrEnum):
    GOAL = "goal reached"
    LIMIT = "turn limit"
    PATIENCE = "patience lost"
    SILENT = "fell silent"


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the dialogue that has been said, and what was heard then. `point`: its place in the agenda."""

    kind: ActKind
    text: str
    at: datetime
    point: int | None = None
    event_ids: tuple[str, ...] = ()
    question: str = ""
    """Id of the question asked, the first time or again."""
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an earlier dialogue: one of the scenario's, word for word, with its truth."""

    text: str
    truth: QueryTruth


@dataclass(frozen=True)
class UserState:
    """Everything that the next act depends on. `told`: event → the statement that told it, earlier dialogues too.

    `patience`: answers without help that the persona bears in a row. `limit`: turns of this dialogue at most.
    `luck` decides what is a matter of mood; the same in every arm.
    """

    goal: str
    agenda: tuple[ScriptTurn, ...]
    told: Mapping[str, str]
    outdated: frozenset[str]
    """Events told before this dialogue that something told later has made stale."""
    earlier: tuple[Asked, ...]
    """Questions asked in earlier dialogues."""
    retold: frozenset[str]
    """Ids of questions that were asked again to test the memory, in earlier dialogues too."""
    patience: int
    limit: int
    luck: int
    said: tuple[Said, ...] = ()

    @cached_property
    def last(self) -> Said | None:
        return self.said[-1] if self.said else None

    @cached_property
    def used_points(self) -> frozenset[int]:
        return frozenset(turn.point for turn in self.said if turn.point is not None and turn.kind in FROM_AGENDA)

    @cached_property
    def open_points(self) -> tuple[int, ...]:
        """What is left to say, in order, without questions about what was never told: nobody asks for that."""
        known = set(self.told).union(*(turn.event_ids for turn in self.said))
        found = []
        for point, turn in enumerate(self.agenda):
            if point in self.used_points:
                continue
            if turn.query is not None and any(name not in known for name in turn.query.expects):
                continue
            known.update(turn.event_ids)
            found.append(point)
        return tuple(found)

    @cached_property
    def asked(self) -> Mapping[str, int]:
        """Question id → how often it was asked in this dialogue."""
        counts: dict[str, int] = {}
        for turn in self.said:
            if turn.question:
                counts[turn.question] = counts.get(turn.question, 0) + 1
        return counts

    @cached_property
    def unhelped(self) -> int:
        """Answers without help in a row, up to now. Small talk in between neither helps nor wearies."""
        count = 0
        for turn in self.said:
            if turn.heard is None or not turn.question:
                continue
            count = count + 1 if turn.heard.kind in UNHELPFUL else 0
        return count

    @property
    def patience_left(self) -> int:
        return max(0, self.patience - self.unhelped)

    @property
    def extras_left(self) -> int:
        """How many turns may still be added to what is open."""
        return max(0, self.limit - len(self.said) - len(self.open_points))

    @property
    def expected_turns(self) -> int:
        """Turns that this dialogue will have if nothing more is added."""
        return min(self.limit, len(self.said) + len(self.open_points))


def turn_limit(agenda: int, *, turns: int | None = None) -> int:
    """How many turns a dialogue whose agenda has so many items may have. `turns`: the plan's own limit."""
    most = agenda + max(1, math.floor(agenda * EXTRA_SHARE))
    return min(most, turns) if turns is not None else most
