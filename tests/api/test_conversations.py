"""What a client that talks for its users may read and set over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role
from contracts.maas import RunRequest
from maas.client import get_client
from tests.access.people import bearer

pytestmark = pytest.mark.django_db

FACT = "I bought a red cello in Kazan."
BODY = "application/json"


class Program:
    """A program with a viewer's token, and what its user has said."""

    def __init__(self) -> None:
        self._client, self._headers = Client(), bearer(Role.VIEWER)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1/maas/{path}", query, headers=self._headers)

    def put(self, body: dict[str, Any]) -> Any:
        return self._client.put("/api/v1/maas/consent", body, headers=self._headers, content_type=BODY)


@pytest.fixture
def program(db: None) -> Program:
    return Program()


def said(user: uuid.UUID, text: str, *, thread: uuid.UUID, consent: bool = False, mode: Any = "dialogue") -> uuid.UUID:
    request = RunRequest(user_id=user, query=text, thread_id=thread, consent=consent, mode=mode)
    return get_client().ask(request).run_id


USER, OTHER = uuid.uuid4(), uuid.uuid4()
FIRST, SECOND = uuid.uuid4(), uuid.uuid4()


def test_conversations__of_a_user__are_listed_last_first_with_their_first_words(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    said(USER, "It is very loud.", thread=FIRST)
    said(USER, "What did I buy?", thread=SECOND)
    body = program.get("conversations", user_id=USER).json()
    assert [(item["first_words"], item["exchanges"]) for item in body["items"]] == [("What did I buy?", 1), (FACT, 2)]
    assert body["count"] == 2


def test_conversations__of_another_user__are_not_told(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    assert program.get("conversations", user_id=OTHER).json() == {"items": [], "count": 0, "next": None}
    answer = program.get(f"conversations/{FIRST}", user_id=OTHER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert program.get("memories", user_id=OTHER).json()["count"] == 0


def test_conversations__of_evaluation_runs__are_not_told(program: Program) -> None:
    said(USER, FACT, thread=FIRST, mode="evaluation")
    assert program.get("conversations", user_id=USER).json()["count"] == 0
    assert program.get(f"conversations/{FIRST}", user_id=USER).status_code == 404


def test_conversation__with_a_question__tells_what_was_found_used_and_remembered(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    said(USER, "What did I buy in Kazan?", thread=SECOND)
    (told,) = program.get(f"conversations/{FIRST}", user_id=USER).json()["items"]
    (asked,) = program.get(f"conversations/{SECOND}", user_id=USER).json()["items"]
    assert told["remembered"] == FACT
    assert [(item["memory_id"], item["text"], item["used"]) for item in asked["found"]] == [
        (told["memory_id"], FACT, True)
    ]
    assert asked["found"][0]["score"] > 0
    assert (asked["status"], asked["settled"], asked["model"]) == ("COMPLETED", True, "offline")


def test_conversation__longer_than_the_page__gives_the_last_ones_oldest_first(program: Program) -> None:
    for number in range(4):
        said(USER, f"Number {number} is my favourite.", thread=FIRST)
    body = program.get(f"conversations/{FIRST}", user_id=USER, limit=2, offset=1).json()
    assert [item["query"][:8] for item in body["items"]] == ["Number 1", "Number 2"]
    assert body["count"] == 4


def test_memories__of_a_user__are_listed_with_their_use(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    said(USER, "What did I buy in Kazan?", thread=SECOND)
    (memory,) = program.get("memories", user_id=USER).json()["items"]
    assert (memory["text"], memory["times_retrieved"], memory["times_used"]) == (FACT, 1, 1)


@pytest.mark.parametrize("path", ["conversations", "memories"])
def test_list__without_user_or_beyond_the_limit__names_the_field(program: Program, path: str) -> None:
    for query, field in (({}, "user_id"), ({"user_id": USER, "limit": 201}, "limit")):
        answer = program.get(path, **query)
        assert answer.status_code == 422
        assert field in answer.json()["error"]["message"]


def test_consent__given_for_one_conversation__leaves_the_other(program: Program) -> None:
    for thread in (FIRST, SECOND):
        said(USER, FACT, thread=thread)
    answer = program.put({"user_id": str(USER), "consent": True, "thread_id": str(FIRST)}).json()
    assert (answer["consent"], answer["changed"]) == (True, 1)
    flags = {
        thread: program.get(f"conversations/{thread}", user_id=USER).json()["items"][0]["consent"]
        for thread in (FIRST, SECOND)
    }
    assert flags == {FIRST: True, SECOND: False}


def test_consent__taken_back__changes_all_of_this_user_once(program: Program) -> None:
    said(OTHER, FACT, thread=uuid.uuid4(), consent=True)
    for thread in (FIRST, SECOND):
        said(USER, FACT, thread=thread, consent=True)
    no = {"user_id": str(USER), "consent": False}
    assert [program.put(no).json()["changed"] for _ in range(2)] == [2, 0]
    assert program.put({"user_id": str(OTHER), "consent": False}).json()["changed"] == 1


def test_consent__for_another_users_conversation__is_not_found(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    answer = program.put({"user_id": str(OTHER), "consent": True, "thread_id": str(FIRST)})
    assert answer.status_code == 404
    assert program.get(f"conversations/{FIRST}", user_id=USER).json()["items"][0]["consent"] is False


def test_conversations__without_login__are_refused(client: Client) -> None:
    assert client.get(f"/api/v1/maas/conversations?user_id={USER}").status_code == 401


def test_found_right__told_by_an_operator__makes_the_used_memories_helpful(program: Program) -> None:
    said(USER, FACT, thread=FIRST)
    asked = said(USER, "What did I buy in Kazan?", thread=SECOND)
    path, body = "/api/v1/maas/answers/found-right", {"run_ids": [str(asked)]}
    refused = Client().post(path, body, headers=program._headers, content_type=BODY)
    taken = Client().post(path, body, headers=bearer(Role.OPERATOR), content_type=BODY)
    assert (refused.status_code, taken.status_code, taken.json()) == (403, 200, {"new": 1})
    memories = program.get("memories", user_id=USER).json()["items"]
    assert {item["text"]: item["times_helpful"] for item in memories}[FACT] == 1


def test_lists__read_on_by_cursor__give_each_row_once(program: Program) -> None:
    for number in range(3):
        said(USER, f"Number {number}: {FACT}", thread=FIRST if number else SECOND)
    for path, name in (("conversations", "thread_id"), ("memories", "memory_id"), (f"conversations/{FIRST}", "run_id")):
        whole = [item[name] for item in program.get(path, user_id=USER).json()["items"]]
        page = program.get(path, user_id=USER, limit=1).json()
        walked = page["items"]
        while page["next"]:
            page = program.get(path, user_id=USER, limit=1, cursor=page["next"]).json()
            walked += page["items"]
        assert [item[name] for item in walked] == (whole[::-1] if path.endswith(str(FIRST)) else whole)
        assert len(whole) > 1
    assert program.get("memories", user_id=OTHER, cursor=program.get("memories", user_id=USER, limit=1).json()["next"]
                       ).status_code == 422  # fmt: skip
