"""What stands before every route: size, depth, rate, and requests that are sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role
from goals.models import LearningGoal
from kernel.errors import Conflict
from selflearn_site.access.idempotency import key_claim, key_release
from selflearn_site.access.models import IdempotencyKey
from selflearn_site.access.rate import rate_take
from selflearn_site.api.guards import depth_exceeds
from tests.access.people import bearer
from tests.admin.world import World

JSON: dict[str, Any] = {"content_type": "application/json"}
GOAL = {"text": "Raise recall to 60 %", "dataset": "tiny"}


def _post(client: Client, path: str, body: Any, headers: dict[str, str], **more: str) -> Any:
    return client.post(f"/api/v1/{path}", body, headers=headers | more, **JSON)


def test_goal__posted_twice_with_one_key__is_one_goal_and_one_answer(client: Client, world: World) -> None:
    headers, before = bearer(Role.META_USER, "twice"), LearningGoal.objects.count()
    first = _post(client, "goals", GOAL, headers, **{"Idempotency-Key": "k1"})
    again = _post(client, "goals", GOAL, headers, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert LearningGoal.objects.count() == before + 1


def test_key__given_with_another_body__is_422_and_does_nothing(client: Client, world: World) -> None:
    headers = bearer(Role.META_USER, "other body")
    _post(client, "goals", GOAL, headers, **{"Idempotency-Key": "k1"})
    count = LearningGoal.objects.count()
    response = _post(client, "goals", GOAL | {"seed": 3}, headers, **{"Idempotency-Key": "k1"})
    assert response.status_code == 422
    assert response.json()["error"]["details"] == {"field": "Idempotency-Key"}
    assert LearningGoal.objects.count() == count


def test_key__of_another_caller__is_another_key(client: Client, world: World) -> None:
    count = LearningGoal.objects.count()
    for name in ("one", "two"):
        _post(client, "goals", GOAL, bearer(Role.META_USER, name), **{"Idempotency-Key": "k1"})
    assert LearningGoal.objects.count() == count + 2


def test_key__refused_for_the_role__is_not_used_up(client: Client, world: World) -> None:
    response = _post(client, "goals", GOAL, bearer(Role.VIEWER), **{"Idempotency-Key": "k1"})
    assert response.status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_key__while_the_first_request_runs__is_a_conflict_until_it_is_given_back(db: None) -> None:
    row, first = key_claim(actor="token:a", key="k", digest="d")
    assert first
    with pytest.raises(Conflict, match="under way"):
        key_claim(actor="token:a", key="k", digest="d")
    key_release(row=row)
    assert key_claim(actor="token:a", key="k", digest="d")[1]


@pytest.mark.parametrize("key", ["", "with space", "x" * 201])
def test_key__malformed__is_422(client: Client, db: None, key: str) -> None:
    response = _post(client, "goals/translate", {"text": "x"}, bearer(Role.VIEWER), **{"Idempotency-Key": key})
    assert response.status_code == 422


def test_rate__within_the_limit__is_told_in_headers(client: Client, db: None, settings: Any) -> None:
    settings.SELFLEARN_API_RATE = 3
    response = client.get("/api/v1/goals", headers=bearer(Role.VIEWER))
    assert response.headers["X-RateLimit-Limit"] == "3"
    assert response.headers["X-RateLimit-Remaining"] == "2"
    assert "Retry-After" not in response.headers


def test_rate__exceeded__is_429_for_this_caller_alone(client: Client, db: None, settings: Any) -> None:
    settings.SELFLEARN_API_RATE = 2
    busy, calm = bearer(Role.VIEWER, "busy"), bearer(Role.VIEWER, "calm")
    statuses = [client.get("/api/v1/goals", headers=busy).status_code for _ in range(3)]
    refused = client.get("/api/v1/goals", headers=busy)
    assert statuses == [200, 200, 429]
    assert refused.json()["error"]["code"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert client.get("/api/v1/goals", headers=calm).status_code == 200


def test_rate__in_a_window_that_is_over__begins_anew(db: None) -> None:
    assert rate_take(subject="s", limit=1, window=60).used == 1
    assert rate_take(subject="s", limit=1, window=60).exceeded
    assert rate_take(subject="s", limit=1, window=0).used == 1


def test_health__is_never_limited(client: Client, db: None, settings: Any) -> None:
    settings.SELFLEARN_API_RATE = 1
    assert {client.get("/api/v1/health").status_code for _ in range(3)} <= {200, 503}


def test_body__too_large__is_413(client: Client, db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = _post(client, "goals/translate", {"text": "x" * 200}, bearer(Role.VIEWER))
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "TOO_LARGE"


def test_body__nested_very_deeply__is_422_and_names_the_body(client: Client, db: None) -> None:
    headers = bearer(Role.VIEWER)
    response = client.post("/api/v1/goals/translate", "[" * 100_000, headers=headers, **JSON)
    assert response.status_code == 422
    assert response.json()["error"]["details"] == {"field": "body"}


def test_body__with_an_unknown_field__is_422_and_names_it(client: Client, db: None) -> None:
    response = _post(client, "goals/translate", {"text": "Raise recall", "txet": 1}, bearer(Role.VIEWER))
    assert response.status_code == 422
    assert "txet" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "deep"),
    [(b"[" * 3, False), (b"[" * 4, True), (b'"[[[[[["', False), (b'["\\"[[[["]', False), (b"[][][][][]", False),
     (b'{"a": [[[1]]]}', True)],
)  # fmt: skip
def test_depth__of_json_text__counts_brackets_outside_of_strings(body: bytes, deep: bool) -> None:
    assert depth_exceeds(body, 3) is deep


@pytest.mark.parametrize("choice", [{"pinned_version": 1}, {"experiment": "x", "variant": "baseline"}])
def test_run__with_parameters_of_its_own_choice__needs_the_operator(
    client: Client, db: None, choice: dict[str, Any]
) -> None:
    body = {"user_id": "7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10", "query": "Hello?"} | choice
    assert _post(client, "maas/runs", body, bearer(Role.VIEWER)).status_code == 403
    assert _post(client, "maas/runs", body, bearer(Role.OPERATOR)).status_code == 202
