"""Who may call, by token and by session."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role
from manager.models import Approval
from notifications.models import Delivery
from selflearn_site.access.models import ApiToken
from tests.access.people import bearer, client_of, person
from tests.admin.world import World
from tuner.selectors import active_version, is_frozen

pytestmark = pytest.mark.django_db
JSON: dict[str, Any] = {"content_type": "application/json"}


def _error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    return dict(body["error"])


def test_call__without_login__is_401_and_says_how(client: Client) -> None:
    response = client.get("/api/v1/goals")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert _error(response)["code"] == "NOT_AUTHENTICATED"


@pytest.mark.parametrize("token", ["nonsense", "slt_", "slt_" + "x" * 48])
def test_call__with_an_unknown_token__is_401(client: Client, token: str) -> None:
    assert client.get("/api/v1/goals", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_call__with_a_wrong_token_and_a_session__is_401() -> None:
    client = client_of(person("alice", Role.META_USER))
    assert client.get("/api/v1/goals", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_call__with_a_revoked_token__is_401(client: Client) -> None:
    headers = bearer(Role.VIEWER)
    assert client.get("/api/v1/goals", headers=headers).status_code == 200
    ApiToken.objects.update(revoked_at=ApiToken.objects.get().created_at)
    assert client.get("/api/v1/goals", headers=headers).status_code == 401


def test_call__by_session__is_answered() -> None:
    assert client_of(person("charlie", Role.VIEWER)).get("/api/v1/goals").status_code == 200


def test_call__by_a_session_without_role__is_403() -> None:
    response = client_of(person("eve", staff=False)).get("/api/v1/goals")
    assert response.status_code == 403
    assert _error(response)["code"] == "NOT_AUTHORISED"


def test_post__by_session_without_csrf_token__is_403_and_changes_nothing(world: World) -> None:
    client = client_of(person("alice", Role.META_USER), csrf=True)
    response = client.post(f"/api/v1/approvals/{world.approval.pk}/approve", {"comment": ""}, **JSON)
    assert response.status_code == 403
    assert _error(response)["code"] == "NOT_AUTHORISED"
    assert Approval.objects.get().status == "pending"


def test_post__by_session_with_csrf_token__is_done(world: World) -> None:
    client = client_of(person("bob", Role.OPERATOR), csrf=True)
    client.cookies["csrftoken"] = secret = "a" * 32
    response = client.post("/api/v1/parameters/freeze", {"reason": "look"}, headers={"X-CSRFToken": secret}, **JSON)
    assert response.status_code == 200
    assert is_frozen()


def test_post__by_token__needs_no_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/api/v1/parameters/freeze", {"reason": "x"}, headers=bearer(Role.OPERATOR), **JSON)
    assert response.status_code == 200


Calls = tuple[tuple[str, dict[str, Any]], ...]
NEEDS_META_USER: Calls = (
    ("approvals/{approval}/approve", {"comment": ""}),
    ("approvals/{approval}/reject", {"comment": "no"}),
    ("parameters/rollback", {"reason": "no"}),
    ("parameters/unfreeze", {"reason": "no"}),
    ("parameters/versions/1/activate", {"reason": "no", "expected_active": 1}),
    ("goals", {"text": "Raise recall to 60 %", "dataset": "tiny"}),
)
NEEDS_OPERATOR: Calls = (
    ("parameters/freeze", {"reason": "no"}),
    ("goals/{goal}/start", {}),
    ("goals/{goal}/pause", {}),
    ("goals/{goal}/stop", {}),
    ("incidents/{incident}/acknowledge", {}),
    ("incidents/{incident}/resolve", {}),
    ("notifications/{notification}/resend", {}),
    ("notifications/channels/{channel}/test", {}),
    ("emulations", {"dialogues": 1}),
    ("emulations/{batch}/stop", {}),
    ("emulations/{batch}/resume", {}),
    ("maas/memories/import", {"memories": [{"text": "no"}]}),
)
FORGED = [(path, body, Role.VIEWER) for path, body in NEEDS_META_USER + NEEDS_OPERATOR]
FORGED += [(path, body, Role.OPERATOR) for path, body in NEEDS_META_USER]


@pytest.mark.parametrize(("path", "body", "role"), FORGED, ids=lambda value: str(value) if value else "")
def test_post__above_the_callers_role__is_403_and_changes_nothing(
    path: str, body: dict[str, Any], role: Role, client: Client, world: World
) -> None:
    before = active_version().version
    place: dict[str, Any] = {"approval": world.approval.pk, "goal": world.goal.pk, "incident": world.incident.pk}
    delivery = Delivery.objects.latest("created_at")
    place |= {"batch": world.batch.pk, "notification": delivery.pk, "channel": delivery.channel_id}
    address = "/api/v1/" + path.format(**place)
    response = client.post(address, body, headers=bearer(role), **JSON)
    assert response.status_code == 403
    assert _error(response)["details"]["has"] == role
    assert Approval.objects.get().status == "pending"
    world.campaign.refresh_from_db()
    assert (world.campaign.status, active_version().version, is_frozen()) == ("planned", before, False)
