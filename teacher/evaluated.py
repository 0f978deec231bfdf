"""A recorded batch through the statistics: judged, read, checked, evaluated. Stores nothing but judgements."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.evaluation import Evaluation, HealthCheck, Sample
from contracts.experiment_spec import ExperimentSpec
from contracts.metric import METRICS
from experiments.domain.looks import decided_early, sizes_spent
from experiments.models import Experiment
from teacher.aggregator import samples_read
from teacher.calibration.gate import agreement_checks, without
from teacher.calibration.rule import AgreementRule
from teacher.judges import Judging, OnProgress, batch_judge, judging_begin
from teacher.soundness import checks


@dataclass(frozen=True, slots=True)
class Looks:
    """Sizes of the looks so far, this one last, and the planned end; nothing of both: the one look there is.

    `cut_short`: why the sample was never completed, which blocks the verdict.
    """

    sizes: tuple[int, ...] = ()
    horizon: int | None = None
    cut_short: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation with what it was made of. `metric`: the goal's, as samples name it."""

    spec: ExperimentSpec
    samples: list[Sample]
    evaluation: Evaluation
    judge_version: str
    metric: str


def looks_of(experiment: Experiment) -> Looks:
    """The looks that the verdict of a completed experiment has spent."""
    cut_short = experiment.ended_early if not decided_early(experiment.looks) else ""
    sizes = sizes_spent(experiment.look_sizes, experiment.looks, complete=not cut_short)
    return Looks(sizes, experiment.look_sizes[-1] if sizes else None, cut_short)


def evaluated(
    experiment: Experiment,
    batch: str,
    *,
    looks: Looks,
    category: str | None,
    judging: Judging,
    rule: AgreementRule | None,
    on_progress: OnProgress | None,
) -> Evaluated:
    """See `teacher.services.experiment_analyze` for the arguments."""
    from teacher.statistics import evaluate

    judge_version = judging_begin(batch=batch, judging=judging)
    batch_judge(batch=batch, judging=judging, on_progress=on_progress)
    spec = ExperimentSpec.from_mission_json(experiment.spec)
    metric = METRICS[experiment.metric].source or experiment.metric
    samples = samples_read(batch=batch)
    if category is not None:
        samples = [_only_in(sample, metric, category) for sample in samples]
    health = checks(batch=batch, arm_versions=experiment.arm_versions, judge_version=judge_version)
    if looks.cut_short:
        health.append(HealthCheck(name="time_limit", ok=False, detail=looks.cut_short))
    if rule is not None:
        health += agreement_checks(judge_version, rule)
        samples = without(samples, health)
    evaluation = evaluate(spec, samples, looks=looks.sizes, horizon=looks.horizon, health=health)
    return Evaluated(spec, samples, evaluation, judge_version, metric)


def _only_in(sample: Sample, metric: str, category: str) -> Sample:
    """The sample without the goal's metric when its question is of another category."""
    if sample.category == category or metric not in sample.metrics:
        return sample
    metrics = {name: value for name, value in sample.metrics.items() if name != metric}
    return sample.model_copy(update={"metrics": metrics})
