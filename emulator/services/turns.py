"""What one turn leaves behind: its row, its memory, its question's truth, and the batch's counts."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from contracts.maas import RunAnswer
from emulator.domain.script import unmade_memory_id
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn

COMPLETED = "COMPLETED"
_EXCERPT = 500

Told = dict[str, uuid.UUID | None]
"""Event id → the memory it became; None when its run failed, so that it was never told."""


def told_so_far(*, batch: EmulationBatch, user_id: uuid.UUID) -> Told:
    """What this user's finished turns told, and which memories that became."""
    told: Told = {}
    for turn in EmulationTurn.objects.filter(
        batch=batch, dialogue__user_id=user_id, finished_at__isnull=False, event_ids__len__gt=0
    ):
        _tell(told, turn)
    return told


def turn_finish(*, turn: EmulationTurn, answer: RunAnswer, told: Told) -> bool:
    """Write the turn's outcome and the batch's counts together; True when its run failed.

    A statement that MaaS chose not to remember stands in `told` by an id that cannot be found: whoever asks for it
    loses recall, as they should. A statement whose run failed was not told, and questions about it have no truth.
    Writing is conditional on the turn being unfinished: a second process that plays the same batch changes nothing.
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
    )
    with transaction.atomic():
        hit = EmulationTurn.objects.filter(pk=turn.pk, finished_at__isnull=True).update(
            **{name: getattr(turn, name) for name in fields}
        )
        if hit:
            unremembered = bool(turn.event_ids) and not failed and turn.memory_id is None
            EmulationBatch.objects.filter(pk=turn.batch_id).update(
                turns_done=F("turns_done") + 1,
                turns_failed=F("turns_failed") + int(failed),
                statements_unremembered=F("statements_unremembered") + int(unremembered),
            )
    return failed and bool(hit)


def dialogue_finish(*, dialogue: EmulationDialogue) -> bool:
    """Audit a dialogue whose turns are all finished, and close it. False when another process was first.

    Invalid: a turn of it could not be said (its run failed). Invalid dialogues are kept, counted and left out.
    """
    failed = dialogue.turns.exclude(run_status=COMPLETED).count()
    reason = f"{failed} of its turns could not be said" if failed else ""
    with transaction.atomic():
        hit = EmulationDialogue.objects.filter(pk=dialogue.pk, finished_at__isnull=True).update(
            finished_at=timezone.now(), is_valid=not failed, invalid_reason=reason
        )
        if hit:
            EmulationBatch.objects.filter(pk=dialogue.batch_id).update(
                dialogues_done=F("dialogues_done") + 1, dialogues_invalid=F("dialogues_invalid") + int(bool(failed))
            )
    return bool(hit)


def _tell(told: Told, turn: EmulationTurn) -> None:
    for event in turn.event_ids:
        told[event] = None if turn.run_status != COMPLETED else turn.memory_id or unmade_memory_id(turn.id)


def _resolve(turn: EmulationTurn, told: Told) -> None:
    if not turn.query_id or not turn.expects:
        return
    untold = [name for name in turn.expects if told.get(name) is None]
    if untold:
        turn.truth_excluded = f"not told, as the run failed: {', '.join(untold)}"[:300]
        return
    turn.expected_memory_ids = list(dict.fromkeys(memory for name in turn.expects if (memory := told[name])))
