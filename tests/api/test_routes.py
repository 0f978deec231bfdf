"""Each route does what it says, through the services."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from audit.models import AuditEntry
from contracts.actor import Role, component
from incidents.models import SafetyRun
from maas.client import get_client
from manager.models import UpkeepCycle
from notifications.models import Delivery
from selflearn_site.api.assembly import api
from tests.access.people import bearer
from tests.admin.world import ANNA, SESSION, THREAD, World
from tests.tuner.factories import next_step
from tuner.models import TenantParameters
from tuner.selectors import active_version
from tuner.services import change_apply

pytestmark = pytest.mark.django_db


class Program:
    """A program with a token: calls, and gives the status and the body."""

    def __init__(self, role: Role = Role.META_USER):
        self._client, self._headers = Client(), bearer(role)

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers=self._headers | headers)

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._send(self._client.post, path, body, headers)

    def put(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._send(self._client.put, path, body, headers)

    def _send(self, send: Any, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        return send(f"/api/v1/{path}", body or {}, headers=self._headers | headers, content_type="application/json")


@pytest.fixture
def program(db: None) -> Program:
    return Program()


ASKS = {"/parameters/diff": "&from=1&to=1"}
"""What a route cannot do without."""
NO_JSON = {"/events", "/changes/export"}
"""A stream (tests/events) and a file (tests/pages/test_change_log.py)."""


def _paths(world: World) -> list[str]:
    place = {
        "goal_id": world.goal.pk, "approval_id": world.approval.pk, "cycle_id": world.cycle.pk,
        "campaign_id": world.campaign.number, "experiment_id": world.experiment.slug,
        "hypothesis_id": world.hypothesis.pk, "version": 1, "other": 1, "run_id": world.run_id,
        "batch_id": world.batch.pk, "incident_id": world.incident.pk, "user_id": TenantParameters.objects.get().user_id,
        "session_id": SESSION,
        "number": world.cycle.number,
        "dialogue_id": world.batch.dialogues.get().pk,
        "thread_id": THREAD, "pruning_id": world.pruning.pk, "key": "retrieval.top_k",
        "notification_id": Delivery.objects.latest("created_at").pk,
    }  # fmt: skip
    upkeep = {"cycle_id": UpkeepCycle.objects.get().pk}
    checked = {"run_id": SafetyRun.objects.get().pk}
    schema = api.get_openapi_schema(path_prefix="")
    asked = {path: f"?user_id={ANNA}{ASKS.get(path, '')}" for path in schema["paths"]}
    own = {"/cycles/upkeep": upkeep, "/safety": checked}
    return [
        f"{path.format(**place | next((own[part] for part in own if path.startswith(part)), {}))}{asked[path]}"
        for path, methods in schema["paths"].items()
        if "get" in methods and path not in NO_JSON
    ]


def test_get__of_every_route__answers_in_its_documented_shape(program: Program, world: World) -> None:
    """ninja checks each answer against the route's schema; a wrong one would be a 500."""
    for path in _paths(world):
        response = program.get(path.lstrip("/"))
        assert response.status_code == 200, (path, response.content)
        body = response.json()
        if "items" in body:
            assert body["count"] >= len(body["items"]) > 0 or path in ("/telemetry/runs",), path


def test_goals__from_a_sentence__are_translated_stored_and_started(program: Program, world: World) -> None:
    sentence = {"text": "Raise recall of memories to 60 % without losing precision"}
    understood = program.post("goals/translate", sentence).json()
    assert understood["targets"][0]["metric"] == "retrieval_recall"
    created = program.post("goals", sentence | {"dataset": "tiny", "cycles": 2, "seed": 7})
    assert created.status_code == 201
    goal = created.json()
    assert [campaign["status"] for campaign in goal["campaigns"]] == ["planned"]
    for verb, state in (("start", "running"), ("pause", "paused"), ("start", "running"), ("stop", "stopped")):
        response = program.post(f"goals/{goal['id']}/{verb}", {"reason": "test"})
        assert response.status_code == 200, response.content
        assert response.json()["campaigns"][0]["status"] == state
    assert program.post(f"goals/{goal['id']}/start").status_code == 409


def test_goals__for_an_unknown_data_set__are_not_stored(program: Program, world: World) -> None:
    response = program.post("goals", {"text": "Raise recall to 60 %", "dataset": "none"})
    assert response.status_code == 404
    assert program.get("goals").json()["count"] == 1


def test_approve__by_a_program__applies_and_is_audited_in_its_name(program: Program, world: World) -> None:
    before = active_version().version
    body = program.post(f"approvals/{world.approval.pk}/approve", {"comment": "fine"}).json()
    assert (body["status"], body["decided_by"]) == ("applied", "token:program meta-user")
    assert body["applied_version"] == active_version().version != before
    assert AuditEntry.objects.get(action="approval.approved").actor_kind == "token"
    assert program.post(f"approvals/{world.approval.pk}/reject", {"comment": "no"}).status_code == 409


def test_approve__of_a_change_whose_base_has_moved__queues_the_recheck(program: Program, world: World) -> None:
    change_apply(proposal=next_step("context.max_tokens", 4400), actor=component("manager"))
    body = program.post(f"approvals/{world.approval.pk}/approve").json()
    assert body["status"] == "approved"
    assert [task.func() for task in OrmQ.objects.all()] == ["manager.tasks.approval_finish"]


def test_reject__needs_a_reason(program: Program, world: World) -> None:
    assert program.post(f"approvals/{world.approval.pk}/reject", {"comment": " "}).status_code == 422
    body = program.post(f"approvals/{world.approval.pk}/reject", {"comment": "too dear"}).json()
    assert (body["status"], body["comment"]) == ("rejected", "too dear")


def test_rollback__after_an_approved_change__restores_the_version_before(program: Program, world: World) -> None:
    start = active_version().version
    applied = program.post(f"approvals/{world.approval.pk}/approve").json()["applied_version"]
    stale = program.post("parameters/rollback", {"reason": "worse", "expected_active": start})
    assert stale.status_code == 409
    change = program.post("parameters/rollback", {"reason": "worse", "expected_active": applied}).json()
    assert (change["previous_version"], change["version"]) == (applied, start)
    assert active_version().version == start
    activated = program.post(f"parameters/versions/{applied}/activate", {"reason": "again", "expected_active": start})
    assert activated.status_code == 200, activated.content
    assert active_version().version == applied


def test_version__with_its_values__says_what_it_changed(program: Program, world: World) -> None:
    applied = program.post(f"approvals/{world.approval.pk}/approve").json()["applied_version"]
    body = program.get(f"parameters/versions/{applied}").json()
    assert [change["param"] for change in body["changes"]] == ["retrieval.top_k"]
    assert body["values"]["retrieval.top_k"] == world.experiment.to_value


def test_effective_parameters__asked_again_with_their_etag__are_304_until_they_change(
    program: Program, world: World
) -> None:
    first = program.get("parameters/effective")
    tag = first.headers["ETag"]
    again = program.get("parameters/effective", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    program.post(f"approvals/{world.approval.pk}/approve")
    changed = program.get("parameters/effective", **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_freeze__and_unfreeze__need_a_reason_and_stop_activation(program: Program, world: World) -> None:
    assert program.post("parameters/freeze", {"reason": ""}).status_code == 422
    assert program.post("parameters/freeze", {"reason": "look"}).json() == {"frozen": True}
    refused = program.post(f"approvals/{world.approval.pk}/approve")
    assert refused.status_code == 422
    assert program.post("parameters/unfreeze", {"reason": "seen"}).json() == {"frozen": False}


def test_changes__filtered__are_those_asked_for(program: Program, world: World) -> None:
    program.post(f"approvals/{world.approval.pk}/approve")
    by_program = program.get("changes?initiator=token").json()
    assert by_program["count"] > 0
    assert {item["actor_kind"] for item in by_program["items"]} == {"token"}
    assert program.get("changes?parameter=retrieval.top_k").json()["count"] > 0
    assert program.get("changes?to=2001-01-01T00:00:00Z").json()["count"] == 0
    assert program.get("changes?from=2001-01-01T00:00:00Z&limit=1").json()["items"][0]["id"]


def test_run__asked_twice_with_one_id__is_one_run_and_gets_its_answer(program: Program, world: World) -> None:
    run_id = str(uuid.uuid4())
    query = {"user_id": str(ANNA), "query": "Where does Anna live?", "run_id": run_id, "mode": "evaluation"}
    for _ in range(2):
        accepted = program.post("maas/runs", query)
        assert accepted.status_code == 202
        assert accepted.json() == {"request_id": run_id, "status": "NEW"}
    assert program.get(f"maas/runs/{run_id}").json()["settled"] is False
    get_client().wait(uuid.UUID(run_id), user_id=ANNA, timeout=20)
    body = program.get(f"maas/runs/{run_id}?wait=5&user_id={ANNA}").json()
    assert (body["status"], body["settled"]) == ("COMPLETED", True)
    assert body["answer"]
    assert program.post(f"maas/runs/{run_id}/feedback", {"score": 5}).json() == {"request_id": run_id, "score": 5}
    assert program.post(f"maas/runs/{run_id}/feedback", {"score": 9}).status_code == 422


def test_run__of_another_user__is_not_found(program: Program, world: World) -> None:
    assert program.get(f"maas/runs/{world.run_id}?user_id={uuid.uuid4()}").status_code == 404


def test_run__waited_for_too_long__is_422(program: Program, world: World) -> None:
    assert program.get(f"maas/runs/{world.run_id}?wait=3600").status_code == 422


def test_incident__acknowledged_and_resolved__keeps_both_notes(program: Program, world: World) -> None:
    program.post(f"incidents/{world.incident.pk}/acknowledge", {"note": "looking"})
    body = program.post(f"incidents/{world.incident.pk}/resolve", {"note": "mended"}).json()
    assert [event["note"] for event in body["timeline"][1:]] == ["looking", "mended"]
    assert program.post(f"incidents/{world.incident.pk}/resolve").status_code == 409


def test_emulation__stopped_before_it_began__is_stopped(program: Program, world: World) -> None:
    assert program.post(f"emulations/{world.batch.pk}/stop").json()["status"] == "stopped"


def test_results__with_samples__hold_them_only_when_asked(program: Program, world: World) -> None:
    path = f"experiments/{world.experiment.slug}/results"
    assert program.get(path).json()["samples"] is None
    assert program.get(f"{path}?samples=true").json()["samples"] == [{"example_id": "t1"}]


def test_report__as_markdown__is_text(program: Program, world: World) -> None:
    response = program.get("reports/1?format=md")
    assert response.headers["Content-Type"].startswith("text/markdown")
    assert response.content.decode().startswith("# Campaign 1")


def test_metrics__measured_last__come_with_the_catalogue(program: Program, world: World) -> None:
    body = program.get("metrics").json()
    assert {item["name"] for item in body["catalogue"]} >= {"retrieval_recall", "hallucination_rate"}
    assert body["measured"]["batch"] == "monitor-tiny"
    assert program.get("metrics?dataset=none").json()["measured"] is None


def test_telemetry_runs__of_the_golden_set__are_not_shown(program: Program, world: World) -> None:
    from sensor.models import SensorEvent

    assert program.get("telemetry/runs").json()["count"] == 1
    SensorEvent.objects.update(split="golden")
    assert program.get("telemetry/runs").json()["count"] == 0


def test_upkeep__started_looked_at_and_stopped__is_queued_once_and_makes_room(program: Program) -> None:
    made = program.post("cycles", {"type": "micro"})
    assert (made.status_code, made.json()["state"]) == (201, "running")
    key = made.json()["id"]
    assert OrmQ.objects.count() == 1
    assert program.post("cycles", {"type": "deep"}).status_code == 409
    assert program.get(f"cycles/upkeep/{key}").json()["reason"] == "asked for over the API"
    assert program.post(f"cycles/{key}/stop").json()["state"] == "stopped"
    assert [item["id"] for item in program.get("cycles/upkeep").json()["items"]] == [key]
    assert program.post("cycles", {"type": "weekly"}).status_code in (400, 422)
