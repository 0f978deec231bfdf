"""The statistics engine: samples in, a verdict with its reasons out. Pure: no Django, no clock, no chance.

`evaluate` is the whole of it; the law it follows is `docs/STATISTICS.md`. numpy and scipy are imported on the first
call, so that importing this package costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.evaluation import Evaluation, HealthCheck, Sample
from contracts.experiment_spec import ExperimentSpec

ENGINE_VERSION: Final = "1.0.0"
"""Changes whenever the same samples may give other bytes; stored with each evaluation."""

MIN_SAMPLES_PER_VARIANT: Final = 50
"""A floor of validity, not a level of power: below it there is no verdict."""

__all__ = ["ENGINE_VERSION", "MIN_SAMPLES_PER_VARIANT", "evaluate", "evaluate_variant"]


def evaluate(
    spec: ExperimentSpec,
    samples: Sequence[Sample],
    *,
    looks: Sequence[int] = (),
    horizon: int | None = None,
    health: Sequence[HealthCheck] = (),
) -> Evaluation:
    """The verdict on the first variant that is not the baseline.

    Parameters
    ----------
    spec
        Arms, assignment and success criteria.
    samples
        Every run, the failed ones too, in any order; replicates of one example are averaged first.
    looks
        Sample sizes per arm at each look so far, this one last. Empty: this is the one and final look.
    horizon
        The planned end, per arm. Absent while `looks` is given: a confidence sequence tuned to `spec.expected_n`.
    health
        Checks which the samples cannot show (golden hash, judge version, parameters of an arm), made by the caller.

    Raises
    ------
    kernel.errors.InvalidInput
        `looks` or `horizon` is not positive, or `looks` goes backwards.
    """
    from teacher.statistics.engine import evaluate_arm

    variant = next(arm.name for arm in spec.variants if arm.name != spec.baseline)
    return evaluate_arm(spec, samples, variant, looks=looks, horizon=horizon, health=health)


def evaluate_variant(
    spec: ExperimentSpec,
    samples: Sequence[Sample],
    variant: str,
    *,
    looks: Sequence[int] = (),
    horizon: int | None = None,
    health: Sequence[HealthCheck] = (),
) -> Evaluation:
    """As `evaluate`, for the variant named; for experiments with several arms.

    Raises `kernel.errors.InvalidInput` when `variant` is not an arm of the spec, or is its baseline.
    """
    from teacher.statistics.engine import evaluate_arm

    return evaluate_arm(spec, samples, variant, looks=looks, horizon=horizon, health=health)
