"""Impact factors and the parameters of a run, as values."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from contracts.base import Message, Part

FactorType = Literal["int", "float", "bool", "choice", "prompt"]
ParameterValue = int | float | bool | str


class FactorDefinition(Part):
    """One impact factor: what it is, how far it may go, and who may move it.

    `auto_low`/`auto_high` (or `auto_choices`) bound what may be tuned without a human; `manual` factors always
    ask. `step` is the largest change at once, a share of the current value when `step_relative`.
    `acts_on` says when it works: while a query is answered, or while memory is written. `auto_ceiling`: above it a
    person always decides, whatever automatic range somebody sets. `frozen`: nobody changes it for now, or until
    `frozen_until`.
    """

    key: str
    title: str
    type: FactorType
    default: ParameterValue
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    auto_low: float | None = None
    auto_high: float | None = None
    auto_ceiling: float | None = None
    auto: bool = True
    manual: bool = False
    needs_ab_test: bool = False
    step: float | None = None
    step_relative: bool = False
    cooldown_cycles: int = 0
    acts_on: Literal["answer", "memory"] = "answer"
    frozen: bool = False
    frozen_until: datetime | None = None
    aliases: tuple[str, ...] = ()
    reason: str = ""
    doc: str = ""

    @property
    def group(self) -> str:
        return self.key.split(".", 1)[0]


class ParameterContext(Part):
    """Whose parameters are asked for: production (all None), an experiment's arm, or one pinned version."""

    experiment: str | None = None
    variant: str | None = None
    version: int | None = None
    user_id: uuid.UUID | None = None


class EffectiveParameters(Message):
    """The flat values that a run uses, e.g. `{"retrieval.top_k": 3}`, and the version that they come from."""

    version: int
    content_hash: str
    values: dict[str, Any]
    experiment: str | None = None
    variant: str | None = None


class ParameterChange(Part):
    """One factor from one value to another. The mission's field names are `param`, `from`, `to`."""

    param: str
    from_value: ParameterValue
    to_value: ParameterValue

    def to_mission_json(self) -> dict[str, Any]:
        return {"param": self.param, "from": self.from_value, "to": self.to_value}

    @classmethod
    def from_mission_json(cls, data: dict[str, Any]) -> ParameterChange:
        """Raises pydantic's `ValidationError`, which names the field that is missing or unknown."""
        own = {"from": "from_value", "to": "to_value"}
        return cls.model_validate({own.get(name, name): value for name, value in data.items()})
