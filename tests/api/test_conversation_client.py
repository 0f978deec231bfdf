"""A client written against the OpenAPI document alone holds a conversation that remembers."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from jsonschema import Draft202012Validator

from contracts.actor import Role
from tests.access.people import bearer
from tests.api.documented import Answer, Documented

pytestmark = pytest.mark.processes
FACT, QUESTION = "My sister Clara bought a red cello in Kazan.", "Where did my sister buy the cello?"


@pytest.fixture
def client(live_server: Any) -> Documented:
    """With the least role that there is."""
    return Documented(live_server.url, token=bearer(Role.VIEWER)["Authorization"].split()[1])


@pytest.fixture
def orchestrator(live_server: Any) -> Iterator[None]:
    """The student at work, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.maas.orchestrator_process", connections["maas"].settings_dict["NAME"]],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )
    assert process.stdout is not None
    assert "started" in process.stdout.readline()
    yield
    process.kill()
    process.communicate()


def settled(client: Documented, run_id: str) -> dict[str, Any]:
    """Long-polls until nothing of the run changes any more."""
    for _ in range(6):
        body: dict[str, Any] = client.call("run_get", run_id=run_id, wait=10).body
        if body["settled"]:
            return body
    raise AssertionError(f"the run is {body['status']} after a minute")


def said(client: Documented, user: str, query: str, **fields: Any) -> dict[str, Any]:
    accepted = client.call("run_create", body=client.body_of("run_create", user_id=user, query=query, **fields))
    assert accepted.status == 202
    return settled(client, accepted.body["request_id"])


def test_conversation__by_the_document_alone__remembers_in_another_thread(
    client: Documented, orchestrator: None
) -> None:
    user, elsewhere = str(uuid.uuid4()), str(uuid.uuid4())
    told = said(client, user, FACT, thread_id=str(uuid.uuid4()), consent=True)
    assert (told["status"], told["found"]) == ("COMPLETED", [])
    assert told["memory_id"] is not None
    asked = said(client, user, QUESTION, thread_id=elsewhere)
    assert "Kazan" in asked["answer"]
    assert [memory["memory_id"] for memory in asked["found"]] == [told["memory_id"]]
    assert "red cello" in asked["found"][0]["text"]
    thanks = client.call("run_feedback", run_id=asked["run_id"], body=client.body_of("run_feedback", user_id=user))
    assert thanks == Answer(200, {"request_id": asked["run_id"], "score": 5})


def test_conversation__of_another_user__finds_nothing_of_it(client: Documented, orchestrator: None) -> None:
    said(client, str(uuid.uuid4()), FACT)
    asked = said(client, str(uuid.uuid4()), QUESTION)
    assert asked["found"] == []
    assert "Kazan" not in asked["answer"]


def test_request__given_twice__is_one_run(client: Documented, orchestrator: None) -> None:
    body = client.body_of("run_create", query=FACT, run_id=str(uuid.uuid4()))
    runs = [client.call("run_create", body=body).body["request_id"] for _ in range(2)]
    assert runs == [body["run_id"]] * 2
    said(client, body["user_id"], FACT)
    found = said(client, body["user_id"], QUESTION)["found"]
    assert len({memory["memory_id"] for memory in found}) == len(found) <= 2


@pytest.mark.parametrize("change", [{"query": ""}, {"query": " \n"}, {"query": "x" * 20_001}, {"surprise": 1}])
def test_query__that_breaks_the_document__is_422(client: Documented, change: dict[str, Any]) -> None:
    body = client.body_of("run_create") | change
    refused = client.call("run_create", body=body, sound=False)
    assert (refused.status, refused.body["error"]["code"]) == (422, "INVALID_INPUT")


@pytest.mark.parametrize("score", [0, 9, "good"])
def test_feedback__beyond_the_scale__is_422(client: Documented, score: Any) -> None:
    run = client.call("run_create", body=client.body_of("run_create")).body["request_id"]
    refused = client.call("run_feedback", run_id=run, body={"score": score}, sound=False)
    assert (refused.status, refused.body["error"]["code"]) == (422, "INVALID_INPUT")


def test_feedback__before_there_is_an_answer__is_409(client: Documented) -> None:
    run = client.call("run_create", body=client.body_of("run_create")).body["request_id"]
    refused = client.call("run_feedback", run_id=run, body={"score": 5})
    assert (refused.status, refused.body["error"]["code"]) == (409, "ILLEGAL_TRANSITION")


def test_run__that_nobody_knows__is_404(client: Documented) -> None:
    for refused in (
        client.call("run_get", run_id=str(uuid.uuid4())),
        client.call("run_feedback", run_id=str(uuid.uuid4()), body={"score": 5}),
    ):
        assert (refused.status, refused.body["error"]["code"]) == (404, "NOT_FOUND")


def test_run__asked_for_as_somebody_else__is_404(client: Documented) -> None:
    run = client.call("run_create", body=client.body_of("run_create")).body["request_id"]
    assert client.call("run_get", run_id=run, user_id=str(uuid.uuid4())).status == 404
    assert client.call("run_get", run_id=run).body["status"] == "NEW"


def test_run_id__of_another_request__is_409(client: Documented) -> None:
    body = client.body_of("run_create", run_id=str(uuid.uuid4()))
    client.call("run_create", body=body)
    refused = client.call("run_create", body=body | {"query": "Something else."})
    assert (refused.status, refused.body["error"]["code"]) == (409, "CONFLICT")


def test_call__that_is_no_json_or_waits_too_long_or_has_no_token__is_refused_as_documented(
    client: Documented, live_server: Any
) -> None:
    assert client.call("run_create", body=b"{", sound=False).status == 400
    assert client.call("run_get", run_id=str(uuid.uuid4()), wait=3600, sound=False).status == 422
    stranger = Documented(live_server.url)
    assert stranger.call("run_create", body=stranger.body_of("run_create")).status == 401


def test_document__as_served__is_sound(client: Documented) -> None:
    """Names stand once (`once`), schemas are valid, references lead somewhere, ids are unique."""
    document = client.document
    assert document["openapi"].startswith("3.1")
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        for reference in _references(schema):
            assert client.resolved({"$ref": reference}), name
    operations = [spec for methods in document["paths"].values() for spec in methods.values()]
    ids = [spec["operationId"] for spec in operations]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        for spec in methods.values():
            declared = {item["name"] for item in spec.get("parameters", ()) if item["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
            assert all(response["description"] for response in spec["responses"].values()), path
            assert all(client.resolved({"$ref": reference}) for reference in _references(spec)), path
            assert not [name for name in spec if name == "x-never"], path


def test_document__of_the_entrypoint__describes_each_field(client: Documented) -> None:
    for name in ("RunRequest", "RunAccepted", "RunOut", "FoundMemory", "FeedbackIn", "FeedbackOut"):
        fields = client.document["components"]["schemas"][name]["properties"]
        bare = [field for field, schema in fields.items() if not schema.get("description")]
        assert bare in ([], ["schema_version"]), name


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
