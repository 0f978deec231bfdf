"""The Test Runner over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from contracts.actor import Actor, Role
from maas import tasks
from maas.access import as_service
from maas.models import TestDialog, TestSession
from maas.test_runner.scripts import Row, scripts_load
from tests.access.people import bearer

FACT, QUESTION = "I bought a red cello in Kazan.", "Where did I buy my cello?"


@pytest.fixture(autouse=True)
def scripts(db: None, bob: Actor) -> None:
    with as_service():
        TestDialog.objects.all().delete()
    scripts_load(rows=[Row("cello", 1, FACT, ""), Row("cello", 2, QUESTION, "Kazan")], actor=bob)


class Program:
    def __init__(self, role: Role):
        self._client, self._headers = Client(), bearer(role)

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers=self._headers)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._client.post(f"/api/v1/{path}", body or {}, headers=self._headers, content_type="application/json")


@pytest.fixture
def operator() -> Program:
    return Program(Role.OPERATOR)


def started(operator: Program) -> str:
    answer = operator.post("tests/sessions", {"scenarios": ["cello"]})
    assert answer.status_code == 202, answer.content
    return str(answer.json()["id"])


def test_session__started__is_queued_played_and_shows_each_step(operator: Program) -> None:
    session = started(operator)
    body = operator.get(f"tests/sessions/{session}").json()
    assert (body["status"], body["done"], body["started_by"]) == ("planned", 0, "token:program operator")
    assert [step["outcome"] for step in body["results"]] == ["waiting", "waiting"]
    queued = OrmQ.objects.get()
    assert queued.func() == "maas.tasks.session_play"
    assert tasks.session_play(*queued.args()) == "finished"
    body = operator.get(f"tests/sessions/{session}").json()
    assert (body["status"], body["passed"], body["failed"], body["unchecked"]) == ("finished", 1, 0, 1)
    assert "Kazan" in body["results"][1]["answer"]
    assert body["results"][1]["model"] == "offline"


def test_scenarios__after_a_session__hold_their_last_result(operator: Program) -> None:
    session = started(operator)
    tasks.session_play(session)
    (scenario,) = operator.get("tests/scenarios").json()["items"]
    assert (scenario["name"], scenario["session"], scenario["passed"]) == ("cello", session, 1)
    assert [step["last"] for step in scenario["steps"]] == ["unchecked", "passed"]


def test_sessions__listed__are_paged_and_newest_first(operator: Program) -> None:
    first, second = started(operator), started(operator)
    body = operator.get("tests/sessions?limit=1").json()
    assert (body["count"], [item["id"] for item in body["items"]]) == (2, [second])
    assert operator.get("tests/sessions?limit=1&offset=1").json()["items"][0]["id"] == first


def test_session__stopped__does_not_go_on(operator: Program) -> None:
    session = started(operator)
    assert operator.post(f"tests/sessions/{session}/resume").status_code == 202
    assert operator.post(f"tests/sessions/{session}/stop").json()["status"] == "stopped"
    refused = operator.post(f"tests/sessions/{session}/resume")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ILLEGAL_TRANSITION")


def test_session__for_a_viewer__can_be_read_and_not_started(operator: Program) -> None:
    session, viewer = started(operator), Program(Role.VIEWER)
    assert viewer.get(f"tests/sessions/{session}").status_code == 200
    for path in ("tests/sessions", f"tests/sessions/{session}/stop", f"tests/sessions/{session}/resume"):
        assert viewer.post(path).status_code == 403
    assert TestSession.objects.count() == 1


def test_session__of_something_unknown__is_not_found(operator: Program) -> None:
    assert operator.post("tests/sessions", {"scenarios": ["none"]}).status_code == 404
    assert operator.get(f"tests/sessions/{uuid.uuid4()}").status_code == 404
