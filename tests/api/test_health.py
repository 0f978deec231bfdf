"""`GET /health`, and the description of the API: both without login."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from selflearn_site.api import health

pytestmark = pytest.mark.django_db


def test_health__with_both_databases__is_ready_and_names_each_dependency(client: Client) -> None:
    response = client.get("/api/v1/health")
    assert response.status_code == 200
    body = response.json()
    assert (body["live"], body["ready"]) == (True, True)
    assert set(body["dependencies"]) == {"database", "maas_database", "worker", "sensor", "llm"}
    assert body["dependencies"]["llm"]["detail"] == "offline"


def test_health__without_a_worker__is_degraded_but_ready(client: Client) -> None:
    body = client.get("/api/v1/health").json()
    assert body["dependencies"]["worker"]["status"] == "absent"
    assert (body["status"], body["ready"]) == ("degraded", True)


@pytest.mark.parametrize(("alias", "name"), [("default", "database"), ("maas", "maas_database")])
def test_health__without_a_database__is_503_and_names_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, alias: str, name: str
) -> None:
    def look(which: str) -> dict[str, Any]:
        if which == alias:
            raise OperationalError("password of the house")
        return {"status": "ok"}

    monkeypatch.setattr(health, "_database", look)
    response = client.get("/api/v1/health")
    assert response.status_code == 503
    body = response.json()
    assert (body["status"], body["live"], body["ready"]) == ("down", True, False)
    assert body["dependencies"][name]["status"] == "down"
    assert b"password" not in response.content


def test_schema__of_the_api__is_openapi_and_documents_the_one_error_shape(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    operations = [(path, one) for path, methods in schema["paths"].items() for one in methods.values()]
    assert len(operations) > 40
    for path, operation in operations:
        error = operation["responses"]["500"]["content"]["application/json"]["schema"]
        assert error == {"$ref": "#/components/schemas/Error"}, path
        assert operation["summary"], path
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)


def test_docs__without_network__load_nothing_from_outside(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert b"cdn." not in page.content
    assert b"https://" not in page.content.replace(b"https://www.w3.org", b"")
