"""Scopes of tokens: what lies outside of them is refused by name, on every route, and nothing happens."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from kernel.errors import InvalidInput, NotAuthorised
from selflearn_site.access.models import ApiToken
from selflearn_site.access.scopes import groups, scope_allows, scope_of, scope_require
from selflearn_site.access.services import token_actor, token_create
from selflearn_site.api.assembly import api
from tests.access.people import ROOT, client_of, person
from tuner.selectors import is_frozen

pytestmark = pytest.mark.django_db
JSON: dict[str, Any] = {"content_type": "application/json"}


def _headers(*scopes: str, role: Role = Role.META_USER) -> dict[str, str]:
    _, plain = token_create(name="t", role=role, actor=ROOT, scopes=scopes or None)
    return {"Authorization": f"Bearer {plain}"}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("GET", "/api/v1/goals", "goals:read"), ("POST", "/api/v1/goals", "goals:write"),
     ("POST", "/api/v1/goals/translate", "goals:read"), ("GET", "/campaigns/1", "goals:read"),
     ("HEAD", "/api/v1/hypotheses/1", "experiments:read"), ("PUT", "/api/v1/maas/consent", "maas:write"),
     ("GET", "/api/v1/me", None), ("GET", "/api/v1/health", None)],
)  # fmt: skip
def test_call__by_address_and_method__needs_the_scope_of_its_group(method: str, path: str, scope: str | None) -> None:
    assert scope_of(method, path) == scope


@pytest.mark.parametrize(
    ("scopes", "needed", "allowed"),
    [(None, "goals:write", True), (("goals:read",), "goals:read", True), (("goals:read",), "goals:write", False),
     (("goals:write",), "goals:read", True), (("all:read",), "goals:read", True), (("all:read",), "goals:write", False),
     (("all:write",), "goals:write", True), (("maas:write",), "goals:read", False), ((), "goals:read", False),
     ((), None, True)],
)  # fmt: skip
def test_scopes__of_a_token__allow_their_group_and_write_includes_read(
    scopes: tuple[str, ...] | None, needed: str | None, allowed: bool
) -> None:
    assert scope_allows(scopes, needed) is allowed


def test_scope_require__without_it__names_it() -> None:
    with pytest.raises(NotAuthorised, match="goals:write") as caught:
        scope_require(("goals:read",), "goals:write")
    assert caught.value.details == {"needs_scope": "goals:write", "has_scopes": ["goals:read"]}


def test_call__outside_of_the_scopes__is_403_names_the_scope_and_does_nothing(client: Client) -> None:
    headers = _headers("goals:write", "parameters:read")
    assert client.get("/api/v1/goals", headers=headers).status_code == 200
    assert client.get("/api/v1/parameters/effective", headers=headers).status_code == 200
    refused = client.post("/api/v1/parameters/freeze", {"reason": "x"}, headers=headers, **JSON)
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["code"], error["details"]["needs_scope"]) == ("NOT_AUTHORISED", "parameters:write")
    assert not is_frozen()


def test_every_route__with_a_token_of_another_group__is_403(client: Client) -> None:
    """Before its input is read: made-up ids and empty bodies do."""
    headers, checked = _headers("judges:read"), 0
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method, operation in methods.items():
            needed = operation.get("x-scope")
            assert (needed is None) == (path in ("/health", "/me")), path
            if needed in (None, "judges:read"):
                continue
            address = "/api/v1" + path
            for name in operation.get("parameters", ()):
                made_up = "00000000-0000-4000-8000-000000000000" if "uuid" in json.dumps(name["schema"]) else "1"
                address = address.replace("{" + name["name"] + "}", made_up)
            response = client.generic(method.upper(), address, "{}", headers=headers, **JSON)
            assert response.status_code == 403, (method, address, response.content)
            assert response.json()["error"]["details"]["needs_scope"] == needed
            checked += 1
    assert checked > 60


def test_role__below_what_a_service_needs__is_refused_within_the_scopes_too(client: Client) -> None:
    headers = _headers("all:write", role=Role.VIEWER)
    response = client.post("/api/v1/parameters/freeze", {"reason": "x"}, headers=headers, **JSON)
    assert response.status_code == 403
    assert response.json()["error"]["details"] == {"needs": "operator", "has": "viewer"}


def test_token__without_scopes__may_what_its_role_may(client: Client) -> None:
    response = client.post("/api/v1/parameters/freeze", {"reason": "x"}, headers=_headers(), **JSON)
    assert response.status_code == 200
    assert ApiToken.objects.get().scopes is None


@pytest.mark.parametrize(
    "scopes", [["gaols:read"], ["goals"], ["goals:delete"], ["goals:read:x"], ["", "goals:read"], []]
)
def test_token_create__with_a_wrong_scope__names_the_field_and_makes_none(scopes: list[str], alice: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        token_create(name="t", role=Role.VIEWER, actor=alice, scopes=scopes)
    assert caught.value.details["field"] == "scopes"
    assert not ApiToken.objects.exists()


def test_token__created_with_scopes__is_audited_with_them(alice: Actor) -> None:
    _, plain = token_create(name="t", role=Role.VIEWER, actor=alice, scopes=["maas:write", "goals:read", "goals:read"])
    actor = token_actor(plain)
    assert actor is not None
    assert actor.scopes == ("goals:read", "maas:write")
    after: Any = AuditEntry.objects.get(action="token.created").after
    assert after["scopes"] == ["goals:read", "maas:write"]


def test_create_token__with_scopes__prints_them() -> None:
    out = StringIO()
    call_command("create_token", "ci", "--role", "viewer", "--scope", "goals:read", "--json", stdout=out)
    assert json.loads(out.getvalue())["scopes"] == ["goals:read"]


def test_me__of_a_token__tells_role_scopes_and_rights(client: Client) -> None:
    body = client.get("/api/v1/me", headers=_headers("goals:write", "maas:read", role=Role.OPERATOR)).json()
    assert (body["kind"], body["name"], body["label"], body["role"]) == ("token", "t", "token:t", "operator")
    assert body["includes"] == ["viewer", "operator"]
    assert body["scopes"] == ["goals:write", "maas:read"]
    assert set(body["rights"]) == set(groups())
    assert {group for group, right in body["rights"].items() if right == "write"} == {"goals"}
    assert {group for group, right in body["rights"].items() if right == "read"} == {"maas"}
    assert body["created_at"]
    assert body["last_used_at"]


def test_me__of_a_person__tells_the_role_and_no_token() -> None:
    body = client_of(person("bob", Role.OPERATOR)).get("/api/v1/me").json()
    assert (body["label"], body["role"], body["scopes"], body["created_at"]) == ("person:bob", "operator", None, None)
    assert set(body["rights"].values()) == {"write"}


def test_admin__makes_a_token_with_the_chosen_scopes_and_shows_them() -> None:
    client = client_of(person("alice", Role.META_USER))
    data = {"name": "crm", "role": "viewer", "days": "30", "chosen_scopes": ["maas:write", "goals:read"]}
    made = client.post("/admin/access/apitoken/add/", data)
    assert made.status_code == 200
    token = ApiToken.objects.get()
    assert token.scopes == ["goals:read", "maas:write"]
    assert "goals:read, maas:write" in client.get(f"/admin/access/apitoken/{token.pk}/change/").content.decode()
    client.post("/admin/access/apitoken/add/", data | {"name": "free", "chosen_scopes": []})
    assert ApiToken.objects.get(name="free").scopes is None
