"""Passes that several steps need: run, recorded by the Sensor, measured by the Teacher."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from contracts.dialogue import GroundTruth
from experiments.domain.examples import ExampleValue, content_hash, seal_hash
from experiments.golden import golden_examples
from experiments.models import EvaluationPass
from experiments.runner import PassPlan, PassProgress, pass_run
from experiments.selectors import examples
from kernel.canonical import derive_seed
from manager.engine.context import StepContext
from manager.engine.spending import runs_ahead
from manager.services.judging import judging_current
from sensor.services import catch_up, ground_truth_record, runs_capture
from teacher.aggregator import Aggregate
from teacher.judges import Judging, OnProgress
from teacher.services import batch_measure


def recorded(truths: Sequence[GroundTruth]) -> None:
    """Hand the ground truth to the Sensor and make sure that every run of it is captured."""
    ground_truth_record(truths)
    catch_up()
    runs_capture(run_ids=[truth.run_id for truth in truths])


def examples_of(context: StepContext, split: str) -> list[ExampleValue]:
    """A campaign keeps the golden set that was in force when it began: its before and after are the same questions."""
    dataset, began = context.campaign.dataset, context.campaign.started_at
    return golden_examples(dataset=dataset, at=began) if split == "golden" else examples(dataset=dataset, split=split)


def run_pass(
    context: StepContext,
    *,
    batch: str,
    split: str,
    purpose: str,
    arms: Mapping[str, int],
    over: Sequence[ExampleValue],
    label: str,
    experiment: str | None = None,
    seed: int | None = None,
    upto: int | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> None:
    """Run a pass to its end and have it recorded. Without a `seed` the campaign's own counts.

    `upto`: its first examples only. Raises `PassStopped` when `should_stop` says so first.
    """

    def show(progress: PassProgress) -> None:
        context.progress(label, progress.done, progress.planned, progress.rate)

    if context.meter is not None:
        size = len(over) if upto is None else min(upto, len(over))
        context.meter.foresee(runs_ahead(batch=batch, planned=size * len(arms)))
    truths = pass_run(
        PassPlan(
            batch=batch,
            dataset=context.campaign.dataset,
            split=split,
            purpose=purpose,
            arms=arms,
            examples=over,
            seed=context.campaign.seed if seed is None else seed,
            experiment=experiment,
            parallel=context.parallel,
            golden_hash=seal_hash(over) if split == "golden" else "",
            campaign_id=context.campaign.id,
            upto=upto,
        ),
        client=context.client,
        on_progress=show,
        should_stop=should_stop,
    )
    recorded(truths)
    if context.meter is not None and EvaluationPass.objects.filter(batch=batch, campaign=context.campaign).exists():
        context.meter.owe([truth.run_id for truth in truths])
    elif context.meter is not None:
        context.meter.count()


def judging_of(context: StepContext, batch: str) -> Judging:
    """Which judge judges this batch, and for how much: no more than what is left of the campaign's budget."""
    judging = judging_current()
    return judging if context.meter is None else context.meter.judging(batch, judging)


def judged(context: StepContext, batch: str, judging: Judging) -> None:
    """Count what judging took. Raises `BudgetSpent` when the campaign's money ended it early."""
    if context.meter is not None:
        context.meter.judged(batch, judging, judging_current())


def judging_shown(context: StepContext) -> OnProgress:
    """Keeps the lease while a model judges, and tells how far it is."""
    began = time.monotonic()

    def show(done: int, planned: int) -> None:
        context.progress("judging answers", done, planned, done / max(time.monotonic() - began, 1e-3))

    return show


def monitor_batch(*, dataset: str, split: str, version: int, over: Sequence[ExampleValue]) -> str:
    """The name of the one monitoring pass of this version over these very examples."""
    return f"monitor-{dataset}-{split}-v{version}-{content_hash(over)[:8]}"


def golden_batch(context: StepContext, *, version: int) -> str:
    """The monitoring pass of this version over the golden set that the campaign keeps."""
    over = examples_of(context, "golden")
    return monitor_batch(dataset=context.campaign.dataset, split="golden", version=version, over=over)


def monitor_seed(*, dataset: str, split: str) -> int:
    """One seed for all versions and whoever asks: two versions differ in their parameters alone, and a pass that
    somebody else goes on with stays one pass."""
    return derive_seed("monitor", dataset, split)


def monitor(context: StepContext, *, split: str, version: int) -> Aggregate:
    """Metrics of a parameter version on validation or golden. Memory is frozen there, so one pass per version is
    enough; it decides nothing and is logged apart from deciding looks."""
    over = examples_of(context, split)
    batch = monitor_batch(dataset=context.campaign.dataset, split=split, version=version, over=over)
    run_pass(
        context,
        batch=batch,
        split=split,
        purpose="monitor",
        arms={"active": version},
        over=over,
        label=f"{split} under version {version}",
        seed=monitor_seed(dataset=context.campaign.dataset, split=split),
    )
    judging = judging_of(context, batch)
    found = batch_measure(batch=batch, judging=judging, on_progress=judging_shown(context))
    judged(context, batch, judging)
    return found
