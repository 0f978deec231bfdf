"""Runs of the Emulator over HTTP: start, watch, read, stop, go on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from contracts.actor import Role
from emulator.models import EmulationBatch
from manager import tasks
from tests.access.people import bearer

pytestmark = pytest.mark.django_db(transaction=True)


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


def started(operator: Program, **changes: Any) -> dict[str, Any]:
    body = {"name": "mine", "dialogues": 3, "turns": 4, "seed": 5} | changes
    answer = operator.post("emulations", body)
    assert answer.status_code == 202, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_emulation__started_and_played__shows_progress_dialogues_and_a_transcript(operator: Program) -> None:
    made = started(operator)
    assert (made["status"], made["dialogues_total"], made["rate"]) == ("pending", 3, None)
    assert tasks.emulation_play(*OrmQ.objects.get().args()) == "completed"
    address = f"emulations/{made['id']}"
    shown = operator.get(address).json()
    assert (shown["status"], shown["dialogues_done"], shown["turns_failed"]) == ("completed", 3, 0)
    assert (shown["plan"]["seed"], shown["eta_seconds"], shown["stalled"]) == (5, None, False)

    page = operator.get(f"{address}/dialogues?limit=2").json()
    assert (page["count"], len(page["items"])) == (3, 2)
    told = operator.get(f"{address}/dialogues/{page['items'][0]['id']}").json()
    assert [item["position"] for item in told["exchanges"]] == list(range(len(told["exchanges"])))
    assert all(item["answer"] for item in told["exchanges"])


def test_transcript__of_a_question__says_what_was_expected_and_what_was_found(operator: Program) -> None:
    made = started(operator, dialogues=2, turns=None, driver="script")
    tasks.emulation_play(*OrmQ.objects.get().args())
    address = f"emulations/{made['id']}/dialogues"
    exchanges = [
        item
        for row in operator.get(address).json()["items"]
        for item in operator.get(f"{address}/{row['id']}").json()["exchanges"]
    ]
    questions = [item for item in exchanges if item["query_id"] and item["should_retrieve"]]
    assert questions
    for item in questions:
        found = {memory["memory_id"] for memory in item["found"]}
        expected = item["expected"]
        assert expected and all(memory["text"] for memory in expected)
        assert all(memory["found"] == (memory["memory_id"] in found) for memory in expected)
        assert item["recall"] == pytest.approx(sum(memory["found"] for memory in expected) / len(expected))
    assert all(item["expected"] == [] for item in exchanges if not item["query_id"])


def test_emulation__the_same_again__is_the_same_and_another_under_its_name_is_refused(operator: Program) -> None:
    assert started(operator)["id"] == started(operator)["id"]
    answer = operator.post("emulations", {"name": "mine", "dialogues": 4})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert EmulationBatch.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"dialogues": 0},
        {"dialogues": 10**9},
        {"parallel": 65},
        {"split": "golden"},
        {"scenarios": ["nobody"]},
        {"pinned_version": 4711},
        {"variant": "b"},
        {"experiment": "none", "variant": "b"},
        {"seed": -1},
        {"driver": "actor"},
    ],
)
def test_emulation__that_cannot_be_played__is_refused_and_nothing_is_kept(
    operator: Program, wrong: dict[str, Any]
) -> None:
    answer = operator.post("emulations", {"dialogues": 2} | wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_INPUT")
    assert not EmulationBatch.objects.exists()


def test_emulation__stopped_and_gone_on_with__over_http(operator: Program) -> None:
    made = started(operator)
    address = f"emulations/{made['id']}"
    assert operator.post(f"{address}/stop").json()["status"] == "stopped"
    answer = operator.post(f"{address}/resume")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert operator.post(f"{address}/resume").status_code == 409
    for task in OrmQ.objects.all():
        tasks.emulation_play(*task.args())
    assert operator.get(address).json()["status"] == "completed"


def test_emulations__listed__by_status_newest_first(operator: Program) -> None:
    for name in ("first", "second"):
        started(operator, name=name)
    assert [item["batch"] for item in operator.get("emulations?status=pending").json()["items"]] == ["second", "first"]
    assert operator.get("emulations?status=running").json()["items"] == []
    assert operator.get("emulations?status=odd").status_code == 422


def test_emulation__for_a_viewer__may_be_read_and_not_started(operator: Program) -> None:
    made, viewer = started(operator), Program(Role.VIEWER)
    assert viewer.post("emulations", {"dialogues": 1}).status_code == 403
    assert viewer.post(f"emulations/{made['id']}/stop").status_code == 403
    assert viewer.get(f"emulations/{made['id']}").status_code == 200
