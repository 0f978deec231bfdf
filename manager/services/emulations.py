"""Emulations that people start: played by workers in slices, stopped, gone on with, and recorded by the Sensor."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from contracts.actor import Actor, Role
from contracts.parameters import ParameterContext
from emulator.domain.lifecycle import BatchStatus
from emulator.domain.script import EmulationPlan
from emulator.models import EmulationBatch
from emulator.selectors import ground_truths, run_ids
from emulator.services import emulation_run, emulation_start, emulation_stop
from emulator.services.batches import batch_get, batch_move
from emulator.services.removal import REMOVING
from emulator.standing import standing
from kernel.errors import DomainError, IllegalTransition, InvalidInput, NotFound, RuleViolated
from maas.client import MaasClient
from manager.engine.passes import recorded
from manager.engine.simulator import is_golden
from sensor.services import runs_capture
from tuner.selectors import effective_params

log = structlog.get_logger(__name__)

PLAY_TASK = "manager.tasks.emulation_play"
SLICE_SECONDS = 300.0
"""Of playing in one task. With the turns at hand, each as slow as the student may be, it ends before it is cut off."""
ABANDONED_AFTER = timedelta(minutes=10)
COMMAND_LINE = "person:command-line"
OF_CAMPAIGNS = "component:"
"""How the name of who began a campaign's own dialogues starts."""
MOST_DIALOGUES = 5_000
"""Of one emulation that is started at a page or over the API: what its users say is written while the caller waits."""


def emulation_name() -> str:
    """A name for an emulation that was given none."""
    return f"emulation-{uuid.uuid4().hex[:12]}"


def emulation_launch(*, plan: EmulationPlan, actor: Actor) -> EmulationBatch:
    """Write the batch and have a worker play it. The same plan under the same name again is the same batch.

    Raises `NotAuthorised` below operator, `InvalidInput` for what cannot be played (an arm or version that does not
    exist among it), `Conflict` when the name is taken by another plan.
    """
    actor.require(Role.OPERATOR)
    if plan.dialogues > MOST_DIALOGUES:
        raise InvalidInput(f"at most {MOST_DIALOGUES} dialogues here", details={"field": "dialogues"})
    arm_check(plan)
    batch = emulation_start(plan=plan, actor=actor)
    if batch.status == BatchStatus.PENDING:
        emulation_enqueue(batch_id=batch.pk)
    return batch


def arm_check(plan: EmulationPlan) -> None:
    """Every run of an arm that does not exist would fail, so it is said before the first. Raises `InvalidInput`."""
    if plan.variant and not plan.experiment:
        raise InvalidInput("a variant is an arm of an experiment: name that too", details={"field": "experiment"})
    try:
        effective_params(
            ParameterContext(experiment=plan.experiment, variant=plan.variant, version=plan.pinned_version)
        )
    except NotFound as error:
        field = "pinned_version" if plan.pinned_version is not None else "variant"
        raise InvalidInput(error.message, details={"field": field}) from error


def emulation_enqueue(*, batch_id: uuid.UUID) -> None:
    """Ask a worker to play a slice. Asked twice is harmless: no turn is answered twice."""
    async_task(PLAY_TASK, str(batch_id), task_name=f"emulation {batch_id}")


def emulation_resume(*, batch_id: uuid.UUID, actor: Actor) -> EmulationBatch:
    """Have a worker go on with what is left of a stopped, failed or abandoned batch.

    Raises `NotAuthorised`, `NotFound`, `RuleViolated` for a campaign's own, `IllegalTransition` for one that is
    completed or being played.
    """
    actor.require(Role.OPERATOR)
    batch = batch_get(batch_id)
    _refuse_campaigns(batch)
    if batch.error == REMOVING:
        raise IllegalTransition("its data are being removed: it does not go on", details={"from": batch.status})
    if batch.status not in (BatchStatus.STOPPED, BatchStatus.FAILED) and not standing(batch).stalled:
        raise IllegalTransition(f"a {batch.status} emulation does not go on", details={"from": batch.status})
    broken = EmulationBatch.objects.filter(pk=batch_id, status__in=[BatchStatus.STOPPED, BatchStatus.FAILED])
    broken.exclude(error=REMOVING).update(status=BatchStatus.PENDING, stop_requested=False, error="", finished_at=None)
    emulation_enqueue(batch_id=batch_id)
    return batch_get(batch_id)


def emulation_halt(*, batch_id: uuid.UUID, actor: Actor) -> EmulationBatch:
    """Stop after the turns at hand; at once where nobody is playing. Stopping twice is stopping once.

    Raises `NotAuthorised`, `NotFound`, `RuleViolated` for a campaign's own, `IllegalTransition` for one that is over.
    """
    actor.require(Role.OPERATOR)
    _refuse_campaigns(batch_get(batch_id))
    batch = emulation_stop(batch_id=batch_id, actor=actor)
    if batch.status == BatchStatus.RUNNING and standing(batch).stalled:
        batch_move(batch_id=batch_id, target=BatchStatus.STOPPED)
        batch = batch_get(batch_id)
    if batch.status not in (BatchStatus.RUNNING, BatchStatus.STOPPED):
        raise IllegalTransition(f"a {batch.status} emulation cannot be stopped", details={"from": batch.status})
    return batch


def _refuse_campaigns(batch: EmulationBatch) -> None:
    """A cycle would take the dialogues so far for all of them, and learn from a part that nobody has chosen."""
    if batch.created_by.startswith(OF_CAMPAIGNS):
        raise RuleViolated("a campaign plays these dialogues: pause or stop the campaign", details={"field": "batch"})


def emulation_play(*, batch_id: uuid.UUID, client: MaasClient, seconds: float = SLICE_SECONDS) -> EmulationBatch:
    """Play for `seconds`, then leave the rest to the next worker; record the batch when it is over.

    1. Only a batch that waits, or that whoever played it has abandoned: anything else is left as it is.
    2. `emulation_run` until it is done, somebody stops it, or the time is up.
    3. Time is up: stopped becomes waiting (unless somebody asked for the stop), and the next slice is queued.
    4. Over, or stopped: hand the truth of its questions to the Sensor, and have its runs captured.
    """
    batch = batch_get(batch_id)
    if batch.status == BatchStatus.RUNNING and not standing(batch).stalled:
        return batch
    if batch.status not in (BatchStatus.PENDING, BatchStatus.RUNNING):
        return batch
    until = time.monotonic() + seconds
    try:
        batch = emulation_run(
            batch_id=batch_id, client=client, should_stop=lambda: time.monotonic() >= until, is_golden=is_golden
        )
    except DomainError as error:  # the batch says so itself, and can be gone on with
        log.warning("emulation_broken_off", batch=str(batch_id), error=error.message)
        batch = batch_get(batch_id)
    if batch.status == BatchStatus.STOPPED and time.monotonic() >= until and _goes_on(batch):
        emulation_enqueue(batch_id=batch_id)
        return batch_get(batch_id)
    emulation_record(batch)
    return batch


def emulations_unattended() -> list[uuid.UUID]:
    """Batches whose worker died: being played, and nothing of them was for longer than a slow student takes.

    Those of campaigns go on with their campaign, those of the command line with whoever started them.
    """
    others = Q(created_by__startswith=OF_CAMPAIGNS) | Q(created_by=COMMAND_LINE)
    rows = EmulationBatch.objects.filter(status=BatchStatus.RUNNING, stop_requested=False).exclude(others)
    quiet = timezone.now() - ABANDONED_AFTER
    rows = rows.filter(started_at__lt=quiet).exclude(turns__finished_at__gte=quiet)
    return list(rows.values_list("pk", flat=True))


def emulation_record(batch: EmulationBatch) -> None:
    """Have the Sensor keep what was played so far. May be repeated."""
    recorded(ground_truths(batch=batch.batch))
    runs_capture(run_ids=run_ids(batch=batch.batch))


def _goes_on(batch: EmulationBatch) -> bool:
    """Compare-and-swap: whoever asked for a stop in the slice's last moment gets it."""
    return bool(
        EmulationBatch.objects.filter(pk=batch.pk, status=BatchStatus.STOPPED, stop_requested=False).update(
            status=BatchStatus.PENDING, finished_at=None
        )
    )
