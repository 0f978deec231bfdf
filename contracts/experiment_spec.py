"""The experiment spec: the mission's JSON (TEACHER.md §2.2), field for field, with a few added fields."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from contracts.base import Message, Part

Direction = Literal["increase", "decrease", "no_large_drop", "no_large_rise"]


class VariantSpec(Part):
    name: str
    params: dict[str, Any] = Field(default_factory=dict)


class Assignment(Part):
    """`paired`: each example under both arms. `by_example`, `by_user`: a stable hash decides the arm."""

    mode: Literal["paired", "by_example", "by_user"] = "paired"
    split: tuple[float, ...] = (0.5, 0.5)


class SuccessCriterion(Part):
    """One condition of success. Magnitudes count: |min_delta|, |max_delta|; the direction gives the sign."""

    metric: str
    direction: Direction
    min_delta: float | None = None
    max_delta: float | None = None
    p_value_threshold: float = 0.05

    @property
    def is_guard(self) -> bool:
        return self.direction in ("no_large_drop", "no_large_rise")

    @model_validator(mode="after")
    def _guards_have_a_margin(self) -> SuccessCriterion:
        if self.is_guard and self.max_delta is None:
            raise ValueError(f"{self.direction} on {self.metric} needs max_delta")
        if not 0 < self.p_value_threshold < 1:
            raise ValueError("p_value_threshold lies between 0 and 1")
        return self


class ExperimentSpec(Message):
    """What is compared, on which assignment, and what counts as success.

    Added to the mission's fields: `expected_n` (tuning of the confidence sequence when the horizon is unknown),
    `any_may_win` (targets are alternatives, not a conjunction), `dataset`, `seed`.
    """

    type: Literal["experiment_spec"] = "experiment_spec"
    experiment_id: str
    variants: tuple[VariantSpec, ...]
    assignment: Assignment = Assignment()
    success_criteria: tuple[SuccessCriterion, ...]
    expected_n: int = 400
    any_may_win: bool = False
    dataset: str | None = None
    seed: int | None = None

    @model_validator(mode="after")
    def _two_arms_or_more(self) -> ExperimentSpec:
        names = [variant.name for variant in self.variants]
        if len(names) < 2 or len(set(names)) != len(names):
            raise ValueError("an experiment has two or more variants with different names")
        if not self.success_criteria:
            raise ValueError("an experiment has at least one success criterion")
        return self

    @property
    def baseline(self) -> str:
        """The variant named `baseline`, else the first."""
        names = [variant.name for variant in self.variants]
        return "baseline" if "baseline" in names else names[0]

    def to_mission_json(self) -> dict[str, Any]:
        data = self.model_dump(mode="json", exclude_none=True)
        data.pop("schema_version")
        return data

    @classmethod
    def from_mission_json(cls, data: dict[str, Any] | str) -> ExperimentSpec:
        """From a dict, or from JSON or YAML text. Raises pydantic's `ValidationError`, which names the field."""
        from contracts.text import parse_mapping

        return cls.model_validate(parse_mapping(data) if isinstance(data, str) else data)


class RequestTarget(Part):
    direction: Direction
    min_delta: float | None = None
    max_delta: float | None = None


class RequestGoal(Part):
    primary_metrics: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    targets: dict[str, RequestTarget] = Field(default_factory=dict)


class ExperimentRequest(Message):
    """What the Manager asks of the Teacher (TEACHER.md §2.1)."""

    experiment_id: str
    goal: RequestGoal
    allowed_impacts: tuple[str, ...]

    def to_mission_json(self) -> dict[str, Any]:
        data = self.model_dump(mode="json", exclude_none=True)
        data.pop("schema_version")
        return data

    @classmethod
    def from_mission_json(cls, data: dict[str, Any] | str) -> ExperimentRequest:
        from contracts.text import parse_mapping

        return cls.model_validate(parse_mapping(data) if isinstance(data, str) else data)
