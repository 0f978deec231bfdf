"""What the statistics engine takes and gives, and the mission's evaluation result (TEACHER.md §2.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from contracts.base import Message, Part


class Verdict(StrEnum):
    WINNER = "winner"
    LOSER = "loser"
    INCONCLUSIVE = "inconclusive"


class Sample(Part):
    """One run of one example under one variant.

    `metrics`: name → value; None means that the measurement is missing, an absent name that the metric does not
    apply to this run (precision where nothing was found). `cluster` groups examples that are not independent;
    `order` is the place in time, for the interleaving check.
    """

    example_id: str
    variant: str
    metrics: dict[str, float | None] = Field(default_factory=dict)
    category: str | None = None
    failed: bool = False
    cluster: str | None = None
    order: int | None = None


class HealthCheck(Part):
    """One check of the experiment itself. `ok=False` with `blocks=True` makes the verdict inconclusive."""

    name: str
    ok: bool
    blocks: bool = True
    detail: str = ""


class CriterionResult(Part):
    """One success criterion, decided.

    `estimate`, `low`, `high`: variant − baseline in the metric's unit (a ratio − 1 for cost and mean latency).
    They are None with a `reason` when nothing can be inferred. `passes` None: not decided.
    """

    metric: str
    direction: str
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    passes: bool
    failed_significantly: bool = False
    method: str
    reason: str
    n: int
    baseline_value: float | None = None
    variant_value: float | None = None
    level: float | None = None
    margin: float | None = None
    needs_n: int | None = None
    p_two_sided: float | None = None


class Evaluation(Message):
    """The verdict on one variant against the baseline at one look."""

    experiment_id: str
    variant: str
    verdict: Verdict
    criteria: tuple[CriterionResult, ...]
    health: tuple[HealthCheck, ...]
    n: int
    needs_n: int | None
    notes: tuple[str, ...] = ()
    engine_version: str = ""
    metrics: dict[str, dict[str, float | None]] = Field(default_factory=dict)

    def to_mission_json(self) -> dict[str, Any]:
        return {
            "experiment_id": self.experiment_id,
            "status": "completed",
            "verdict": str(self.verdict),
            "metrics": self.metrics,
            "p_values": {item.metric: item.p_two_sided for item in self.criteria},
            "notes": "; ".join(self.notes),
            "evaluation": self.model_dump(mode="json"),
        }

    @classmethod
    def from_mission_json(cls, data: dict[str, Any] | str) -> Evaluation:
        """From a dict, or from JSON or YAML text. Raises pydantic's `ValidationError`, which names the field.

        A result without our added `evaluation` holds only what the mission's fields tell: values, p-values and the
        verdict, of an unknown number of examples.
        """
        from contracts.text import parse_mapping

        told = MissionResult.model_validate(parse_mapping(data) if isinstance(data, str) else data)
        return told.evaluation or told.as_evaluation()


class MissionResult(Part):
    """The mission's evaluation result, field for field, and the whole evaluation where it is known."""

    experiment_id: str
    status: Literal["completed"]
    verdict: Verdict
    metrics: dict[str, dict[str, float | None]]
    p_values: dict[str, float | None] = Field(default_factory=dict)
    notes: str = ""
    evaluation: Evaluation | None = None

    def as_evaluation(self) -> Evaluation:
        arms = list(self.metrics) or ["baseline"]
        baseline = "baseline" if "baseline" in arms else arms[0]
        variant = next((name for name in arms if name != baseline), "variant")
        return Evaluation(
            experiment_id=self.experiment_id,
            variant=variant,
            verdict=self.verdict,
            criteria=tuple(
                self._criterion(name, self.metrics.get(baseline, {}).get(name), self.metrics.get(variant, {}).get(name))
                for name in self.p_values
            ),
            health=(),
            n=0,
            needs_n=None,
            notes=(self.notes,) if self.notes else (),
            metrics=self.metrics,
        )

    def _criterion(self, metric: str, before: float | None, after: float | None) -> CriterionResult:
        return CriterionResult(
            metric=metric,
            direction="not told",
            estimate=after - before if before is not None and after is not None else None,
            low=None,
            high=None,
            p_value=None,
            passes=self.verdict is Verdict.WINNER,
            method="not told",
            reason="read from a result that tells values and p-values only",
            n=0,
            baseline_value=before,
            variant_value=after,
            p_two_sided=self.p_values[metric],
        )
