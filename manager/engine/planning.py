"""Writing a plan down: its hypotheses, the experiment that is run now, and what else was considered and why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.metric import METRICS
from experiments.selectors import split_sizes
from experiments.services import experiment_register
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_link_experiment, hypothesis_register
from manager.domain.lifecycle import CycleState
from manager.engine.context import TEACHER, Note, Step, StepContext
from teacher.designer import Considered, PlannedExperiment, Screened
from teacher.domain.gaps import MetricGap
from teacher.domain.wording import amount

_TOLD = 5
"""Screened steps that the journal tells of, best first; the cycle keeps all."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a plan came from: the gap that it works on among all gaps, the screened steps, and what to note besides.

    `record` writes down what screening saw, in the transaction of the step.
    """

    gap: MetricGap
    gaps: Sequence[MetricGap]
    screened: Sequence[Screened]
    notes: Sequence[Note]
    record: Callable[[], None] | None


def plan_write(
    context: StepContext, plans: Sequence[PlannedExperiment], considered: Sequence[Considered], work: Work
) -> Step:
    """Register the plan's hypotheses and the first one's experiment; all find themselves when the step is repeated.

    What would come next is registered as planned and not run: at most two for a base version and metric, each once.
    """
    plan = plans[0]
    slug = experiment_slug(context.name, plan.change.param, plan.change.to_value)
    spec = plan.spec.model_copy(update={"experiment_id": slug})
    version = context.cycle.data["version"]
    extra: dict[str, Any] = {
        "experiment": slug,
        "focus": work.gap.to_json(),
        "gaps": [item.to_json() for item in work.gaps],
        "screening": [_screening_row(item, plan.metric) for item in work.screened],
        "plan": [item.to_json() for item in considered],
    }

    def write() -> None:
        if work.record is not None:
            work.record()
        hypothesis, *_ = [_hypothesis(context, item, version) for item in plans]
        experiment = experiment_register(
            spec=spec,
            change=plan.change,
            metric=plan.metric,
            dataset=context.campaign.dataset,
            base_version=version,
            planned_n=split_sizes(dataset=context.campaign.dataset)["validation"],
            seed=spec.seed or 0,
            actor=TEACHER,
            campaign_id=context.campaign.id,
            cycle=context.cycle.number,
            hypothesis_id=hypothesis.id,
            needs_approval=list(plan.needs_approval),
        )
        hypothesis_link_experiment(hypothesis_id=hypothesis.id, experiment=experiment.slug)

    gap = work.gap
    why = "a critical gap comes before the goal" if not gap.of_goal else "the goal's first open target"
    standing = f"{METRICS[gap.metric].title} {amount(gap.metric, gap.current)}, target {amount(gap.metric, gap.target)}"
    told = {"needs_n": plan.needs_n, "considered": [item.to_json() for item in considered[:_TOLD]]}
    note = Note("hypothesis", plan.hypothesis, f"{standing}: {why}", slug, told)
    return Step(state=CycleState.TUNING, data=extra, notes=(*work.notes, note), within=write)


def _hypothesis(context: StepContext, plan: PlannedExperiment, version: int) -> Hypothesis:
    return hypothesis_register(
        campaign=context.campaign,
        factor=plan.change.param,
        from_value=plan.change.from_value,
        to_value=plan.change.to_value,
        base_version=version,
        metric=plan.metric,
        direction="increase" if plan.direction == "increase" else "decrease",
        actor=TEACHER,
        rationale=plan.rationale,
        expected_effect=plan.expected_effect,
        needs_approval=bool(plan.needs_approval),
        name=plan.title,
        description=plan.hypothesis,
        tags=[plan.metric, plan.change.param],
    )


def experiment_slug(prefix: str, param: str, value: object) -> str:
    """Unique and readable: `c1-k3-retrieval-recency-weight-0p4`."""
    text = f"{prefix}-{param}-{value}".replace(".", "-", param.count(".")).replace(".", "p")
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:110].strip("-")


def _screening_row(item: Screened, metric: str) -> dict[str, Any]:
    measured = METRICS[metric].source or metric
    found = item.differences.get(measured)
    return {
        "param": item.candidate.change.param,
        "from": item.candidate.change.from_value,
        "to": item.candidate.change.to_value,
        "metric": measured,
        "difference": found.mean if found else None,
        "error": found.error if found else None,
        "n": found.n if found else 0,
        "needs_approval": list(item.candidate.needs_approval),
    }
