"""Taking a batch away, for good: its turns, its dialogues, itself."""

from __future__ import annotations

import uuid

from django.db import transaction

from emulator.domain.lifecycle import BatchStatus
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.standing import UNDER_WAY
from kernel.errors import Conflict

REMOVING = "its data are being removed"
"""The error of a batch whose removal has begun: it does not go on any more."""
CHUNK = 200


def batch_mark_removing(*, batch_id: uuid.UUID) -> None:
    """From here on nobody plays it. Compare-and-swap: raises `Conflict` when somebody just began to."""
    hit = (
        EmulationBatch.objects.filter(pk=batch_id)
        .exclude(status__in=UNDER_WAY)
        .update(status=BatchStatus.FAILED, error=REMOVING)
    )
    if not hit:
        raise Conflict("this emulation is being played")


def batch_remove_dialogues(*, batch_id: uuid.UUID) -> tuple[int, int]:
    """Delete dialogues with their turns, by chunks that are each committed. How many dialogues and turns went."""
    dialogues = turns = 0
    while ids := list(EmulationDialogue.objects.filter(batch_id=batch_id).values_list("id", flat=True)[:CHUNK]):
        with transaction.atomic():
            turns += EmulationTurn.objects.filter(dialogue_id__in=ids).delete()[0]
            dialogues += EmulationDialogue.objects.filter(id__in=ids).delete()[0]
    return dialogues, turns
