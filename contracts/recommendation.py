"""What the Teacher recommends to the Tuner, by way of the Manager (TEACHER.md §2.2)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from contracts.base import Message, Part
from contracts.parameters import ParameterChange


class RollbackCondition(Part):
    delta_threshold: float
    cycles: int


class Recommendation(Message):
    action: Literal["update_params", "keep"]
    experiment_id: str
    reason: str
    changes: tuple[ParameterChange, ...] = ()
    rollback_conditions: dict[str, RollbackCondition] = Field(default_factory=dict)
    gained: str = ""
    given_up: str = ""
    acceptable_because: str = ""
    next_steps: tuple[str, ...] = ()

    def to_mission_json(self) -> dict[str, Any]:
        data = self.model_dump(mode="json")
        data.pop("schema_version")
        data["changes"] = [change.to_mission_json() for change in self.changes]
        return data

    @classmethod
    def from_mission_json(cls, data: dict[str, Any] | str) -> Recommendation:
        """From a dict, or from JSON or YAML text. Raises pydantic's `ValidationError`, which names the field."""
        from contracts.text import parse_mapping

        data = parse_mapping(data) if isinstance(data, str) else data
        changes = data.get("changes", ())
        if isinstance(changes, list | tuple):
            changes = [ParameterChange.from_mission_json(item) if isinstance(item, dict) else item for item in changes]
        return cls.model_validate({**data, "changes": changes})
