"""Talking to the student through its page: as oneself, without the script."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contracts.actor import Role
from kernel.canonical import derive_uuid
from maas import conversations
from maas.access import as_service
from maas.client import get_client
from tests.access.people import client_of, person

FACT = "My sister Irina lives in Kazan and plays the cello."
QUESTION = "What does my sister Irina play?"


class Talker:
    """A person at the page: says something, and lets the pipeline work as the orchestrator would."""

    def __init__(self, name: str, *, role: Role = Role.VIEWER):
        self.user = person(name, role)
        self.client, self.id = client_of(self.user), derive_uuid("chat", self.user.pk)

    def says(self, text: str, *, thread: uuid.UUID | None = None, work: bool = True) -> conversations.Exchange:
        answer = self.client.post(address(thread), {"text": text})
        assert answer.status_code == 302, answer.content
        thread = uuid.UUID(answer["Location"].split("/")[2])
        run = uuid.UUID(answer["Location"].partition("#run-")[2])
        if work:
            get_client().wait(run, user_id=self.id, timeout=10)
        return conversations.exchange(user_id=self.id, thread_id=thread, run_id=run)

    def sees(self, thread: uuid.UUID | None = None) -> str:
        return self.client.get(address(thread)).content.decode()

    def consents(self, on: bool) -> None:
        self.client.post(reverse("pages:chat_consent"), {"consent": "on"} if on else {})


@pytest.fixture
def anna(db: None) -> Talker:
    return Talker("anna")


@pytest.fixture
def boris(db: None) -> Talker:
    return Talker("boris")


def address(thread: uuid.UUID | None = None) -> str:
    return reverse("pages:chat_thread", args=[thread]) if thread else reverse("pages:chat")


def status(item: conversations.Exchange) -> str:
    return reverse("pages:chat_status", args=[item.thread_id, item.run_id])


def feedback(item: conversations.Exchange) -> str:
    return reverse("pages:chat_feedback", args=[item.thread_id, item.run_id])


def stored(item: conversations.Exchange, column: str) -> Any:
    with as_service() as cursor:
        cursor.execute(f"SELECT {column} FROM pipeline_runs WHERE id = %s", [item.run_id])  # noqa: S608  from here
        return cursor.fetchone()[0]


def test_chat__nothing_said_yet__says_what_to_try_and_which_engine_answers(anna: Talker) -> None:
    text = anna.sees()
    assert "What to try" in text
    assert "not a language model" in text


def test_message__sent__is_an_online_run_of_a_user_in_a_conversation_of_its_own(anna: Talker) -> None:
    item = anna.says(FACT, work=False)
    assert stored(item, "(client_kind, cycle_type, mode, consent, user_id)::text") == (
        f"(user,online,dialogue,f,{anna.id})"
    )
    assert FACT in anna.sees(item.thread_id)


def test_message__in_a_conversation__stays_in_it(anna: Talker) -> None:
    first = anna.says(FACT)
    second = anna.says("Her cello is red.", thread=first.thread_id)
    assert second.thread_id == first.thread_id
    text = anna.sees(first.thread_id)
    assert text.index("plays the cello") < text.index("Her cello is red.")


def test_answer__in_a_new_conversation__shows_memory_score_and_what_was_used(anna: Talker) -> None:
    told = anna.says(FACT)
    asked = anna.says(QUESTION)
    assert asked.thread_id != told.thread_id
    assert [(memory.memory_id, memory.used) for memory in asked.found] == [(told.memory_id, True)]
    text = anna.sees(asked.thread_id)
    assert "1 memory found, 1 used" in text
    assert f"score {asked.found[0].score:.2f}" in text
    assert "Nothing to remember in this." in text


def test_answer__of_something_told__shows_what_was_remembered(anna: Talker) -> None:
    item = anna.says(FACT)
    assert item.remembered is not None
    assert f"“{item.remembered}”" in anna.sees(item.thread_id)


def test_message__in_russian__is_remembered_and_answered(anna: Talker) -> None:
    anna.says("Мою собаку зовут Бублик, ей три года.")
    asked = anna.says("Как зовут мою собаку?")
    assert "Бублик" in (asked.answer or "")


def test_message__over_several_lines__keeps_them_as_one_typed_them(anna: Talker) -> None:
    assert anna.says("My brother is Pavel.\r\nHe is 21.", work=False).query == "My brother is Pavel.\nHe is 21."


def test_message__of_markup__is_shown_as_text(anna: Talker) -> None:
    item = anna.says("<script>alert('x')</script> is my motto.")
    text = anna.sees(item.thread_id)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


@pytest.mark.parametrize("text", ["", "   \n", "x" * 20_001])
def test_message__empty_or_too_long__is_refused_in_a_sentence(anna: Talker, text: str) -> None:
    answer = anna.client.post(address(), {"text": text}, follow=True)
    assert 'class="error"' in answer.content.decode()
    assert conversations.conversations(user_id=anna.id) == ([], 0)


def test_message__sent_twice_with_one_id__is_one_run(anna: Talker) -> None:
    body = {"text": FACT, "run_id": str(uuid.uuid4())}
    thread = anna.says("Hello").thread_id
    for _ in range(2):
        anna.client.post(address(thread), body)
    assert conversations.conversation(user_id=anna.id, thread_id=thread)[1] == 2


def test_message__that_begins_a_conversation_sent_twice__begins_one(anna: Talker) -> None:
    body = {"text": FACT, "run_id": str(uuid.uuid4())}
    first, second = (anna.client.post(address(), body, headers={"accept": "application/json"}) for _ in range(2))
    assert (first.status_code, first.json()["url"]) == (200, second.json()["url"])
    assert conversations.conversations(user_id=anna.id)[1] == 1


def test_message__from_an_old_page_with_a_used_id__is_sent_all_the_same(anna: Talker) -> None:
    run_id = str(uuid.uuid4())
    for text in (FACT, "Her cello is red."):
        anna.client.post(address(), {"text": text, "run_id": run_id})
    assert conversations.conversations(user_id=anna.id)[1] == 2


def test_message__without_csrf_token__is_refused(db: None) -> None:
    client = client_of(person("dora", Role.VIEWER), csrf=True)
    assert client.post(address(), {"text": FACT}).status_code == 403


def test_chat__nobody_signed_in__asks_to_sign_in(db: None) -> None:
    assert Client().get(address()).status_code == 302
    assert Client().post(address(), {"text": FACT})["Location"].startswith("/admin/login/")


def test_chat__person_without_role__is_refused(db: None) -> None:
    client = client_of(person("eve", staff=False))
    assert client.post(address(), {"text": FACT}).status_code == 403


def test_conversation__of_another_person__is_not_there(anna: Talker, boris: Talker) -> None:
    item = anna.says(FACT)
    assert boris.client.get(address(item.thread_id)).status_code == 404
    assert boris.client.post(address(item.thread_id), {"text": "Hello"}).status_code == 404
    assert boris.client.get(status(item)).status_code == 404
    assert boris.client.post(feedback(item), {"score": "1"}).status_code == 404
    assert conversations.conversations(user_id=boris.id) == ([], 0)
    assert stored(item, "feedback_score") is None


def test_conversation__of_nobody__is_not_there(anna: Talker) -> None:
    assert anna.client.get(address(uuid.uuid4())).status_code == 404


def test_status__for_the_script__says_how_far_it_is(anna: Talker) -> None:
    item = anna.says(FACT, work=False)
    before = anna.client.get(status(item)).json()
    assert (before["status"], before["settled"], before["answer"]) == ("NEW", False, None)
    get_client().wait(item.run_id, user_id=anna.id, timeout=10)
    after = anna.client.get(status(item)).json()
    assert (after["status"], after["settled"]) == ("COMPLETED", True)
    assert after["stamp"] != before["stamp"]
    assert 'class="answer"' in after["html"]


def test_status__nobody_works__says_how_to_start_somebody(anna: Talker) -> None:
    item = anna.says(FACT, work=False)
    assert "Nothing moves." not in anna.sees(item.thread_id)
    with as_service() as cursor:
        cursor.execute("UPDATE pipeline_runs SET updated_at = updated_at - interval '1 minute'")
    text = anna.sees(item.thread_id)
    assert "Nothing moves." in text
    assert "manage.py orchestrate" in text


def test_status__in_the_hands_of_a_slow_worker__is_not_stalled(anna: Talker) -> None:
    item = anna.says(FACT, work=False)
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET updated_at = updated_at - interval '1 minute', status = 'RESPONDING',"
            " claimed_by = 'slow', lease_until = clock_timestamp() + interval '30 s'"
        )
    assert "Nothing moves." not in anna.sees(item.thread_id)


def test_failed__run__says_why_and_offers_to_try_again(anna: Talker) -> None:
    item = anna.says(FACT, work=False)
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET status = 'FAILED', error_message = 'the model cannot be reached',"
            " finished_at = clock_timestamp()"
        )
    text = anna.sees(item.thread_id)
    assert "The model cannot be reached" in text
    assert "Try again" in text


def test_feedback__given_and_changed__is_shown_and_kept(anna: Talker) -> None:
    item = anna.says(FACT)
    for score in ("4", "1"):
        anna.client.post(feedback(item), {"score": score})
        assert f"You gave {score} of 5." in anna.sees(item.thread_id)
    assert stored(item, "feedback_score") == 1


@pytest.mark.parametrize("score", ["0", "6", "x", ""])
def test_feedback__not_1_to_5__is_refused(anna: Talker, score: str) -> None:
    item = anna.says(FACT)
    answer = anna.client.post(feedback(item), {"score": score}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_INPUT")
    assert stored(item, "feedback_score") is None


def test_consent__not_given__is_off(anna: Talker) -> None:
    assert stored(anna.says(FACT), "consent") is False
    assert " checked" not in anna.sees()


def test_consent__given__counts_from_now_on(anna: Talker) -> None:
    before = anna.says(FACT)
    anna.consents(True)
    after = anna.says("Her cello is red.")
    assert (stored(before, "consent"), stored(after, "consent")) == (False, True)
    assert " checked" in anna.sees()


def test_consent__taken_back__counts_for_all_that_was_said_and_moves_updated_at(anna: Talker, boris: Talker) -> None:
    for talker in (anna, boris):
        talker.consents(True)
    kept, item = boris.says(FACT), anna.says(FACT)
    moved = stored(item, "updated_at")
    anna.consents(False)
    assert (stored(item, "consent"), stored(kept, "consent")) == (False, True)
    assert stored(item, "updated_at") > moved
    assert stored(anna.says("Her cello is red."), "consent") is False


def test_consent__after_signing_in_anew__is_remembered(anna: Talker) -> None:
    anna.consents(True)
    anna.says(FACT)
    assert " checked" in client_of(anna.user).get(address()).content.decode()


def test_consent__taken_back_in_one_browser__is_off_in_the_other(anna: Talker) -> None:
    anna.consents(True)
    anna.says(FACT)
    other = client_of(anna.user)
    other.post(reverse("pages:chat_consent"), {})
    assert stored(anna.says("Her cello is red."), "consent") is False


def test_consent__asked_for_by_get__is_not_allowed(anna: Talker) -> None:
    assert anna.client.get(reverse("pages:chat_consent")).status_code == 405


def test_conversations__at_the_side__are_listed_last_first(anna: Talker) -> None:
    for text in (FACT, QUESTION):
        anna.says(text)
    side = anna.sees().partition('id="side"')[2]
    assert side.index(QUESTION) < side.index(FACT)
