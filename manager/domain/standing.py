"""What a standing A/A experiment compares, and when its false verdicts are too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contracts.experiment_spec import Assignment, ExperimentSpec, SuccessCriterion, VariantSpec

LIMIT = 0.065
"""Share of false verdicts that the engine is held to (docs/STATISTICS.md)."""

Way = Literal["increase", "decrease"]
TARGETS: tuple[tuple[str, Way], ...] = (
    ("hallucination_rate", "decrease"),
    ("context_utilization", "increase"),
    ("token_cost", "decrease"),
    ("latency_ms", "decrease"),
)
"""Taken in turn: what two runs of one question under one version can differ in. What search finds is the same in
both arms while memory is frozen, so precision and recall would only dilute the share."""


@dataclass(frozen=True, slots=True)
class Share:
    """False verdicts of the A/A experiments that could give one, with the exact 95 % interval; None before the first.

    `alike`: finished experiments that are left out, because no pair of them differed: those can never be false.
    """

    tests: int
    false: int
    alike: int
    share: float | None
    low: float | None
    high: float | None

    @property
    def too_many(self) -> bool:
        return self.low is not None and self.low > LIMIT


def target(number: int) -> tuple[str, Way]:
    return TARGETS[(number - 1) % len(TARGETS)]


def spec_of(slug: str, *, number: int, dataset: str, seed: int, n: int) -> ExperimentSpec:
    """Two arms without a difference, one target, as the Teacher would compare a change."""
    metric, direction = target(number)
    return ExperimentSpec(
        experiment_id=slug,
        variants=(VariantSpec(name="baseline"), VariantSpec(name="variant")),
        assignment=Assignment(mode="paired"),
        success_criteria=(SuccessCriterion(metric=metric, direction=direction),),
        expected_n=max(n, 1),
        dataset=dataset,
        seed=seed,
    )
