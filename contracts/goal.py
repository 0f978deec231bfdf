"""A goal in formal terms: what the Manager understood of a sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from contracts.base import Message, Part


class Autonomy(StrEnum):
    FULL_AUTO = "full_auto"
    SEMI_AUTO = "semi_auto"
    MANUAL = "manual"


class Target(Part):
    """What a metric should become. Rates are fractions, latency is in ms, cost in USD.

    `value` is absolute; `delta` is a change, and a share of the current value when `relative`.
    One of the two may be absent; both absent means "as far as it goes".
    """

    metric: str
    direction: Literal["increase", "decrease"]
    value: float | None = None
    delta: float | None = None
    relative: bool = False
    category: str | None = None


class Constraint(Part):
    """What must not happen on the way. For `no_large_*`, `value` is the allowed change (relative for cost)."""

    metric: str
    kind: Literal["no_large_drop", "no_large_rise", "max", "min"]
    value: float | None = None


class Budget(Part):
    """What a campaign may take, pauses included in `hours`; `deadline`: a moment with its time zone. None: no limit."""

    tokens: int | None = Field(None, ge=1)
    usd: float | None = Field(None, gt=0)
    hours: float | None = Field(None, gt=0)
    cycles: int | None = Field(None, ge=1)
    deadline: AwareDatetime | None = None


class GoalTranslation(Message):
    """Targets in order of priority, with what was assumed, what could not be read and what contradicts."""

    text: str
    language: Literal["ru", "en"]
    targets: tuple[Target, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    allowed_impacts: tuple[str, ...] = ()
    forbidden_impacts: tuple[str, ...] = ()
    autonomy: Autonomy | None = None
    budget: Budget = Budget()
    assumptions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The documented shape of `translate_goal --json` (interfaces.md)."""
        data = self.model_dump(mode="json")
        for extra in ("schema_version", "text", "language"):
            data.pop(extra)
        return data
