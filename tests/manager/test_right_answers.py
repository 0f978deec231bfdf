"""The memories behind right answers of simulated dialogues count as helpful in the student, once a run."""

from __future__ import annotations

import uuid

import pytest

from contracts.maas import NewMemory, RunRequest
from maas.access import acting_for
from maas.client import get_client, memories_import
from manager.engine.evaluating import right_answers_tell
from tests.teacher.events import BATCH, START, event, store

pytestmark = pytest.mark.django_db


def test_right_answers__of_a_batch_told_twice__make_their_memories_helpful_once() -> None:
    user, memory = uuid.uuid4(), uuid.uuid4()
    memories_import(
        [NewMemory(memory_id=memory, user_id=user, text="Bought a red cello in Kazan.", simulated_at=START)]
    )
    answer = get_client().ask(RunRequest(user_id=user, query="Where did I buy the red cello?"))
    store(
        event("a", "a", pipeline_run_id=answer.run_id, answer=answer.answer, key_facts=["Kazan"]),
        event("a", "a", answer="In Tver.", key_facts=["Kazan"]),
    )
    assert [right_answers_tell(BATCH), right_answers_tell(BATCH)] == [1, 0]
    with acting_for(user) as cursor:
        cursor.execute("SELECT times_used, times_helpful FROM lsm_storage WHERE id = %s", [memory])
        assert cursor.fetchone() == (1, 1)
