"""What one turn leaves behind: its row, its memory, its question's truth, the next turn, and the batch's counts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from contracts.maas import RunAnswer
from emulator.domain.script import unmade_memory_id
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.services.users import Step

COMPLETED = "COMPLETED"
_EXCERPT = 500


@dataclass(slots=True)
class Told:
    """`memories`: event id → the memory it became; None when its run failed, so that it was never told.
    `again`: event id → memories in which a correction said it again."""

    memories: dict[str, uuid.UUID | None] = field(default_factory=dict)
    again: dict[str, list[uuid.UUID]] = field(default_factory=dict)


def told_so_far(*, batch: EmulationBatch, user_id: uuid.UUID) -> Told:
    """What this user's finished turns told, and which memories that became."""
    told = Told()
    for turn in EmulationTurn.objects.filter(
        batch=batch, dialogue__user_id=user_id, finished_at__isnull=False, event_ids__len__gt=0
    ).order_by("dialogue__ordinal", "position"):
        _tell(told, turn)
    return told


def dialogue_begin(*, dialogue: EmulationDialogue, step: Step) -> None:
    """Write the first turn of a user who listens, or that there is none. Whoever was first has decided."""
    with transaction.atomic():
        if EmulationDialogue.objects.select_for_update().get(pk=dialogue.pk).turns.exists():
            return
        if step.following is not None:
            EmulationTurn.objects.bulk_create([step.following])
        _go_on(dialogue, step, done=0)


def turn_finish(*, turn: EmulationTurn, answer: RunAnswer, told: Told, step: Step | None = None) -> bool | None:
    """Write the turn's outcome, the turn that follows and the batch's counts together; True when its run failed.

    A statement that MaaS chose not to remember stands in `told` by an id that cannot be found: whoever asks for it
    loses recall, as they should. A statement whose run failed was not told, and questions about it have no truth.
    Writing is conditional on the turn being unfinished: a second process that plays the same batch changes nothing,
    and gets None.
    """
    failed = answer.status != COMPLETED
    turn.run_status = answer.status
    turn.memory_id = answer.memory_id
    turn.answer_excerpt = (answer.answer or "")[:_EXCERPT]
    turn.error = answer.error or ""
    turn.finished_at = timezone.now()
    _tell(told, turn)
    _resolve(turn, told)
    fields = (
        "run_status",
        "memory_id",
        "answer_excerpt",
        "error",
        "finished_at",
        "expected_memory_ids",
        "truth_excluded",
        "heard",
    )
    with transaction.atomic():
        hit = EmulationTurn.objects.filter(pk=turn.pk, finished_at__isnull=True).update(
            **{name: getattr(turn, name) for name in fields}
        )
        if not hit:
            return None
        if step is not None and step.following is not None:
            EmulationTurn.objects.bulk_create([step.following])
        # A correction that was not remembered takes nothing away: what it said again still stands.
        unremembered = bool(turn.event_ids) and not turn.repeats and not failed and turn.memory_id is None
        counts = {"turns_failed": int(failed), "statements_unremembered": int(unremembered)}
        if step is None:
            _count(turn.batch_id, turns_done=1, **counts)
        else:
            dialogue = turn.dialogue
            _go_on(dialogue, step, done=1, **counts)
    return failed


def dialogue_finish(*, dialogue: EmulationDialogue, faults: Sequence[str] = ()) -> bool:
    """Close a dialogue whose turns are all finished. False when another process was first.

    Invalid: a turn of it could not be said (its run failed), or the audit found `faults`. Invalid dialogues are kept,
    counted and left out.
    """
    failed = dialogue.turns.exclude(run_status=COMPLETED).count()
    reasons = [f"{failed} of its turns could not be said"] if failed else []
    reason = "; ".join([*reasons, *faults])
    with transaction.atomic():
        hit = EmulationDialogue.objects.filter(pk=dialogue.pk, finished_at__isnull=True).update(
            finished_at=timezone.now(), is_valid=not reason, invalid_reason=reason[:300]
        )
        if hit:
            _count(dialogue.batch_id, dialogues_done=1, dialogues_invalid=int(bool(reason)))
    return bool(hit)


def _go_on(dialogue: EmulationDialogue, step: Step, *, done: int, **counts: int) -> None:
    """Keep the batch's total of turns in step with what its users by now are going to say."""
    more = step.expected - dialogue.turns_expected
    ending = str(step.ending or "")
    if more or ending:
        EmulationDialogue.objects.filter(pk=dialogue.pk).update(turns_expected=step.expected, ending=ending)
    cost = {"driver_tokens": step.tokens, "driver_cost_usd": step.cost_usd}
    _count(dialogue.batch_id, turns_done=done, turns_total=more, **counts, **cost)
    dialogue.turns_expected, dialogue.ending = step.expected, ending


def _count(batch_id: uuid.UUID, **more: float) -> None:
    changes = {name: F(name) + value for name, value in more.items() if value}
    if changes:
        EmulationBatch.objects.filter(pk=batch_id).update(**changes)


def _tell(told: Told, turn: EmulationTurn) -> None:
    failed = turn.run_status != COMPLETED
    for name in turn.repeats:
        if not failed and turn.memory_id is not None:
            told.again.setdefault(name, []).append(turn.memory_id)
    unsaid = failed or bool(turn.truth_excluded)
    for event in turn.event_ids:
        told.memories[event] = None if unsaid else turn.memory_id or unmade_memory_id(turn.id)


def _resolve(turn: EmulationTurn, told: Told) -> None:
    if not turn.query_id or not turn.expects:
        return
    untold = [name for name in turn.expects if told.memories.get(name) is None]
    if untold:
        turn.truth_excluded = f"not told: {', '.join(untold)}"[:300]
        return
    found = [memory for name in turn.expects for memory in (told.memories[name], *told.again.get(name, ()))]
    turn.expected_memory_ids = list(dict.fromkeys(memory for memory in found if memory is not None))
