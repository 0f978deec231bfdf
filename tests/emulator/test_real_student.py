"""The emulator and the real student together: the whole way of one person's first threads."""

from __future__ import annotations

import pytest

from contracts.actor import Actor
from emulator.domain.script import EmulationPlan
from emulator.models import EmulationTurn
from emulator.selectors import ground_truths
from emulator.services import emulation_run, emulation_start
from maas.client import get_client, memories_count

pytestmark = pytest.mark.django_db(transaction=True)


def test_emulation_run__real_student__binds_what_was_told_to_real_memories(bob: Actor) -> None:
    plan = EmulationPlan(batch="real", dialogues=3, scenarios=("career-change",), parallel=1)
    batch = emulation_run(batch_id=emulation_start(plan=plan, actor=bob).pk, client=get_client())
    assert (batch.status, batch.turns_failed, batch.dialogues_invalid) == ("completed", 0, 0)
    assert batch.statements_unremembered == 0
    user = batch.dialogues.first()
    assert user is not None
    assert memories_count(user_id=user.user_id) >= EmulationTurn.objects.filter(event_ids__len__gt=0).count()
    known = set(EmulationTurn.objects.filter(memory_id__isnull=False).values_list("memory_id", flat=True))
    truths = ground_truths(batch="real")
    assert truths
    assert all(set(truth.expected_memory_ids) <= known for truth in truths)
