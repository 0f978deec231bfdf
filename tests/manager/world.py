"""A small world for campaigns: people's old facts, asked about after newer talk that shares words with them.

What is found depends on how search weighs shared words and age, so that parameters matter because of the data alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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

DATASET = "small-world"
ALICE = Actor(kind="person", name="alice", role=Role.META_USER)
START = datetime(2025, 1, 6, 9, tzinfo=UTC)

COLOURS = ("amber", "crimson", "violet", "olive", "indigo", "scarlet")
THINGS = ("kettle", "bicycle", "lantern", "telescope", "umbrella", "accordion", "compass", "teapot", "sledge", "drum")
PLACES = ("attic", "cellar", "garage", "balcony", "workshop", "pantry")
NICKNAMES = ("Bramble", "Comet", "Dumpling", "Ember", "Fidget", "Goblin", "Hazel", "Inkwell", "Juniper", "Kestrel")


@dataclass(frozen=True)
class Sizes:
    """Questions in each conversation; the names of the conversations are those of the splits."""

    train: int = 16
    validation: int = 62
    golden: int = 20

    def items(self) -> Iterator[tuple[str, int]]:
        yield from (("train", self.train), ("validation", self.validation), ("golden", self.golden))


def lines(sizes: Sizes) -> Iterator[dict[str, Any]]:
    """The data set's lines: for each question one old fact, and newer talk that shares one word with it."""
    for place, (name, count) in enumerate(sizes.items()):
        for number in range(count):
            yield from _topic(name, place, number)


def _topic(conversation: str, shift: int, number: int) -> Iterator[dict[str, Any]]:
    thing, colour = THINGS[number % len(THINGS)], COLOURS[(number // len(THINGS) + shift) % len(COLOURS)]
    spot, nick = PLACES[(number * 5 + shift) % len(PLACES)], NICKNAMES[(number * 7 + shift) % len(NICKNAMES)]

    def memory(key: str, day: int, text: str) -> dict[str, Any]:
        at = (START + timedelta(days=day, minutes=number)).isoformat()
        return {"type": "memory", "conversation": conversation, "id": key, "at": at, "speaker": "Nora", "text": text}

    yield memory(f"f{number}", number % 20, f"My {colour} {thing} stays in the {spot} and I call it {nick}.")
    for copy in range(number % 3):
        yield memory(f"d{number}-{copy}", 60 + number % 25 + copy, f"A neighbour asked about some {thing} again.")
    yield {
        "type": "question",
        "conversation": conversation,
        "id": f"q{number}",
        "at": (START + timedelta(days=100, minutes=number)).isoformat(),
        "query": f"How do I call the {colour} {thing} in the {spot}?",
        "evidence": [f"f{number}"],
        "category": "factual" if number % 2 else "temporal",
        "difficulty": "medium",
        "key_facts": [nick],
    }


def dataset_load(folder: Path, *, sizes: Sizes | None = None, name: str = DATASET, actor: Actor = ALICE) -> Dataset:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines(sizes or Sizes())), encoding="utf-8")
    splits = {split: [split] for split, count in (sizes or Sizes()).items() if count}
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
