"""Upkeep cycles and their schedule: begin, stop, change, and what the scheduler knows."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django_q.tasks import async_task

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from experiments.selectors import dataset_by_name
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from maas.client import last_real_request
from manager.domain.lifecycle import UPKEEP, UpkeepState
from manager.domain.scheduling import CycleType, Facts, Open, Schedule, cron_check
from manager.models import UpkeepCycle, UpkeepSchedule
from sensor.models import SensorEvent
from tuner.selectors import active_version

WORK_TASK = "manager.tasks.upkeep_work"
EDITABLE = (
    "enabled",
    "micro_idle_minutes",
    "macro_idle_minutes",
    "macro_cron",
    "deep_cron",
    "yields",
    "quiet_seconds",
    "patience_hours",
    "micro_questions",
    "dataset",
)


def schedule_row() -> UpkeepSchedule:
    return UpkeepSchedule.objects.get_or_create(id=1)[0]


def schedule_of(row: UpkeepSchedule) -> Schedule:
    return Schedule(
        enabled=row.enabled,
        micro_idle=timedelta(minutes=row.micro_idle_minutes),
        macro_idle=timedelta(minutes=row.macro_idle_minutes),
        macro_cron=row.macro_cron,
        deep_cron=row.deep_cron,
        yields=row.yields,
        quiet=timedelta(seconds=row.quiet_seconds),
        patience=timedelta(hours=row.patience_hours),
    )


@transaction.atomic
def schedule_change(*, actor: Actor, reason: str, **values: Any) -> UpkeepSchedule:
    """Change the schedule. Raises `NotAuthorised` below meta-user, `InvalidInput` for an unknown field, a wrong value
    or a change without a reason, `NotFound` for an unknown data set."""
    actor.require(Role.META_USER)
    if unknown := sorted(set(values) - set(EDITABLE)):
        raise InvalidInput(f"the schedule has no field {unknown[0]!r}", details={"known": list(EDITABLE)})
    if not reason.strip():
        raise InvalidInput("a change of the schedule needs a reason", details={"field": "reason"})
    for field in ("macro_cron", "deep_cron"):
        if field in values:
            values[field] = cron_check(values[field], field=field)
    if "dataset" in values:
        dataset_by_name(values["dataset"])
    schedule_row()
    chain_lock()  # before the row, as every writer of both
    row = UpkeepSchedule.objects.select_for_update().get(id=1)
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), details={"fields": sorted(error.message_dict)}) from error
    row.save()
    entry_append(
        actor=actor,
        action="upkeep_schedule.changed",
        subject_type="upkeep_schedule",
        subject_id="1",
        before=before,
        after=values,
        reason=reason,
    )
    return row


def last_request() -> datetime | None:
    """When a real user last asked. Of a student elsewhere only what was recorded is known."""
    if settings.MAAS_URL:
        found: datetime | None = SensorEvent.objects.filter(client_kind="user").aggregate(at=Max("ended_at"))["at"]
        return found
    return last_real_request()


def facts() -> Facts:
    """What the scheduler decides by, as it is now, in the local time zone that cron lines are read in."""
    started = UpkeepCycle.objects.order_by().values("type").annotate(at=Max("created_at"))
    last = {cast("CycleType", row["type"]): row["at"] for row in started}
    found = UpkeepCycle.objects.filter(finished_at__isnull=True).first()
    return Facts(
        now=timezone.localtime(),
        since=schedule_row().created_at,
        last_request=last_request(),
        last=last,
        open=None if found is None else Open(cast("CycleType", found.type), found.state == UpkeepState.PAUSED),
    )


@transaction.atomic
def upkeep_begin(*, kind: CycleType, actor: Actor, reason: str) -> UpkeepCycle:
    """A new cycle that nobody works on yet. Raises `NotAuthorised` below operator, `Conflict` while another is open."""
    actor.require(Role.OPERATOR)
    row = schedule_row()
    chain_lock()
    try:
        with transaction.atomic():
            cycle = UpkeepCycle.objects.create(
                type=kind,
                dataset=row.dataset,
                version=active_version().version,
                started_by=actor.label,
                reason=reason,
            )
    except IntegrityError as error:
        raise Conflict("another upkeep cycle has not ended; stop it first") from error
    _audit(cycle, actor, "started", reason)
    return cycle


def upkeep_get(cycle_id: uuid.UUID) -> UpkeepCycle:
    found = UpkeepCycle.objects.filter(id=cycle_id).first()
    if found is None:
        raise NotFound(f"there is no upkeep cycle {cycle_id}", details={"cycle": str(cycle_id)})
    return found


@transaction.atomic
def upkeep_stop(*, cycle_id: uuid.UUID, actor: Actor, reason: str = "") -> UpkeepCycle:
    """Stop a cycle: at once where nobody works on it, else after the question at hand; what it found stays.

    Raises `NotAuthorised` below operator, `NotFound`, `IllegalTransition` for one that has ended.
    """
    actor.require(Role.OPERATOR)
    chain_lock()
    upkeep_get(cycle_id)
    cycle = UpkeepCycle.objects.select_for_update().get(id=cycle_id)
    if cycle.finished_at is not None:
        raise IllegalTransition(f"a {cycle.state} cycle cannot be stopped", details={"from": cycle.state})
    if cycle.lease_until is not None and cycle.lease_until > timezone.now():
        UpkeepCycle.objects.filter(id=cycle_id).update(stop_requested=True)
        _audit(cycle, actor, "stop_requested", reason)
    else:
        upkeep_move(cycle, UpkeepState.STOPPED)
        _audit(cycle, actor, "stopped", reason)
    return upkeep_get(cycle_id)


def upkeep_move(cycle: UpkeepCycle, target: UpkeepState, *, error: str = "") -> None:
    """Compare-and-swap. Raises `IllegalTransition`, and `Conflict` when somebody moved it first."""
    UPKEEP.check(UpkeepState(cycle.state), target)
    now = timezone.now()
    values: dict[str, Any] = {"state": target, "error": error, "progress": {}}
    values["paused_since"] = now if target == UpkeepState.PAUSED else None
    if UPKEEP.is_final(target):
        values |= {"finished_at": now, "slot": None, "lease_owner": "", "lease_until": None}
    if UpkeepCycle.objects.filter(id=cycle.id, state=cycle.state).update(**values) != 1:
        raise Conflict(f"somebody else moved {cycle} first")
    cycle.refresh_from_db()


def upkeep_enqueue(cycle_id: uuid.UUID) -> None:
    """Ask a worker to go on with it. Asked twice is harmless: one holds the lease."""
    async_task(WORK_TASK, str(cycle_id), task_name=f"upkeep {cycle_id}")


def _audit(cycle: UpkeepCycle, actor: Actor, action: str, reason: str) -> None:
    entry_append(
        actor=actor,
        action=f"upkeep.{action}",
        subject_type="upkeep_cycle",
        subject_id=str(cycle.id),
        after={"type": cycle.type, "state": cycle.state},
        reason=reason,
    )
