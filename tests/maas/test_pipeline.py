"""A query from NEW to COMPLETED, in one process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.maas import NewMemory, RunAnswer
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from maas.access import acting_for, as_service
from maas.client import InProcessClient, get_client, memories_count, memories_import
from tests.maas.conftest import START, Remember, request_of

pytestmark = pytest.mark.django_db


def ask(user: uuid.UUID, query: str, **fields: Any) -> RunAnswer:
    return get_client().ask(request_of(user, query, **fields))


def column(run_id: uuid.UUID, name: str) -> Any:
    with as_service() as cursor:
        cursor.execute(f"SELECT {name} FROM pipeline_runs WHERE id = %s", [run_id])  # noqa: S608  own names
        value = cursor.fetchone()[0]
        return json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value


def test_conversation__told_then_asked__remembers(anna: uuid.UUID) -> None:
    told = ask(anna, "I bought a red cello in Kazan.", day=1)
    asked = ask(anna, "What colour is the cello that I bought?", day=2)
    assert told.memory_id is not None
    assert [item.memory_id for item in asked.found] == [told.memory_id]
    assert "red" in (asked.answer or "")


def test_conversation__in_russian__remembers(anna: uuid.UUID) -> None:
    told = ask(anna, "Я купила красную виолончель в Казани.", day=1)
    asked = ask(anna, "Какую виолончель я купила?", day=2)
    assert [item.memory_id for item in asked.found] == [told.memory_id]
    assert "красную" in (asked.answer or "")


def test_run__completed__keeps_what_each_stage_did(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "Bought a red cello in Kazan.")
    run_id = ask(anna, "Where did I buy the red cello?").run_id
    assert column(run_id, "status") == "COMPLETED"
    assert column(run_id, "keywords")
    assert column(run_id, "retrieval")["shown"] == [str(memory)]
    assert "[1] 2025-03-01 | Bought a red cello in Kazan." in column(run_id, "final_context_payload")
    assert column(run_id, "used_memory_ids") == [memory]
    assert column(run_id, "prompt_tokens") > 0
    assert set(column(run_id, "stage_timings")) >= {"analysis", "assembly", "response", "archive"}
    assert column(run_id, "finished_at") >= column(run_id, "answered_at")
    assert column(run_id, "claimed_by") is None


def test_run__completed__counts_the_use_of_memories(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Bought a red cello in Kazan.")
    ask(anna, "Where did I buy the red cello?")
    with acting_for(anna) as cursor:
        cursor.execute("SELECT times_retrieved, times_used, times_helpful FROM lsm_storage WHERE source_run_ids = '{}'")
        assert cursor.fetchone() == (1, 1, 0)


def test_small_talk__is_answered_and_not_archived(anna: uuid.UUID) -> None:
    answer = ask(anna, "Hello! How are you?")
    assert (answer.status, answer.memory_id) == ("COMPLETED", None)
    assert memories_count(user_id=anna) == 0
    assert column(answer.run_id, "finished_at") is not None


def test_evaluation__leaves_no_memory_and_counts_no_use(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Bought a red cello in Kazan.")
    answer = ask(anna, "I bought a red cello in Kazan, remember?", mode="evaluation")
    assert answer.found and answer.memory_id is None
    assert memories_count(user_id=anna) == 1
    with acting_for(anna) as cursor:
        cursor.execute("SELECT times_retrieved FROM lsm_storage")
        assert cursor.fetchone()[0] == 0


def test_archive__memory__carries_tags_as_stems_and_its_source(anna: uuid.UUID) -> None:
    answer = ask(anna, "I bought a red cello in Kazan.", day=1)
    with acting_for(anna) as cursor:
        cursor.execute("SELECT id, semantic_tags, source_run_ids, time_bucket, simulated_at, language FROM lsm_storage")
        row = cursor.fetchone()
    assert row[0] == answer.memory_id
    assert "cello" in row[1]
    assert row[2:] == ([answer.run_id], "2025-W09", START + timedelta(days=1), "en")


def test_logs__of_a_dialogue_run__are_processed_once_archived(anna: uuid.UUID) -> None:
    run_id = ask(anna, "I bought a red cello in Kazan.").run_id
    with acting_for(anna) as cursor:
        cursor.execute("SELECT log_type, processed FROM raw_logs WHERE pipeline_run_id = %s ORDER BY id", [run_id])
        assert cursor.fetchall() == [("USER_QUERY", True), ("SYSTEM_RESPONSE", True)]


def test_run_id__given_twice__is_one_run_with_one_answer(anna: uuid.UUID) -> None:
    run_id = uuid.uuid4()
    first = ask(anna, "I bought a red cello in Kazan.", run_id=run_id)
    second = ask(anna, "I bought a red cello in Kazan.", run_id=run_id)
    assert second == first
    assert memories_count(user_id=anna) == 1


def test_run_id__of_another_query__is_a_conflict(anna: uuid.UUID, boris: uuid.UUID) -> None:
    run_id = ask(anna, "I bought a red cello in Kazan.").run_id
    with pytest.raises(Conflict):
        ask(anna, "Something else entirely.", run_id=run_id)
    with pytest.raises(Conflict):
        ask(boris, "I bought a red cello in Kazan.", run_id=run_id)


@pytest.mark.parametrize("query", ["", "  \n", "\x00", "x" * 20_001])
def test_query__empty_or_overlong__is_refused(query: str, anna: uuid.UUID) -> None:
    with pytest.raises(InvalidInput):
        get_client().submit(request_of(anna, query))


@pytest.mark.parametrize("query", ["'; DROP TABLE lsm_storage; --", "🦄" * 50, "a\u0000b %s {query} \\", "?" * 300])
def test_query__odd_text__is_answered(query: str, anna: uuid.UUID) -> None:
    assert ask(anna, query).status == "COMPLETED"


def test_seed__same__gives_the_same_answer(anna: uuid.UUID, remember: Remember) -> None:
    for day in range(6):
        remember(anna, f"The cello teacher number {day} lives in house {day}.", day=day)
    answers = {ask(anna, "Where does the cello teacher live?", seed=5, mode="evaluation").answer for _ in range(3)}
    assert len(answers) == 1


def test_submit__then_wait__drives_the_run_to_its_answer(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, "I bought a red cello in Kazan."))
    assert column(run_id, "status") == "NEW"
    assert get_client().wait(run_id, user_id=anna, timeout=5).status == "COMPLETED"


def test_order__earlier_runs_of_the_user__come_first(anna: uuid.UUID) -> None:
    client = InProcessClient()
    first = client.submit(request_of(anna, "I bought a red cello in Kazan.", day=1))
    second = client.submit(request_of(anna, "What colour is the cello that I bought?", day=2))
    answer = client.wait(second, user_id=anna, timeout=5)
    assert column(first, "finished_at") < column(second, "answered_at")
    assert "red" in (answer.answer or "")


def test_recent_exchanges__same_thread__reach_the_context(anna: uuid.UUID) -> None:
    thread, other = uuid.uuid4(), uuid.uuid4()
    ask(anna, "I bought a red cello in Kazan.", thread_id=thread, day=1)
    ask(anna, "My dentist is called Petrova.", thread_id=other, day=1)
    payload = column(ask(anna, "And what about strings?", thread_id=thread, day=2).run_id, "final_context_payload")
    assert "User: I bought a red cello in Kazan." in payload
    assert "Petrova" not in payload


def test_parameters__of_the_provider__are_used_and_recorded(
    anna: uuid.UUID, remember: Remember, use_parameters: Callable[..., None]
) -> None:
    for _ in range(3):
        remember(anna, "Bought a red cello in Kazan.")
    use_parameters(**{"retrieval.top_k": 1})
    answer = ask(anna, "Where did I buy the red cello?")
    assert (len(answer.found), answer.parameter_version) == (1, 7)


def test_feedback__good__marks_the_used_memories_helpful_once(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Bought a red cello in Kazan.")
    run_id = ask(anna, "Where did I buy the red cello?").run_id
    for score in (5, 4, 2, 5):
        get_client().feedback(run_id, user_id=anna, score=score)
    with acting_for(anna) as cursor:
        cursor.execute("SELECT times_helpful FROM lsm_storage WHERE source_run_ids = '{}'")
        assert cursor.fetchone()[0] == 1
    assert column(run_id, "feedback_score") == 5


def test_feedback__out_of_place__is_refused(anna: uuid.UUID, boris: uuid.UUID) -> None:
    client = get_client()
    run_id = ask(anna, "I bought a red cello.").run_id
    with pytest.raises(InvalidInput):
        client.feedback(run_id, user_id=anna, score=6)
    with pytest.raises(NotFound):
        client.feedback(run_id, user_id=boris, score=5)
    waiting = client.submit(request_of(anna, "And strings?"))
    with pytest.raises(IllegalTransition):
        client.feedback(waiting, user_id=anna, score=5)


def test_import__twice__adds_once(anna: uuid.UUID) -> None:
    memories = [
        NewMemory(memory_id=uuid.uuid4(), user_id=anna, text=f"Fact number {n} of Kazan.", simulated_at=START)
        for n in range(3)
    ]
    assert (memories_import(memories), memories_import(memories)) == (3, 0)
    assert memories_count(user_id=anna) == 3


def test_import__one_empty_text__imports_nothing(anna: uuid.UUID) -> None:
    texts = ["A fact.", "  "]
    with pytest.raises(InvalidInput):
        memories_import(
            [NewMemory(memory_id=uuid.uuid4(), user_id=anna, text=text, simulated_at=START) for text in texts]
        )
    assert memories_count(user_id=anna) == 0
