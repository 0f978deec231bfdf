"""Two clients that change one thing at once, over real HTTP: one wins, the other is told so, and one change is made."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.test.testcases import LiveServerThread

from audit.models import AuditEntry
from contracts.actor import Role
from manager.models import Approval
from tests.access.people import bearer
from tests.admin.world import World, world_build
from tests.manager.story import databases_empty
from tuner.models import ParameterActivation, TenantParameters
from tuner.selectors import active_version

pytestmark = pytest.mark.django_db(transaction=True)
Sent = tuple[int, dict[str, Any], str]


class Clients:
    """Two programs; what both send is sent at the same moment."""

    def __init__(self, base: str):
        self._base = base
        self._headers = [bearer(Role.META_USER, name) for name in ("one", "two")]

    def send(self, number: int, method: str, path: str, body: Any = None, **headers: str) -> Sent:
        data = None if body is None else json.dumps(body).encode()
        own = {"Content-Type": "application/json", **self._headers[number], **headers}
        request = urllib.request.Request(f"{self._base}/api/v1/{path}", data=data, headers=own, method=method)  # noqa: S310 - local
        try:
            answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310 - local
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers.get("ETag", "")

    def both(self, method: str, path: str, bodies: tuple[Any, Any], **headers: str) -> list[Sent]:
        """Sorted by status: the winner first."""
        start, found = threading.Barrier(2), dict[int, Sent]()

        def go(number: int) -> None:
            start.wait(timeout=30)
            found[number] = self.send(number, method, path, bodies[number], **headers)

        threads = [threading.Thread(target=go, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=90)
        return sorted(found.values(), key=lambda sent: sent[0])


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield world_build()
    databases_empty()


@pytest.fixture
def clients(world: World, live_server: LiveServerThread) -> Clients:
    return Clients(str(live_server.url))  # type: ignore[attr-defined]  # pytest-django's own


def test_approval__decided_by_two_at_once__is_applied_once_and_the_second_is_told(
    clients: Clients, world: World
) -> None:
    before = ParameterActivation.objects.count()
    path = f"approvals/{world.approval.pk}/approve"
    won, lost = clients.both("POST", path, ({"comment": "one"}, {"comment": "two"}))
    assert (won[0], lost[0]) == (200, 409)
    assert lost[1]["error"]["code"] == "CONFLICT"
    assert won[1]["decided_by"] in lost[1]["error"]["message"] or "already" in lost[1]["error"]["message"]
    assert ParameterActivation.objects.count() == before + 1
    assert Approval.objects.get().comment == won[1]["comment"]
    assert AuditEntry.objects.filter(action="approval.approved").count() == 1


def test_goal__stopped_and_started_with_one_tag__obeys_the_first_and_refuses_the_second(
    clients: Clients, world: World
) -> None:
    path = f"goals/{world.goal.pk}"
    clients.send(0, "POST", f"{path}/start", {})
    _, _, tag = clients.send(0, "GET", path)
    bodies = ({"reason": "one"}, {"reason": "two"})
    won, lost = clients.both("POST", f"{path}/pause", bodies, **{"If-Match": tag})
    assert (won[0], lost[0]) == (200, 412)
    assert lost[1]["error"]["code"] == "STALE"
    assert lost[1]["error"]["details"]["etag"] == won[2] != tag
    world.campaign.refresh_from_db()
    assert world.campaign.status == "paused"


def test_version_of_a_person__put_by_two_with_one_tag__is_that_of_the_first(clients: Clients, world: World) -> None:
    clients.send(0, "POST", f"approvals/{world.approval.pk}/approve", {})
    versions = (1, active_version().version)
    path = f"parameters/tenants/{TenantParameters.objects.get().user_id}"
    _, _, tag = clients.send(0, "GET", path)
    bodies = tuple({"version": number, "reason": f"wants {number}"} for number in versions)
    won, lost = clients.both("PUT", path, (bodies[0], bodies[1]), **{"If-Match": tag})
    # The one that asks for what is there already changes nothing: then both may be right.
    assert won[0] == 200
    assert lost[0] in (200, 412)
    assert TenantParameters.objects.get().version == (won[1]["version"] if lost[0] == 412 else versions[1])


def test_rollback__ordered_by_two_at_once__goes_back_one_step(clients: Clients, world: World) -> None:
    start = active_version().version
    _, approved, _ = clients.send(0, "POST", f"approvals/{world.approval.pk}/approve", {})
    body = {"reason": "worse", "expected_active": approved["applied_version"]}
    won, lost = clients.both("POST", "parameters/rollback", (body, body))
    assert (won[0], lost[0]) == (200, 409)
    assert active_version().version == start


def test_goal__posted_by_one_twice_at_once_with_a_key__is_stored_once(clients: Clients, world: World) -> None:
    from goals.models import LearningGoal

    before = LearningGoal.objects.count()
    body = {"text": "Raise precision to 60 %", "dataset": "tiny"}
    clients._headers[1] = clients._headers[0]
    won, other = clients.both("POST", "goals", (body, body), **{"Idempotency-Key": "k"})
    assert won[0] == 201
    assert other[0] in (201, 409)  # the answer of the first, or that the first is under way
    assert other[0] == 409 or other[1]["id"] == won[1]["id"]
    assert LearningGoal.objects.count() == before + 1
