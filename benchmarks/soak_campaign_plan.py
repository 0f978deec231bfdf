"""When what is killed in a soak's campaign."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

What = Literal["worker", "orchestrator", "database"]


@dataclass(frozen=True, order=True)
class Blow:
    """What is killed `after` seconds once `at` runs are answered."""

    at: int
    after: float
    what: What

    def __str__(self) -> str:
        return f"run {self.at:,} + {self.after:.2f} s: {self.what}"


def blows_plan(*, runs: int, kills: Mapping[What, int], seed: int) -> list[Blow]:
    """Of each kind spread over the campaign, at random within equal stretches; the same seed gives the same plan."""
    draw = random.Random(seed)
    return sorted(
        Blow(int(runs * (0.02 + 0.94 * (number + draw.random()) / times)), round(draw.random() * 0.5, 3), what)
        for what, times in kills.items()
        for number in range(times)
    )
