"""Whatever fails, the answer has one shape and tells nothing that is not the caller's business."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from contracts.actor import Role
from kernel.errors import DomainError
from selflearn_site.api.errors import STATUS, status_of
from tests.access.people import bearer

pytestmark = pytest.mark.django_db
NOBODY = str(uuid.UUID(int=404))  # fixed: workers of xdist must collect the same names
JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.fixture
def headers() -> dict[str, str]:
    return bearer(Role.META_USER)


def _error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    return dict(body["error"])


def test_status__of_every_domain_error__is_named() -> None:
    def kinds(kind: type[DomainError]) -> set[type[DomainError]]:
        return {kind}.union(*(kinds(below) for below in kind.__subclasses__()))

    assert all(status_of(kind("x")) in set(STATUS.values()) for kind in kinds(DomainError))


@pytest.mark.parametrize("path", ["nowhere", "goals/1/nowhere", "goals/abc", "approvals/not-a-uuid"])
def test_address__that_nobody_knows__is_404(path: str, client: Client, headers: dict[str, str]) -> None:
    response = client.get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == 404
    assert _error(response)["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "path",
    ["goals/404", f"approvals/{NOBODY}", f"cycles/{NOBODY}", "experiments/none", "experiments/none/results",
     f"hypotheses/{NOBODY}", "parameters/versions/404", f"maas/runs/{NOBODY}", "campaigns/404",
     f"emulations/{NOBODY}", "reports/404", "parameters/effective?experiment_id=x&variant=y"],
)  # fmt: skip
def test_thing__that_is_not_there__is_404(path: str, client: Client, headers: dict[str, str]) -> None:
    response = client.get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == 404
    assert _error(response)["code"] == "NOT_FOUND"


def test_method__that_is_not_possible__is_405(client: Client, headers: dict[str, str]) -> None:
    response = client.delete("/api/v1/goals", headers=headers)
    assert response.status_code == 405
    assert _error(response)["code"] == "METHOD_NOT_ALLOWED"
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("goals/translate", {}, "body.body.text"),
        ("goals/translate", {"text": 5}, "body.body.text"),
        ("goals", {"text": "Raise recall", "cycles": 0}, "body.body.cycles"),
        ("maas/runs", {"user_id": "x", "query": "q"}, "body.body.user_id"),
        ("maas/runs", {"user_id": NOBODY, "query": "q", "surprise": 1}, "body.body.surprise"),
    ],
)
def test_body__that_is_wrong__names_the_field(
    path: str, body: dict[str, Any], field: str, client: Client, headers: dict[str, str]
) -> None:
    response = client.post(f"/api/v1/{path}", body, headers=headers, **JSON)
    assert response.status_code == 422
    error = _error(response)
    assert error["code"] == "INVALID_INPUT"
    assert field in {item["field"] for item in error["details"]["fields"]}


def test_body__that_is_no_json__is_400(client: Client, headers: dict[str, str]) -> None:
    response = client.post("/api/v1/goals/translate", "{", headers=headers, **JSON)
    assert response.status_code == 400
    assert _error(response)["code"] == "INVALID_INPUT"


def test_goal__that_says_nothing__is_422(client: Client, headers: dict[str, str]) -> None:
    response = client.post("/api/v1/goals/translate", {"text": "   "}, headers=headers, **JSON)
    assert response.status_code == 422
    assert _error(response)["code"] == "INVALID_INPUT"


def test_limit__beyond_the_cap__is_422(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/api/v1/goals?limit=200", headers=headers).status_code == 200
    assert client.get("/api/v1/goals?limit=1000000", headers=headers).status_code == 422


def test_unexpected_error__in_a_route__is_500_with_an_id_and_no_internals(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("tuner.selectors.effective_params", broken)
    response = client.get("/api/v1/parameters/effective", headers=headers | {"X-Request-ID": "abc-1"})
    assert response.status_code == 500
    error = _error(response)
    assert error["details"] == {"request_id": "abc-1"}
    assert response.headers["X-Request-ID"] == "abc-1"
    assert b"secret" not in response.content


def test_database__that_cannot_be_reached__is_503(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr("tuner.selectors.effective_params", gone)
    response = client.get("/api/v1/parameters/effective", headers=headers)
    assert response.status_code == 503
    assert _error(response)["code"] == "UNAVAILABLE"
    assert b"10.0.0.1" not in response.content
