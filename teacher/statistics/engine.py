"""`evaluate` from end to end: arms, comparisons, health, levels, criteria, verdict, notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.evaluation import CriterionResult, Evaluation, HealthCheck, Sample, Verdict
from contracts.experiment_spec import ExperimentSpec, SuccessCriterion
from contracts.metric import METRICS
from kernel.errors import InvalidInput
from teacher.statistics import ENGINE_VERSION, MIN_SAMPLES_PER_VARIANT
from teacher.statistics.compare import Comparison, compare, summary
from teacher.statistics.criteria import Look, Question, decide, levels
from teacher.statistics.health import checks
from teacher.statistics.kinds import metric_kind
from teacher.statistics.notes import notes
from teacher.statistics.sequential import is_final
from teacher.statistics.table import Arm, aligned, arms
from teacher.statistics.trust import distrusted, explained
from teacher.statistics.words import tidy


def evaluate_arm(
    spec: ExperimentSpec,
    samples: Sequence[Sample],
    variant: str,
    *,
    looks: Sequence[int],
    horizon: int | None,
    health: Sequence[HealthCheck],
) -> Evaluation:
    """See `teacher.statistics.evaluate_variant`."""
    names = [arm.name for arm in spec.variants]
    if variant not in names or variant == spec.baseline:
        raise InvalidInput(f"{variant} is no variant beside the baseline", details={"field": "variant"})
    look = Look(tuple(looks), horizon, spec.expected_n, is_final(looks, horizon))
    built = arms(samples, names)
    paired = spec.assignment.mode == "paired"
    baseline_arm, variant_arm = built[spec.baseline], built[variant]
    if paired:
        baseline_arm, variant_arm = aligned(baseline_arm, variant_arm)

    reasons = distrusted(health)
    nobody = Arm(spec.baseline, (), ()), Arm(variant, (), ())  # a metric that does not count is compared on no example
    comparisons = [
        _compare(spec, item, samples, *(nobody if item.metric in reasons else (baseline_arm, variant_arm)))
        for item in spec.success_criteria
    ]
    targets = sum(not item.is_guard for item in spec.success_criteria)
    questions = [
        Question(item, comparison, comparison.inference(guard=item.is_guard), targets)
        for item, comparison in zip(spec.success_criteria, comparisons, strict=True)
    ]
    allowed = levels(questions, look, any_may_win=spec.any_may_win)
    decided = (decide(question, look, level) for question, level in zip(questions, allowed, strict=True))
    results = tuple(explained(result, reasons) for result in decided)

    sound = (*checks(spec, list(built.values()), baseline_arm, variant_arm, comparisons), *health)
    smallest = min((result.n for result in results if result.metric not in reasons), default=0)
    needed = [result.needs_n for result in results if result.needs_n is not None]
    verdict = _verdict(spec, results, sound, smallest)
    return Evaluation(
        experiment_id=spec.experiment_id,
        variant=variant,
        verdict=verdict,
        criteria=results,
        health=sound,
        n=smallest,
        needs_n=max(needed) if needed else None,
        notes=notes(spec, variant, samples, comparisons, results, sound, verdict, look, smallest),
        engine_version=ENGINE_VERSION,
        metrics=_metrics(spec, built, samples, comparisons, variant),
    )


def _compare(
    spec: ExperimentSpec, criterion: SuccessCriterion, samples: Sequence[Sample], baseline: Arm, variant: Arm
) -> Comparison:
    higher_is_better = criterion.direction in ("increase", "no_large_drop")
    kind = metric_kind(criterion.metric, samples, higher_is_better=higher_is_better)
    return compare(
        criterion.metric,
        kind,
        baseline,
        variant,
        paired=spec.assignment.mode == "paired",
        seed_parts=(spec.experiment_id, spec.seed, variant.name),
    )


def _verdict(
    spec: ExperimentSpec, results: Sequence[CriterionResult], health: Iterable[HealthCheck], smallest: int
) -> Verdict:
    """Blocked or too few: inconclusive. Any failed significantly: loser. All (or enough) pass: winner."""
    if smallest < MIN_SAMPLES_PER_VARIANT or any(check.blocks and not check.ok for check in health):
        return Verdict.INCONCLUSIVE
    if any(result.failed_significantly for result in results):
        return Verdict.LOSER
    passed = [result.passes for result in results]
    if all(passed):
        return Verdict.WINNER
    if spec.any_may_win:
        targets = [won for won, item in zip(passed, spec.success_criteria, strict=True) if not item.is_guard]
        guards = [won for won, item in zip(passed, spec.success_criteria, strict=True) if item.is_guard]
        if any(targets) and all(guards):
            return Verdict.WINNER
    return Verdict.INCONCLUSIVE


def _metrics(
    spec: ExperimentSpec,
    built: dict[str, Arm],
    samples: Sequence[Sample],
    comparisons: Sequence[Comparison],
    variant: str,
) -> dict[str, dict[str, float | None]]:
    """Every metric of every arm; those of the criteria over the very values that were compared."""
    compared = {item.metric: item for item in comparisons}
    seen = sorted({name for sample in samples for name in sample.metrics} - compared.keys())
    derived = [name for name, item in METRICS.items() if item.source in seen or item.source in _sources(comparisons)]
    others = [*seen, *(name for name in derived if name not in compared and name not in seen)]
    kinds = {name: metric_kind(name, samples, higher_is_better=True) for name in others}
    told: dict[str, dict[str, float | None]] = {}
    for name, arm in built.items():
        row: dict[str, float | None] = {}
        for metric, item in compared.items():
            if name == spec.baseline:
                row[metric] = tidy(item.baseline_value)
            elif name == variant:
                row[metric] = tidy(item.variant_value)
            else:
                row[metric] = _mean(arm, item)
        for metric, kind in kinds.items():
            values = arm.column(kind.source, worst=kind.worst).values
            row[metric] = tidy(summary(values[values == values], kind))  # noqa: PLR0124 - NaN is not itself
        told[name] = row
    return told


def _sources(comparisons: Iterable[Comparison]) -> set[str]:
    return {item.kind.source for item in comparisons}


def _mean(arm: Arm, item: Comparison) -> float | None:
    values = arm.column(item.kind.source, worst=item.kind.worst).values
    return tidy(summary(values[values == values], item.kind))  # noqa: PLR0124 - NaN is not itself
