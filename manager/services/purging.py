"""Training data taken away after it has served: parameters, results of experiments, reports and the change log stay."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import transaction

from audit.services import entry_append
from contracts.actor import Actor, Role
from contracts.maas import StudentCounts
from emulator.domain.script import own_memory_user
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.selectors import run_ids
from emulator.services.removal import REMOVING, batch_mark_removing, batch_remove_dialogues
from emulator.standing import UNDER_WAY
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import EvaluationExample, Experiment
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from kernel.errors import InvalidInput, NotFound
from maas.client import users_count, users_purge, users_real
from manager.services.emulations import emulation_record
from sensor.services.removal import runs_forget

_OPEN_EXPERIMENTS = (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED,
                     ExperimentStatus.ANALYZED)  # fmt: skip
_OVER = (CampaignStatus.COMPLETED, CampaignStatus.STOPPED)
"""A failed campaign may go on, and then needs its dialogues."""
_OF_CAMPAIGN = re.compile(r"c(\d+)-k\d+-")


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows: what there is to delete, or what was deleted. `events`: recorded runs; 0 when they stay."""

    batches: int = 0
    users: int = 0
    dialogues: int = 0
    turns: int = 0
    runs: int = 0
    logs: int = 0
    memories: int = 0
    events: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


@dataclass(frozen=True, slots=True)
class Refused:
    batch: str
    reason: str


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What would go, and what has to stay and why."""

    batches: tuple[EmulationBatch, ...] = ()
    refused: tuple[Refused, ...] = ()
    counts: Counts = field(default_factory=Counts)


def batches_chosen(
    *, names: Sequence[str] = (), before: datetime | None = None, everything: bool = False
) -> list[EmulationBatch]:
    """Exactly one way to choose. Raises `InvalidInput` for none or several, `NotFound` for a name."""
    if (bool(names), before is not None, everything).count(True) != 1:
        raise InvalidInput("say which: a batch, all before a date, or all", details={"field": "batch"})
    rows = EmulationBatch.objects.order_by("created_at")
    if names:
        found = {row.batch: row for row in rows.filter(batch__in=names)}
        missing = [name for name in names if name not in found]
        if missing:
            raise NotFound(f"there is no emulation named {', '.join(missing)}", details={"missing": missing})
        return [found[name] for name in dict.fromkeys(names)]
    return list(rows if before is None else rows.filter(created_at__lt=before))


def purge_plan(*, batches: Iterable[EmulationBatch], events: bool = False) -> PurgePlan:
    """What `training_purge` would delete of these, counted; changes nothing."""
    going, refused = _sorted(list(batches))
    counts = sum((_counted(batch, events=events) for batch in going), Counts())
    return PurgePlan(tuple(going), tuple(refused), counts)


def training_purge(
    *,
    batches: Iterable[EmulationBatch],
    actor: Actor,
    reason: str,
    events: bool = False,
    on_progress: Callable[[EmulationBatch, Counts], None] | None = None,
) -> PurgePlan:
    """Delete the training data of these batches. Returns what went, and what stayed and why.

    Each batch by itself, in small transactions; killed in the middle, the same call again does the rest:
    1. Refuse what is being played, what a campaign or experiment that is not over needs, and what is not synthetic.
    2. Mark it, so that nobody goes on with it, and say in the change log that it begins, with what there is.
    3. Have the Sensor keep its runs (unless `events` go too), then delete runs, logs and memories in the student.
    4. Delete recorded runs if wanted, dialogues and turns; last the batch itself, with the counts in the change log.

    Raises `NotAuthorised` below meta-user, `InvalidInput` without a reason; what the student raises: the batch at hand
    stays marked, and those before it are gone.
    """
    actor.require(Role.META_USER)
    reason = reason.strip()
    if not reason:
        raise InvalidInput("say why: it is kept in the change log", details={"field": "reason"})
    going, refused = _sorted(list(batches))
    total = Counts()
    for batch in going:
        counts = _purge(batch, actor=actor, reason=reason, events=events)
        total += counts
        if on_progress is not None:
            on_progress(batch, counts)
    return PurgePlan(tuple(going), tuple(refused), total)


def _purge(batch: EmulationBatch, *, actor: Actor, reason: str, events: bool) -> Counts:
    users, runs = _users(batch), list(EmulationTurn.objects.filter(batch=batch).values_list("id", flat=True))
    begun = batch.error == REMOVING
    with transaction.atomic():
        batch_mark_removing(batch_id=batch.pk)
        if not begun:
            _say(batch, "training_purge_begun", actor, reason, _counted(batch, events=events))
    if not events and not begun:
        emulation_record(batch)
    student = users_purge(user_ids=_in_student(users))
    forgotten = runs_forget(run_ids=runs) if events else 0
    dialogues, turns = batch_remove_dialogues(batch_id=batch.pk)
    counts = _of(1, len(users), dialogues, turns, student, forgotten)
    with transaction.atomic():
        EmulationBatch.objects.filter(pk=batch.pk).delete()
        _say(batch, "training_purged", actor, reason, counts)
    return counts


def _say(batch: EmulationBatch, action: str, actor: Actor, reason: str, counts: Counts) -> None:
    entry_append(
        actor=actor,
        action=action,
        subject_type="emulation",
        subject_id=batch.batch,
        after=asdict(counts),
        reason=reason,
        experiment=batch.experiment or None,
    )


def _sorted(chosen: list[EmulationBatch]) -> tuple[list[EmulationBatch], list[Refused]]:
    """Those that may go, and those that have to stay. A batch stays too when one that stays has users of it."""
    stays = {batch.pk: reason for batch in chosen if (reason := next(_needs(batch), ""))}
    while True:
        going = {batch.pk for batch in chosen if batch.pk not in stays}
        shared = {batch.pk: reason for batch in chosen if batch.pk in going and (reason := _shared(batch, going=going))}
        if not shared:
            break
        stays |= shared
    refused = [Refused(batch.batch, stays[batch.pk]) for batch in chosen if batch.pk in stays]
    return [batch for batch in chosen if batch.pk in going], refused


def _needs(batch: EmulationBatch) -> Iterator[str]:
    """Why it has to stay, each reason as a sentence."""
    if batch.status in UNDER_WAY:
        yield "it is being played: stop it first"
    if batch.plan.get("loaded"):
        yield f"its users belong to the data set {batch.dataset}, whose questions need their memories"
    campaign = _OF_CAMPAIGN.match(batch.batch)
    if campaign and Campaign.objects.filter(number=int(campaign[1])).exclude(status__in=_OVER).exists():
        yield f"campaign {campaign[1]} is not over and learns from it"
    if batch.experiment and Experiment.objects.filter(slug=batch.experiment, status__in=_OPEN_EXPERIMENTS).exists():
        yield f"experiment {batch.experiment} is not decided and needs it"
    users = _users(batch)
    if EvaluationExample.objects.filter(user_id__in=users).exists():
        yield "questions of a data set need the memories of its users"
    if users_real(user_ids=users):
        yield "a real person has talked as one of its users"


def _shared(batch: EmulationBatch, *, going: set[uuid.UUID]) -> str:
    others = EmulationDialogue.objects.filter(user_id__in=_users(batch)).exclude(batch_id__in=going)
    name = others.values_list("batch__batch", flat=True).first()
    return f"its users also talk in {name}" if name else ""


def _counted(batch: EmulationBatch, *, events: bool) -> Counts:
    users = _users(batch)
    turns = EmulationTurn.objects.filter(batch=batch).count()
    recorded = len(run_ids(batch=batch.batch)) if events else 0
    return _of(1, len(users), batch.dialogues.count(), turns, users_count(user_ids=_in_student(users)), recorded)


def _of(batches: int, users: int, dialogues: int, turns: int, student: StudentCounts, events: int) -> Counts:
    return Counts(batches, users, dialogues, turns, student.runs, student.logs, student.memories, events)


def _in_student(users: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Under whom the student knows them: a model that speaks for one of them remembers under a name of its own."""
    return [*users, *map(own_memory_user, users)]


def _users(batch: EmulationBatch) -> list[uuid.UUID]:
    rows = EmulationDialogue.objects.filter(batch=batch).order_by("user_id").values_list("user_id", flat=True)
    return list(rows.distinct())
