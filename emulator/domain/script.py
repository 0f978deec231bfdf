"""What a simulated user is going to say, turn by turn, and the plan of a batch of such dialogues. Pure values."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import AwareDatetime, Field

from contracts.base import Message, Part
from contracts.dialogue import Category, Difficulty
from contracts.maas import RunMode
from emulator.domain.scenario import QueryKind
from kernel.canonical import derive_seed, derive_uuid
from kernel.errors import InvalidInput

DriverName = Literal["script", "offline", "llm"]


class QueryTruth(Part):
    """What a question should find: events said earlier in this batch, or memories that exist already (imported)."""

    id: str
    kind: QueryKind = "direct"
    category: Category = "factual"
    difficulty: Difficulty = "medium"
    should_retrieve: bool = True
    expects: tuple[str, ...] = ()
    expected_memory_ids: tuple[uuid.UUID, ...] = ()
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


class ScriptTurn(Part):
    """`supersedes`: events told before that this statement makes stale."""

    text: str
    simulated_at: AwareDatetime
    event_ids: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    query: QueryTruth | None = None


class DialogueScript(Part):
    """One thread of one synthetic user. `dialogue` is unique in its batch; `ordinal` orders the user's threads.

    `example` (plus the query's id) names a question across arms and repeats, so it holds no salt.
    """

    dialogue: str
    example: str
    user_id: uuid.UUID
    thread_id: uuid.UUID
    scenario: str
    variant: int = 0
    cluster: str
    split: Literal["train", "validation"]
    dataset: str = "bundled"
    language: str = ""
    persona: str = ""
    goal: str = ""
    ordinal: int = 0
    turns: tuple[ScriptTurn, ...] = Field(min_length=1)


class EmulationPlan(Message):
    """A batch of dialogues to play. `turns` limits each dialogue; `scenarios` (ids or families) empty means all.

    `scripts` given: these are played instead of bundled scenarios (datasets loaded from files), and their users get no
    everyday notes; a stored plan keeps of them only that they were given, in `loaded`. `user_salt` keeps the synthetic
    users of two batches (two arms) apart; empty means the batch's own name.

    `driver`: who words the turns. "script" says each text as it stands; "offline" and "llm" play a user who listens
    and takes the texts as an agenda. None: "script" for explicit scripts and evaluation, else "offline".
    """

    batch: str = Field(min_length=1, max_length=200)
    dialogues: int = Field(ge=1, le=100_000)
    turns: int | None = Field(default=None, ge=1)
    seed: int = 0
    split: Literal["train", "validation"] = "train"
    scenarios: tuple[str, ...] = ()
    parallel: int = Field(default=2, ge=1, le=64)
    experiment: str | None = None
    variant: str | None = None
    pinned_version: int | None = None
    cycle_type: Literal["micro", "macro", "deep", "online"] = "macro"
    mode: RunMode = "dialogue"
    user_salt: str = ""
    scripts: tuple[DialogueScript, ...] | None = None
    loaded: bool = False
    driver: DriverName | None = None

    @property
    def played_by(self) -> DriverName:
        """Raises `InvalidInput` for a user who would have to listen in evaluation, where each turn stands alone."""
        if self.driver is None:
            fixed = self.scripts is not None or self.loaded or self.mode == "evaluation"
            return "script" if fixed else "offline"
        if self.driver != "script" and self.mode == "evaluation":
            raise InvalidInput("questions of an evaluation are asked as they stand", details={"field": "driver"})
        return self.driver

    @property
    def salt(self) -> str:
        return self.user_salt or self.batch


def turn_run_id(*, batch: str, dialogue: str, position: int) -> uuid.UUID:
    """The run that plays this turn; a repeated attempt finds the same run."""
    return derive_uuid(batch, dialogue, position)


def turn_seed(*, seed: int, example: str, position: int) -> int:
    """The model's seed for this turn: the same in every arm and repeat."""
    return derive_seed("emulated-turn", seed, example, position)


def own_memory_user(user_id: uuid.UUID) -> uuid.UUID:
    """Under whom a simulated user's own agent (driver "llm") remembers in MaaS."""
    return derive_uuid("simulated-users-own-memory", user_id)


def unmade_memory_id(run_id: uuid.UUID) -> uuid.UUID:
    """Stands for the memory that a statement should have become but did not: it can never be found."""
    return derive_uuid("memory-not-made", run_id)


def limited(scripts: tuple[DialogueScript, ...], *, turns: int | None) -> tuple[DialogueScript, ...]:
    """Cut each dialogue to `turns` turns, and leave out questions whose answer is then never told.

    Order of `scripts` must be the order in which each user says them.
    """
    said: set[tuple[uuid.UUID, str]] = set()
    result = []
    for script in scripts:
        kept = []
        for turn in script.turns[:turns]:
            if turn.query and any((script.user_id, name) not in said for name in turn.query.expects):
                continue
            said.update((script.user_id, name) for name in turn.event_ids)
            kept.append(turn)
        if kept:
            result.append(script.model_copy(update={"turns": tuple(kept)}))
    return tuple(result)
