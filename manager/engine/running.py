"""An experiment from planned to completed: both arms over the validation examples, with looks before the end.

Looks are planned when the experiment starts and remembered one by one, so a killed worker's successor goes on with the
same ones, whatever the policy says by then. A final verdict at a look freezes: the rest is not run. Golden is not
touched here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from contracts.experiment_spec import ExperimentSpec
from experiments.domain.examples import ExampleValue
from experiments.domain.lifecycle import ExperimentStatus
from experiments.domain.looks import decided_early, look_row, look_sizes, looking_order
from experiments.models import Experiment
from experiments.runner import PassStopped, pass_close
from experiments.selectors import experiment_by_slug
from experiments.services import experiment_bind_arms, experiment_transition, look_record
from kernel.errors import DomainError
from manager.engine.context import MANAGER, StepContext
from manager.engine.passes import examples_of, judged, judging_of, judging_shown, run_pass
from manager.services.judging import judging_current
from manager.services.policy import agreement_rule, policy_current
from teacher.aggregator import metrics_aggregate
from teacher.judges import judging_begin
from teacher.services import experiment_look
from teacher.statistics import MIN_SAMPLES_PER_VARIANT
from tuner.services import experiment_prepare

Rows = list[dict[str, Any]]
"""Looks as an experiment remembers them."""


def batch_of(experiment: Experiment) -> str:
    return f"{experiment.slug}-validation"


def start(context: StepContext, experiment: Experiment) -> Experiment:
    """Planned → running: arms are bound, the judge is chosen, looks and closing time are fixed."""
    spec = ExperimentSpec.from_mission_json(experiment.spec)
    arms = experiment_prepare(
        experiment=experiment.slug,
        arms={variant.name: variant.params for variant in spec.variants},
        base_version=experiment.base_version,
        actor=MANAGER,
    )
    experiment_bind_arms(slug=experiment.slug, arm_versions=arms)
    judging_begin(batch=batch_of(experiment), judging=judging_current())
    policy, total = policy_current(), len(examples_of(context, "validation"))
    hours = policy.experiment_hours
    return experiment_transition(
        slug=experiment.slug,
        target=ExperimentStatus.RUNNING,
        actor=MANAGER,
        look_sizes=look_sizes(total, looks=policy.looks_per_experiment, floor=MIN_SAMPLES_PER_VARIANT),
        closes_at=timezone.now() + timedelta(hours=hours) if hours > 0 else None,
    )


def run(context: StepContext, experiment: Experiment) -> Experiment:
    """Running → completed: at the end of the sample, at a look that decides, or when its time is over. One that a
    person has closed meanwhile is returned as it is."""
    try:
        early = _to_its_end(context, experiment)
        return experiment_transition(
            slug=experiment.slug,
            target=ExperimentStatus.COMPLETED,
            actor=MANAGER,
            reason=early or "the sample is complete",
            ended_early=early,
        )
    except DomainError:
        now = experiment_by_slug(experiment.slug)
        if now.status != ExperimentStatus.REJECTED:
            raise
        return now


def _to_its_end(context: StepContext, experiment: Experiment) -> str:
    """Why it ended before its sample was complete; empty when it did not. Raises `PassStopped` when it was closed."""
    try:
        return _parts(context, experiment)
    except PassStopped:
        pass_close(batch=batch_of(experiment))
        if experiment_by_slug(experiment.slug).status != ExperimentStatus.RUNNING:
            raise
        return f"it was not through by {experiment.closes_at:%Y-%m-%d %H:%M} UTC, when the policy closes it"


def _parts(context: StepContext, experiment: Experiment) -> str:
    """Run part by part, looking after each but the last. Returns why the rest was not run; empty when all was."""
    over = examples_of(context, "validation")
    sizes = experiment.look_sizes
    if sizes:
        over = looking_order(over, seed=experiment.seed)
    looks: Rows = list(experiment.looks)
    for size in sizes[len(looks) : -1]:
        if decided_early(looks):
            break
        _pass(context, experiment, over, upto=size)
        looks.append(_look(context, experiment, looks, size))
    if decided_early(looks):
        pass_close(batch=batch_of(experiment))
        return _saved(experiment, looks, len(over))
    _pass(context, experiment, over, upto=None)
    return ""


class Ending:
    """Whether a running experiment is to end now: its time is over, or a person closed it. The registry is asked once
    in `EVERY` seconds, however often this is."""

    EVERY = 1.0

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self._asked = time.monotonic()
        self._closed = False

    def __call__(self) -> bool:
        closes_at = self._experiment.closes_at
        if closes_at is not None and timezone.now() >= closes_at:
            return True
        if not self._closed and time.monotonic() - self._asked >= self.EVERY:
            self._asked = time.monotonic()
            self._closed = experiment_by_slug(self._experiment.slug).status != ExperimentStatus.RUNNING
        return self._closed


def _pass(context: StepContext, experiment: Experiment, over: Sequence[ExampleValue], *, upto: int | None) -> None:
    run_pass(
        context,
        batch=batch_of(experiment),
        split="validation",
        purpose="experiment",
        arms=experiment.arm_versions,
        over=over,
        label=f"{experiment.factor} {experiment.from_value} → {experiment.to_value}",
        experiment=experiment.slug,
        upto=upto,
        should_stop=Ending(experiment),
    )


def _look(context: StepContext, experiment: Experiment, seen: Rows, size: int) -> dict[str, Any]:
    judging = judging_of(context, batch_of(experiment))
    evaluation = experiment_look(
        slug=experiment.slug,
        batch=batch_of(experiment),
        looks=(*(int(row["n"]) for row in seen), size),
        horizon=experiment.look_sizes[-1],
        category=context.cycle.data.get("focus", {}).get("category"),
        judging=judging,
        rule=agreement_rule(),
        on_progress=judging_shown(context),
    )
    judged(context, batch_of(experiment), judging)
    first = evaluation.criteria[0]
    row = look_row(
        n=size,
        verdict=str(evaluation.verdict),
        p_value=first.p_value,
        level=first.level,
        estimate=first.estimate,
        low=first.low,
        high=first.high,
    )
    look_record(slug=experiment.slug, seen=seen, look=row)
    return row


def _saved(experiment: Experiment, looks: Rows, total: int) -> str:
    """The verdict came early: what that saved, by what the runs so far cost on average."""
    row, arms = looks[-1], max(1, len(experiment.arm_versions))
    measured = metrics_aggregate(batch=batch_of(experiment))
    runs = (total - row["n"]) * arms
    money = measured.cost_usd / measured.n * runs if measured.n else 0.0
    return (
        f"{row['verdict']} at look {len(looks)} of {len(experiment.look_sizes)}: {row['n']} of {total} questions were "
        f"enough; {runs} runs, about ${money:.4f}, were not needed"
    )
