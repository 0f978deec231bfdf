"""The verdict in sentences: what was won, what was paid for it, and what a reader must know beside it."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.evaluation import CriterionResult, HealthCheck, Sample, Verdict
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics import MIN_SAMPLES_PER_VARIANT
from teacher.statistics.compare import Comparison
from teacher.statistics.criteria import Look
from teacher.statistics.words import number, title

SHARE_DIFFERS = 0.05
"""A metric that applies to a share of the examples is told about when the arms' shares differ by more than this."""


def notes(
    spec: ExperimentSpec,
    variant: str,
    samples: Sequence[Sample],
    comparisons: Sequence[Comparison],
    results: Sequence[CriterionResult],
    health: Sequence[HealthCheck],
    verdict: Verdict,
    look: Look,
    smallest: int,
) -> tuple[str, ...]:
    """In the order: criteria, what blocks, what is missing, what limits the verdict. `smallest`: n of the verdict."""
    told = [_criterion_note(result) for result in results]
    told += [f"blocked by {check.name}: {check.detail}" for check in health if check.blocks and not check.ok]
    needed = max((result.needs_n or 0 for result in results if not result.passes), default=0)
    if smallest < MIN_SAMPLES_PER_VARIANT:
        told.append(f"n = {smallest} is below the floor of {MIN_SAMPLES_PER_VARIANT}: no verdict")
    if verdict is Verdict.INCONCLUSIVE and needed > smallest:
        told.append(f"needs n = {needed}")
    for item in comparisons:
        told += _absences(spec, variant, item)
    if look.looks and look.horizon is None:
        told.append(f"no horizon: a confidence sequence tuned to n = {look.expected_n} allows any number of looks")
    elif not look.final and look.horizon is not None:
        told.append(f"an interim look at {look.looks[-1]} of {look.horizon}")
    arms = [arm.name for arm in spec.variants]
    if len(arms) > 2:
        told.append(f"{len(arms)} arms: this verdict is on {variant} against {spec.baseline}; ask for each other arm")
    strangers = sorted({sample.variant for sample in samples} - set(arms))
    if strangers:
        told.append(f"samples of {', '.join(strangers)} belong to no arm and were left out")
    return tuple(dict.fromkeys(told))


def _criterion_note(result: CriterionResult) -> str:
    outcome = "passes" if result.passes else ("fails" if result.failed_significantly else "undecided")
    values = f"{number(result.baseline_value)} → {number(result.variant_value)}"
    return f"{title(result.metric)} {values}: {outcome}, {result.reason}"


def _absences(spec: ExperimentSpec, variant: str, item: Comparison) -> list[str]:
    first, second = item.columns
    told = []
    missing = int(first.missing.sum()), int(second.missing.sum())
    if any(missing):
        told.append(f"{item.metric}: missing for {missing[0]} examples of {spec.baseline}, {missing[1]} of {variant}")
    if first.inapplicable.size and second.inapplicable.size:
        shares = float(first.inapplicable.mean()), float(second.inapplicable.mean())
        if abs(shares[0] - shares[1]) > SHARE_DIFFERS:
            told.append(
                f"{item.metric} does not apply to {100 * shares[0]:.0f} % of the examples of {spec.baseline} "
                f"and {100 * shares[1]:.0f} % of {variant}: only examples with a value are compared"
            )
    return told
