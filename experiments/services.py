"""Writes of the experiment registry. Each change of state is one compare-and-swap with its audit row."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor
from contracts.evaluation import Evaluation, Sample
from contracts.experiment_spec import ExperimentSpec
from contracts.parameters import ParameterChange
from contracts.recommendation import Recommendation
from experiments.domain.digests import row_digests
from experiments.domain.lifecycle import EXPERIMENT, ExperimentStatus
from experiments.models import Experiment, ExperimentResult
from experiments.selectors import experiment_by_slug
from kernel.canonical import stable_hash
from kernel.errors import Conflict

_STAMPS = {
    ExperimentStatus.RUNNING: "started_at",
    ExperimentStatus.COMPLETED: "completed_at",
    ExperimentStatus.ANALYZED: "analyzed_at",
    ExperimentStatus.APPLIED: "decided_at",
    ExperimentStatus.REJECTED: "decided_at",
}


@transaction.atomic
def experiment_register(
    *,
    spec: ExperimentSpec,
    change: ParameterChange,
    metric: str,
    dataset: str,
    base_version: int,
    planned_n: int,
    seed: int,
    actor: Actor,
    campaign_id: uuid.UUID | None = None,
    cycle: int | None = None,
    hypothesis_id: uuid.UUID | None = None,
    needs_approval: list[str] | None = None,
) -> Experiment:
    """Put an experiment into the registry as planned. The same slug twice is the same experiment."""
    experiment, created = Experiment.objects.get_or_create(
        slug=spec.experiment_id,
        defaults={
            "campaign_id": campaign_id,
            "cycle": cycle,
            "hypothesis_id": hypothesis_id,
            "dataset": dataset,
            "factor": change.param,
            "from_value": change.from_value,
            "to_value": change.to_value,
            "metric": metric,
            "spec": spec.to_mission_json(),
            "base_version": base_version,
            "planned_n": planned_n,
            "seed": seed,
            "needs_approval": needs_approval or [],
        },
    )
    if created:
        entry_append(
            actor=actor,
            action="experiment.planned",
            subject_type="experiment",
            subject_id=experiment.slug,
            after=change.to_mission_json(),
            reason=f"to move {metric}",
            experiment=experiment.slug,
            campaign=str(campaign_id) if campaign_id else None,
            parameter=change.param,
        )
    return experiment


@transaction.atomic
def experiment_transition(
    *,
    slug: str,
    target: ExperimentStatus,
    actor: Actor,
    reason: str = "",
    **fields: Any,
) -> Experiment:
    """Move an experiment to `target`, with `fields` written in the same statement.

    1. Look at the state; already there: nothing to do (a step that runs again after a crash ends here).
    2. Check the lifecycle. 3. UPDATE … WHERE status is still what was seen: it must hit exactly one row, or somebody
    else was first (`Conflict`). 4. The audit row, in the same transaction.
    """
    chain_lock()  # before the row, as every writer of both
    experiment = experiment_by_slug(slug)
    source = ExperimentStatus(experiment.status)
    if source == target:
        return experiment
    EXPERIMENT.check(source, target)
    stamp = _STAMPS.get(target)
    values: dict[str, Any] = {"status": target, **fields}
    if stamp:
        values[stamp] = timezone.now()
    try:
        with transaction.atomic():
            moved = Experiment.objects.filter(slug=slug, status=source).update(**values)
    except IntegrityError as error:
        if "one_experiment_per_parameter_running_at_a_time" not in str(error):
            raise
        raise Conflict(
            f"experiment {slug} cannot start: another experiment on {experiment.factor} is running",
            details={"factor": experiment.factor},
        ) from error
    if moved != 1:
        raise Conflict(f"experiment {slug} is no longer {source}")
    entry_append(
        actor=actor,
        action=f"experiment.{target}",
        subject_type="experiment",
        subject_id=slug,
        before={"status": source},
        after={"status": target},
        reason=reason,
        experiment=slug,
        campaign=str(experiment.campaign_id) if experiment.campaign_id else None,
        parameter=experiment.factor,
    )
    experiment.refresh_from_db()
    return experiment


def experiment_bind_arms(*, slug: str, arm_versions: Mapping[str, int]) -> None:
    """Remember which parameter versions the arms run. Binding the same again is harmless, another is a conflict."""
    updated = Experiment.objects.filter(slug=slug, arm_versions={}).update(arm_versions=dict(arm_versions))
    if updated == 0 and experiment_by_slug(slug).arm_versions != dict(arm_versions):
        raise Conflict(f"experiment {slug} already runs other parameter versions")


def look_record(*, slug: str, seen: Sequence[Mapping[str, Any]], look: Mapping[str, Any]) -> None:
    """Remember a look of a running experiment after those `seen`. Raises `Conflict` when others were remembered."""
    row = Experiment.objects.filter(slug=slug, status=ExperimentStatus.RUNNING, looks=list(seen))
    if row.update(looks=[*seen, dict(look)]) != 1:
        raise Conflict(f"experiment {slug} has looked meanwhile, or no longer runs")


def result_record(
    *,
    evaluation: Evaluation,
    spec: ExperimentSpec,
    samples: list[Sample],
    recommendation: Recommendation,
    judge_version: str,
    by_category: Mapping[str, Any],
    looks: Sequence[int] = (),
    horizon: int | None = None,
) -> ExperimentResult:
    """Store a verdict with the exact samples that it rests on. A stored result is final and returned as it is.

    `looks`, `horizon`: as the verdict was computed with them; a replay needs the same.
    """
    rows = [sample.model_dump(mode="json") for sample in samples]
    mission = evaluation.to_mission_json()
    result, _ = ExperimentResult.objects.get_or_create(
        experiment_id=spec.experiment_id,
        defaults={
            "verdict": str(evaluation.verdict),
            "metrics_baseline": evaluation.metrics.get(spec.baseline, {}),
            "metrics_variant": evaluation.metrics.get(evaluation.variant, {}),
            "p_values": mission["p_values"],
            "recommendation": recommendation.to_mission_json(),
            "notes": mission["notes"],
            "evaluation": evaluation.model_dump(mode="json"),
            "spec": spec.to_mission_json(),
            "samples": rows,
            "samples_hash": stable_hash(rows),
            "sample_digests": row_digests(rows),
            "looks": list(looks),
            "horizon": horizon,
            "engine_version": evaluation.engine_version,
            "judge_version": judge_version,
            "by_category": dict(by_category),
        },
    )
    return result


def golden_record(*, slug: str, golden: Mapping[str, Any]) -> None:
    """Write the golden gate's figures beside the result, once."""
    ExperimentResult.objects.filter(experiment_id=slug, golden={}).update(golden=dict(golden))
