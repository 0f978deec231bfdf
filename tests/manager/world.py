"""Campaigns on the small world (`benchmarks/small_world.py`), and what tests make up around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.small_world import START, Sizes, world_write
from contracts.actor import Actor, Role
from contracts.evaluation import Sample
from contracts.experiment_spec import Assignment, ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.goal import Autonomy, Constraint, GoalTranslation, Target
from contracts.parameters import ParameterChange, ParameterValue
from experiments.datasets import dialogues_load
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Dataset, Experiment
from experiments.services import experiment_bind_arms, experiment_register, experiment_transition, result_record
from goals.models import Campaign
from manager.models import Approval
from manager.services.approval_requests import approval_request
from manager.services.campaigns import CampaignWish, campaign_launch, campaign_plan
from teacher.recommendation import recommend
from teacher.statistics import evaluate
from tuner.selectors import active_version, version_values
from tuner.services import experiment_prepare

__all__ = ["START", "Sizes"]

DATASET = "small-world"
ALICE = Actor(kind="person", name="alice", role=Role.META_USER)


def dataset_load(folder: Path, *, sizes: Sizes | None = None, name: str = DATASET, actor: Actor = ALICE) -> Dataset:
    path = folder / f"{name}.jsonl"
    splits = world_write(path, sizes or Sizes())
    return dialogues_load(format_name="jsonl", path=path, dataset=name, splits=splits, actor=actor)


def goal(
    *,
    allowed: Sequence[str] = ("retrieval.min_tag_overlap", "retrieval.top_k"),
    value: float = 0.95,
    text: str = "Raise recall",
) -> GoalTranslation:
    return GoalTranslation(
        text=text,
        language="en",
        targets=(Target(metric="retrieval_recall", direction="increase", value=value),),
        constraints=(Constraint(metric="retrieval_precision", kind="no_large_drop", value=0.05),),
        allowed_impacts=tuple(allowed),
    )


def campaign_make(
    *,
    autonomy: Autonomy = Autonomy.FULL_AUTO,
    cycles: int = 2,
    dialogues: int = 6,
    seed: int = 5,
    translation: GoalTranslation | None = None,
    dataset: str = DATASET,
    actor: Actor = ALICE,
) -> Campaign:
    """A campaign that runs, and that nobody works on yet."""
    wish = CampaignWish(dataset=dataset, autonomy=autonomy, cycles=cycles, dialogues=dialogues, seed=seed)
    campaign = campaign_plan(translation=translation or goal(), wish=wish, actor=actor)
    return campaign_launch(campaign_id=campaign.id, actor=actor, background=False)


def samples(pairs: int = 60, *, gained: int = 40) -> list[Sample]:
    """Recall of both arms: the variant finds what the baseline misses in `gained` of the pairs."""
    return [
        Sample(
            example_id=f"e{row:03d}",
            variant=arm,
            metrics={"retrieval_recall": float(arm == "variant" and row < gained)},
        )
        for row in range(pairs)
        for arm in ("baseline", "variant")
    ]


def experiment_won(
    campaign: Campaign,
    *,
    slug: str = "made-by-hand",
    factor: str = "retrieval.min_tag_overlap",
    to_value: ParameterValue = 2,
    gained: int = 40,
) -> Experiment:
    """An experiment that was run, analysed and (with the default samples) won, and that nobody has decided on."""
    base = active_version().version
    change = ParameterChange(param=factor, from_value=version_values(base)[factor], to_value=to_value)
    spec = ExperimentSpec(
        experiment_id=slug,
        variants=(VariantSpec(name="baseline"), VariantSpec(name="variant", params={factor: to_value})),
        assignment=Assignment(mode="paired"),
        success_criteria=(SuccessCriterion(metric="retrieval_recall", direction="increase"),),
    )
    experiment_register(
        spec=spec,
        change=change,
        metric="retrieval_recall",
        dataset=campaign.dataset,
        base_version=base,
        planned_n=60,
        seed=1,
        actor=ALICE,
        campaign_id=campaign.id,
        cycle=1,
    )
    arms = experiment_prepare(
        experiment=slug, arms={item.name: item.params for item in spec.variants}, base_version=base, actor=ALICE
    )
    experiment_bind_arms(slug=slug, arm_versions=arms)
    found = samples(gained=gained)
    evaluation = evaluate(spec, found)
    result_record(
        evaluation=evaluation,
        spec=spec,
        samples=found,
        recommendation=recommend(evaluation=evaluation, change=change, metric="retrieval_recall", by_category={}),
        judge_version="none",
        by_category={},
    )
    for status in (ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED, ExperimentStatus.ANALYZED):
        experiment = experiment_transition(slug=slug, target=status, actor=ALICE)
    return experiment


def approval_made(experiment: Experiment) -> Approval:
    return approval_request(
        experiment=experiment,
        kind="apply",
        reasons=["a person must decide"],
        evidence={"reason": "recall rises", "golden": "golden agrees"},
        proposed_by="component:teacher",
    )
