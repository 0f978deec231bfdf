"""`POST /telemetry`: what a MaaS that runs elsewhere sends, and how it is answered."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from contracts.actor import Role
from incidents.models import Incident
from sensor import intake
from sensor.models import ExternalEvent, SensorEvent
from tests.access.people import bearer, client_of, person
from tests.api.documented import Documented
from tests.sensor import foreign
from tests.sensor.factories import BORIS

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/telemetry"


@pytest.fixture
def headers() -> dict[str, str]:
    return bearer(Role.OPERATOR, "elsewhere")


def post(body: Any, headers: dict[str, str], kind: str = "application/json") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(ADDRESS, data, content_type=kind, headers=headers)


def refusal(response: Any) -> tuple[int, str]:
    (error,) = response.json().values()
    assert set(error) == {"code", "message", "details"}
    return response.status_code, error["code"]


def test_post__good_bad_and_repeated_rows__are_accounted_for(headers: dict[str, str]) -> None:
    first = foreign.event()
    response = post([first, {"event_id": "x"}, foreign.event(latency_ms=-1), first], headers)

    assert response.status_code == 200
    body = response.json()
    assert (body["accepted"], body["duplicates"]) == (1, 1)
    assert [row["index"] for row in body["rejected"]] == [1, 2]
    assert body["rejected"][0]["event_id"] == "x"
    assert body["rejected"][1]["errors"] == [
        {"field": "latency_ms", "message": "Input should be greater than or equal to 0"}
    ]
    assert ExternalEvent.objects.get().source == "token:elsewhere"


def test_post__same_body_again__writes_nothing(headers: dict[str, str]) -> None:
    body = [foreign.event() for _ in range(3)]
    answers = [post(body, headers).json() for _ in range(2)]

    assert answers == [
        {"accepted": 3, "duplicates": 0, "rejected": []},
        {"accepted": 0, "duplicates": 3, "rejected": []},
    ]
    assert SensorEvent.objects.count() == 3


def test_post__no_rows__is_answered_with_nothing(headers: dict[str, str]) -> None:
    assert post([], headers).json() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_post__recorded_run__is_listed(headers: dict[str, str]) -> None:
    event = foreign.event()
    post([event], headers)

    (item,) = Client().get("/api/v1/telemetry/runs", headers=headers).json()["items"]
    assert item["pipeline_run_id"] == event["pipeline_run_id"]


@pytest.mark.parametrize("body", [b" ", b"{", b"\xff\xfe\xfa", b"[1, 2", b"[" * 100_000, b"[" + b"9" * 5_000 + b"]"],
                         ids=["blank", "cut", "no text", "cut list", "deep", "long number"])  # fmt: skip
def test_post__no_json__is_400(body: bytes, headers: dict[str, str]) -> None:
    assert refusal(post(body, headers)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("body", [{}, {"events": []}, "text", 7, None, True])
def test_post__json_that_is_no_list__is_422(body: Any, headers: dict[str, str]) -> None:
    assert refusal(post(body, headers)) == (422, "INVALID_INPUT")


def test_post__more_rows_than_a_request_may_have__is_422_and_keeps_none(headers: dict[str, str]) -> None:
    assert refusal(post([foreign.event(), *[1] * 1000], headers)) == (422, "INVALID_INPUT")
    assert not SensorEvent.objects.exists()


def test_post__body_over_ten_megabytes__is_413(headers: dict[str, str]) -> None:
    body = json.dumps([foreign.event()]).encode()
    assert refusal(post(body + b" " * intake.LARGEST_BODY, headers)) == (413, "TOO_LARGE")
    assert not SensorEvent.objects.exists()


def test_post__body_over_djangos_own_limit__is_taken(headers: dict[str, str]) -> None:
    rows = [foreign.event(context="x" * 199_000) for _ in range(40)]

    assert post(rows, headers).json()["accepted"] == 40


@pytest.mark.parametrize("kind", ["text/plain", "application/x-ndjson", "application/x-www-form-urlencoded"])
def test_post__other_content_type__is_415(kind: str, headers: dict[str, str]) -> None:
    assert refusal(post([foreign.event()], headers, kind)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_post__with_charset__is_taken(headers: dict[str, str]) -> None:
    assert post([foreign.event()], headers, "application/json; charset=utf-8").json()["accepted"] == 1


def test_post__without_login__is_401() -> None:
    assert refusal(post([foreign.event()], {})) == (401, "NOT_AUTHENTICATED")


def test_post__by_a_viewer__is_403_and_keeps_nothing() -> None:
    assert refusal(post([foreign.event()], bearer(Role.VIEWER))) == (403, "NOT_AUTHORISED")
    assert not SensorEvent.objects.exists()


def test_post__by_session_of_an_operator__needs_the_csrf_token() -> None:
    client = client_of(person("bob", Role.OPERATOR), csrf=True)
    body = json.dumps([foreign.event()])
    assert client.post(ADDRESS, body, content_type="application/json").status_code == 403
    client.cookies["csrftoken"] = secret = "a" * 32

    response = client.post(ADDRESS, body, content_type="application/json", headers={"X-CSRFToken": secret})

    assert response.json()["accepted"] == 1
    assert ExternalEvent.objects.get().source == "person:bob"


def test_post__unknown_field_of_a_monstrous_name__is_said_in_few_words(headers: dict[str, str]) -> None:
    response = post([foreign.event(**{"x" * 500_000: 1}), foreign.event(**{"\ud800": 1}), foreign.event()], headers)

    assert response.json()["accepted"] == 1
    assert len(response.content) < 1000


def test_post__not_a_number__is_refused_by_row(headers: dict[str, str]) -> None:
    body = json.dumps([foreign.event(latency_ms=float("nan")), foreign.event(cost_usd=float("inf")), foreign.event()])
    answer = post(body.encode().replace(b"Infinity", b"1e999"), headers).json()

    assert (answer["accepted"], [row["index"] for row in answer["rejected"]]) == (1, [0, 1])


def test_post__run_of_a_real_user__is_kept_masked(headers: dict[str, str]) -> None:
    text = "write to ivan@mail.ru"
    post([foreign.event(client_kind="user", query=text, answer=text, context=text)], headers)

    row = SensorEvent.objects.get()
    assert (row.query, row.answer, row.context) == ("write to [email]",) * 3


def test_post__memory_of_another_user__opens_an_incident(headers: dict[str, str]) -> None:
    post([foreign.event(found=[foreign.found(user_id=BORIS)])], headers)

    assert Incident.objects.get().kind == "isolation"


@pytest.mark.django_db(transaction=True)
def test_post__two_at_once_that_overlap__record_each_event_once(headers: dict[str, str]) -> None:
    events = [foreign.event() for _ in range(60)]
    together = threading.Barrier(2)
    answers: list[dict[str, Any]] = []

    def send(part: list[dict[str, Any]]) -> None:
        together.wait()
        answers.append(post(part, headers).json())
        connections.close_all()

    threads = [threading.Thread(target=send, args=(part,)) for part in (events[:40], events[:19:-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(answer["accepted"] for answer in answers) == 60
    assert sum(answer["duplicates"] for answer in answers) == 20
    assert all(answer["rejected"] == [] for answer in answers)
    assert SensorEvent.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_post__by_a_client_that_knows_the_document_alone__is_as_documented(live_server: Any) -> None:
    api = Documented(live_server.url, token=bearer(Role.OPERATOR)["Authorization"].split()[1])
    media = api.operation("telemetry_ingest").spec["requestBody"]["content"]["application/json"]
    rows = [media["example"][0] | {"event_id": str(uuid.uuid4()), "pipeline_run_id": str(uuid.uuid4())}]
    rows.append(foreign.event(found=[foreign.found(tags=["a"])], used_ids=[]))

    assert api.call("telemetry_ingest", body=rows).body == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert len(api.call("telemetry_ingest", body=[{"query": 7}, 7], sound=False).body["rejected"]) == 2
    assert api.call("telemetry_ingest", body={}, sound=False).status == 422
    assert api.call("telemetry_ingest", body=b"{", sound=False).status == 400
