"""The policy over HTTP: read with help and bounds, changed in versions, restored; below meta-user refused."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role
from manager.models import PolicyVersion
from manager.services.policy import policy_current
from tests.access.people import bearer

pytestmark = pytest.mark.django_db
BASE = "/api/v1/policy"
NUMBERS = count(1)


def call(method: str, path: str, body: Any = None, *, role: Role = Role.META_USER) -> Any:
    send = getattr(Client(), method)
    extra = {} if body is None else {"data": body, "content_type": "application/json"}
    return send(f"{BASE}{path}", headers=bearer(role, f"caller {next(NUMBERS)}"), **extra)


def test_policy__read__has_values_and_each_field_with_help_and_bounds() -> None:
    body = call("get", "", role=Role.VIEWER).json()
    fields = {field["name"]: field for field in body["fields"]}
    assert (body["version"], body["values"]["changes_per_day"]) == (1, 5)
    assert (fields["changes_per_day"]["unit"], fields["changes_per_day"]["bounds"]) == ("changes", "from 0 to 1000")
    assert set(fields) == set(body["values"])
    assert all(field["help"] and field["title"] for field in fields.values())


def test_policy__patched__is_a_new_version() -> None:
    body = call("patch", "", {"changes": {"changes_per_day": 2}, "reason": "slower", "expected_version": 1}).json()
    assert (body["version"], body["values"]["changes_per_day"]) == (2, 2)
    (newest, _first) = call("get", "/versions").json()["items"]
    assert (newest["changes"], newest["reason"]) == ({"changes_per_day": [5, 2]}, "slower")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"changes": {"changes_per_day": -1}, "reason": "try"}, 422),
        ({"changes": {"hurry": 1}, "reason": "try"}, 422),
        ({"changes": {"actor": "me"}, "reason": "try"}, 422),
        ({"changes": {"changes_per_day": 1}, "reason": ""}, 422),
        ({"changes": {"changes_per_day": 1}, "reason": "late", "expected_version": 9}, 409),
    ],
)
def test_policy__wrong_patch__is_refused_and_changes_nothing(body: dict[str, Any], status: int) -> None:
    policy_current()
    assert call("patch", "", body).status_code == status
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_policy__patched_below_meta_user__is_forbidden(role: Role) -> None:
    assert call("patch", "", {"changes": {"changes_per_day": 1}, "reason": "try"}, role=role).status_code == 403
    assert policy_current().changes_per_day == 5


def test_policy__previewed__tells_and_changes_nothing() -> None:
    body = call("post", "/preview", {"changes": {"golden_mode": "strict"}}).json()
    assert body == [{"field": "golden_mode", "before": "directional", "after": "strict"}]
    assert policy_current().golden_mode == "directional"


def test_policy__restored__has_the_old_values_again() -> None:
    call("patch", "", {"changes": {"changes_per_day": 2}, "reason": "slower"})
    body = call("post", "/versions/1/restore", {"reason": "as before"}).json()
    assert (body["version"], body["values"]["changes_per_day"]) == (3, 5)
    assert call("get", "/versions/3").json()["restored_from"] == 1
    assert call("get", "/versions/9").status_code == 404
