"""What words a simulated user's acts. The policy decides what is said; a driver decides how."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from emulator.domain.policy import Act
from emulator.domain.scenario import Persona


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an act is said. `seed` depends on batch seed, dialogue, position and what was heard; `said` is what the
    user said in this dialogue so far, `answer` what came back last."""

    user_id: uuid.UUID
    turn_id: uuid.UUID
    thread_id: uuid.UUID
    at: datetime
    language: str
    persona: Persona | None
    goal: str
    seed: int
    said: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A turn's words, and what they cost."""

    text: str
    tokens: int = 0
    cost_usd: float = 0.0


class Driver(Protocol):
    """Shared by the threads of a batch."""

    def word(self, act: Act, scene: Scene) -> Worded | None:
        """Say `act`. None: the user falls silent, and the dialogue is over. Raises what its model raises."""
        ...

    def heard(self, *, said: str, answer: str, scene: Scene) -> None:
        """Told once a turn has been answered (and again when it is played again): for a memory of its own."""
        ...
