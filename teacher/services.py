"""The Teacher's verbs: judge and measure a batch, analyse an experiment, replay a stored verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from contracts.evaluation import Evaluation, HealthCheck, Sample, Verdict
from contracts.experiment_spec import ExperimentSpec
from contracts.parameters import ParameterChange
from experiments.models import ExperimentResult
from experiments.selectors import experiment_by_slug, result_of
from experiments.services import result_record
from hypotheses.domain.lifecycle import HypothesisStatus
from kernel.canonical import canonical_json, stable_hash
from kernel.errors import NotFound
from teacher.aggregator import Aggregate, differences_by_category, metrics_aggregate
from teacher.altered import AlteredRow, alterations
from teacher.calibration.rule import AgreementRule
from teacher.evaluated import Looks, evaluated, looks_of
from teacher.judges import OFFLINE, Judging, OnProgress, batch_judge
from teacher.recommendation import recommend
from teacher.soundness import NAMES as HEALTH_NAMES
from teacher.statistics.trust import CHECK as AGREEMENT

OUTCOMES = {
    Verdict.WINNER: HypothesisStatus.CONFIRMED,
    Verdict.LOSER: HypothesisStatus.REJECTED,
    Verdict.INCONCLUSIVE: HypothesisStatus.INCONCLUSIVE,
}
"""What a verdict says of its hypothesis."""


def batch_measure(
    *,
    batch: str,
    variant: str | None = None,
    also: Sequence[str] = (),
    judging: Judging = OFFLINE,
    on_progress: OnProgress | None = None,
) -> Aggregate:
    """Judge what is not judged yet, then aggregate, together with the batches `also`. Safe to repeat."""
    for name in (batch, *also):
        batch_judge(batch=name, judging=judging, on_progress=on_progress)
    return metrics_aggregate(batch=batch, variant=variant, also=also)


def experiment_analyze(
    *,
    slug: str,
    batch: str,
    category: str | None = None,
    judging: Judging = OFFLINE,
    rule: AgreementRule | None = None,
    on_progress: OnProgress | None = None,
) -> ExperimentResult:
    """Verdict, by category, and recommendation of a completed experiment; stored once and final.

    `category`: the goal asks about this kind of question only, so its metric is tested on these alone. `judging`: who
    judges both arms; another judge than the one that was chosen when the experiment began blocks the verdict. `rule`:
    what a judge must reach in agreement with people before its metrics count (None: they count unasked).
    """
    stored = result_of(slug)
    if stored is not None:
        return stored
    from teacher.designer.screening import differences_read
    from teacher.knowledge import Occasion, observations_record

    experiment = experiment_by_slug(slug)
    spent = looks_of(experiment)
    found = evaluated(
        experiment, batch, looks=spent, category=category, judging=judging, rule=rule, on_progress=on_progress
    )
    spec, samples, evaluation, metric = found.spec, found.samples, found.evaluation, found.metric
    by_category = differences_by_category(samples, baseline=spec.baseline, variant=evaluation.variant, metric=metric)
    change = ParameterChange(param=experiment.factor, from_value=experiment.from_value, to_value=experiment.to_value)
    with transaction.atomic():
        result = result_record(
            evaluation=evaluation,
            spec=spec,
            samples=samples,
            recommendation=recommend(
                evaluation=evaluation, change=change, metric=experiment.metric, by_category=by_category
            ),
            judge_version=found.judge_version,
            by_category={"metric": metric, "differences": by_category},
            looks=spent.sizes,
            horizon=spent.horizon,
        )
        differences = differences_read(samples, baseline=spec.baseline, variant=evaluation.variant)
        occasion = Occasion("experiment", slug, experiment.dataset, experiment.base_version)
        observations_record(occasion=occasion, seen=[(change, differences)], also=[metric])
    return result


def experiment_look(
    *,
    slug: str,
    batch: str,
    looks: Sequence[int],
    horizon: int,
    category: str | None = None,
    judging: Judging = OFFLINE,
    rule: AgreementRule | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """A look before the end, over what was run so far: `looks` examples per arm at each look, this one last, of
    `horizon`. Stores nothing but judgements; the other arguments are those of `experiment_analyze`."""
    experiment = experiment_by_slug(slug)
    return evaluated(
        experiment,
        batch,
        looks=Looks(tuple(looks), horizon),
        category=category,
        judging=judging,
        rule=rule,
        on_progress=on_progress,
    ).evaluation


@dataclass(frozen=True, slots=True)
class Replay:
    """One stored verdict computed again. `identical`: the same bytes; else `difference` says where they part, and
    `rows` which stored samples are not what they were, as far as it can be known."""

    experiment: str
    identical: bool
    difference: str = ""
    rows: tuple[AlteredRow, ...] = ()


def verdict_replay(*, slug: str) -> Replay:
    """Compute a stored verdict again from its stored samples and spec. Changes nothing."""
    from teacher.statistics import ENGINE_VERSION, evaluate

    stored = result_of(slug)
    if stored is None:
        raise NotFound(f"experiment {slug!r} has no stored verdict")
    if stable_hash(stored.samples) != stored.samples_hash:
        return Replay(slug, False, *alterations(stored))
    spec = ExperimentSpec.from_mission_json(stored.spec)
    health = [
        HealthCheck.model_validate(row)
        for row in stored.evaluation.get("health", ())
        if row["name"].partition(":")[0] in (*HEALTH_NAMES, AGREEMENT)
    ]
    samples = [Sample.model_validate(row) for row in stored.samples]
    again = evaluate(spec, samples, looks=stored.looks, horizon=stored.horizon, health=health).model_dump(mode="json")
    if canonical_json(again) == canonical_json(stored.evaluation):
        return Replay(slug, True)
    where = next(
        (name for name in again if canonical_json(again[name]) != canonical_json(stored.evaluation.get(name))), "shape"
    )
    engine = "" if stored.engine_version == ENGINE_VERSION else f" (engine {stored.engine_version} → {ENGINE_VERSION})"
    return Replay(slug, False, f"{where}: {stored.evaluation.get(where)} → {again.get(where)}{engine}")
