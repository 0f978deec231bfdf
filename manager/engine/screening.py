"""Screening: candidate steps on the questions of this cycle's train dialogues. It decides nothing but what to test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.evaluation import Sample
from contracts.metric import METRICS
from experiments.domain.examples import ExampleValue
from kernel.canonical import stable_fraction
from manager.engine.context import MANAGER, StepContext
from manager.engine.passes import run_pass
from manager.services.policy import policy_current
from sensor.selectors import events
from teacher.aggregator import samples_read
from teacher.designer import Candidate, Screened, screening_read
from teacher.designer.screening import BASE_ARM
from teacher.domain.gaps import MetricGap
from teacher.judges import batch_judge
from teacher.knowledge import steps_seen
from tuner.services import experiment_prepare

SCREENED_AT_MOST = 100
"""Train questions used for screening in one cycle."""


def train_questions(context: StepContext) -> list[ExampleValue]:
    """The questions of this cycle's dialogues, as the Sensor recorded them; at most `SCREENED_AT_MOST`, by hash."""
    rows = events(batch=context.cycle.data["train_batch"]).exclude(status="FAILED")
    values = [
        ExampleValue(
            external_id=f"{row.example_id}@{row.user_id}",
            user_id=row.user_id,
            query=row.query,
            asked_at=row.asked_at,
            expected_memory_ids=tuple(row.expected_ids or ()),
            should_retrieve=bool(row.should_retrieve),
            category=row.category or "",
            difficulty=row.difficulty or "",
            cluster=row.cluster or "",
            key_facts=tuple(row.key_facts or ()),
            forbidden=tuple(row.forbidden or ()),
        )
        for row in rows
        if row.example_id and row.asked_at is not None
    ]
    drawn = sorted(
        values, key=lambda item: stable_fraction(context.campaign.seed, context.cycle.number, item.external_id)
    )
    return drawn[:SCREENED_AT_MOST]


def screening_name(context: StepContext) -> str:
    return f"{context.name}-screening"


def chosen_for_screening(
    context: StepContext, lists: Sequence[Sequence[Candidate]], version: int, *, again: bool
) -> tuple[list[Candidate], int]:
    """The steps that this cycle screens, at most as many as the policy says: in turn the most promising of each gap's
    list. Beside them how many are left that this campaign has not screened from this version yet.

    `again`: the cycle before left steps out and found nothing; what it did not screen then comes first now.
    """
    before = [f"c{context.campaign.number}-k{number}-screening" for number in range(1, context.cycle.number)]
    seen = steps_seen(references=before, base_version=version)
    if again:
        lists = [sorted(items, key=lambda item: _key(item) in seen) for items in lists]
    ordered: dict[str, Candidate] = {}
    for place in range(max((len(items) for items in lists), default=0)):
        ordered |= {
            items[place].arm: items[place] for items in lists if place < len(items) and items[place].arm not in ordered
        }
    every = list(ordered.values())
    most = policy_current().screening_steps
    return every[:most], sum(_key(item) not in seen for item in every[most:])


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.change.param, str(candidate.change.to_value)


def screen(
    context: StepContext, union: list[Candidate], version: int, focus: Sequence[MetricGap]
) -> Callable[[str | None], list[Screened]]:
    """Two rounds: every candidate on a share of the questions, the best of them on the others too.

    Returns a function from category to screened candidates; finalists carry both rounds, others the first.
    """
    policy = policy_current()
    questions = train_questions(context)
    cut = max(1, round(len(questions) * policy.screening_share))
    first, rest = questions[:cut], questions[cut:]
    arms = experiment_prepare(
        experiment=screening_name(context),
        arms={BASE_ARM: {}, **{item.arm: {item.change.param: item.change.to_value} for item in union}},
        base_version=version,
        actor=MANAGER,
    )
    batches = [f"{context.name}-screen-1", f"{context.name}-screen-2"]
    run_pass(
        context, batch=batches[0], split="train", purpose="screening", arms=arms, over=first,
        label=f"screening {len(union)} steps", experiment=screening_name(context),
    )  # fmt: skip
    batch_judge(batch=batches[0])
    samples = samples_read(batch=batches[0])
    finalists = _finalists(samples, union, focus, policy.screening_finalists)
    if rest and finalists:
        chosen = {BASE_ARM: arms[BASE_ARM], **{item.arm: arms[item.arm] for item in finalists}}
        run_pass(
            context, batch=batches[1], split="train", purpose="screening", arms=chosen, over=rest,
            label=f"screening the best {len(finalists)}", experiment=screening_name(context),
        )  # fmt: skip
        batch_judge(batch=batches[1])
        samples = [*samples, *samples_read(batch=batches[1])]

    def read(category: str | None) -> list[Screened]:
        return screening_read(samples, union, category=category)

    return read


def _finalists(
    samples: Sequence[Sample], union: list[Candidate], focus: Sequence[MetricGap], each: int
) -> list[Candidate]:
    """The best candidates of the first round for each gap that is worked on, without repetition."""
    chosen: dict[str, Candidate] = {}
    for gap in focus:
        metric = METRICS[gap.metric].source or gap.metric
        up = METRICS[metric].higher_is_better
        screened = screening_read(samples, union, category=gap.category)
        ranked = sorted(screened, key=lambda item: (-item.gain(metric, higher_is_better=up), -item.candidate.prior))
        chosen |= {item.candidate.arm: item.candidate for item in ranked[:each]}
    return list(chosen.values())
