"""`POST /telemetry/truths` and `/telemetry/judgements`: what is said of posted runs, row by row."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role
from sensor.domain.external_marks import NOT_POSTED
from sensor.models import RunJudgement, SensorEvent
from sensor.services import runs_capture, telemetry_ingest
from tests.access.people import bearer
from tests.api.documented import Documented
from tests.sensor import factories, foreign

pytestmark = pytest.mark.django_db
TRUTHS, JUDGEMENTS = "/api/v1/telemetry/truths", "/api/v1/telemetry/judgements"
MEMORY = str(uuid.uuid4())


@pytest.fixture
def headers() -> dict[str, str]:
    return bearer(Role.OPERATOR, "elsewhere")


def post(address: str, body: Any, headers: dict[str, str]) -> Any:
    return Client().post(address, json.dumps(body), content_type="application/json", headers=headers)


def posted(**changes: Any) -> str:
    event = foreign.event(**changes)
    assert telemetry_ingest(events=[event], source="token:elsewhere").accepted == 1
    return str(event["pipeline_run_id"])


def truth(run: str, **changes: Any) -> dict[str, Any]:
    return {
        "pipeline_run_id": run, "example_id": "q1", "batch": "b", "dataset": "support", "should_retrieve": True,
        "expected_memory_ids": [MEMORY], "key_facts": ["Kazan"],
    } | changes  # fmt: skip


def judgement(run: str, **changes: Any) -> dict[str, Any]:
    return {"pipeline_run_id": run, "judge_version": "j", "hallucination_detected": True, "reasons": ["no"]} | changes


def test_truths__good_bad_and_unknown_rows__are_accounted_for_and_reach_the_run(headers: dict[str, str]) -> None:
    run, stranger = posted(found=[foreign.found(id=MEMORY)]), str(uuid.uuid4())
    rows = [truth(run), truth(stranger), truth(run, split="golden"), truth(run), truth(run, dataset="other"), 7]

    body = post(TRUTHS, rows, headers).json()

    assert (body["accepted"], body["duplicates"]) == (1, 1)
    assert [(row["index"], row["run_id"], row["errors"][0]["field"]) for row in body["rejected"]] == [
        (1, stranger, "pipeline_run_id"), (2, run, "split"), (4, run, "pipeline_run_id"), (5, None, ""),
    ]  # fmt: skip
    assert body["rejected"][0]["errors"][0]["message"] == NOT_POSTED.message
    row = SensorEvent.objects.get()
    assert (row.batch, row.dataset, row.split, row.example_id, row.cluster) == (
        "external:b", "support", "train", "q1", "q1",
    )  # fmt: skip
    assert ([str(each) for each in row.expected_ids or ()], row.key_facts) == ([MEMORY], ["Kazan"])


def test_truths__same_again__writes_nothing_and_another_replaces(headers: dict[str, str]) -> None:
    run = posted()
    answers = [post(TRUTHS, [truth(run, **more)], headers).json() for more in ({}, {}, {"key_facts": ["Omsk"]})]

    assert [(each["accepted"], each["duplicates"]) for each in answers] == [(1, 0), (0, 1), (1, 0)]
    assert SensorEvent.objects.get().key_facts == ["Omsk"]


def test_judgements__first_said__stands_and_is_shown_on_the_run(headers: dict[str, str]) -> None:
    run = posted()
    answers = [
        post(JUDGEMENTS, [judgement(run, **more)], headers).json() for more in ({}, {"hallucination_detected": False})
    ]

    assert [(each["accepted"], each["duplicates"]) for each in answers] == [(1, 0), (0, 1)]
    row = SensorEvent.objects.get()
    assert (row.judge_version, row.hallucination_detected) == ("external:j", True)


def test_judgements__says_nothing_or_two_things__is_rejected_by_row(headers: dict[str, str]) -> None:
    run = posted()
    empty = judgement(run, hallucination_detected=None)
    rows = [empty, judgement(run), judgement(run, context_utilized=True), judgement(run, judge_version="other")]

    body = post(JUDGEMENTS, rows, headers).json()

    assert (body["accepted"], body["duplicates"]) == (2, 0)
    assert [(row["index"], row["errors"][0]["field"]) for row in body["rejected"]] == [
        (0, "hallucination_detected"), (2, "pipeline_run_id"),
    ]  # fmt: skip


def test_marks__run_of_our_own_student__is_not_marked_from_outside(headers: dict[str, str]) -> None:
    run = factories.run()
    runs_capture(run_ids=[run])
    for address, row in ((TRUTHS, truth(str(run))), (JUDGEMENTS, judgement(str(run)))):
        assert len(post(address, [row], headers).json()["rejected"]) == 1
    own = SensorEvent.objects.get()
    assert (own.batch, own.judge_version) == (None, None)


def test_marks__run_of_a_real_user__are_kept_masked(headers: dict[str, str]) -> None:
    run = posted(client_kind="user")
    post(TRUTHS, [truth(run, key_facts=["ivan@mail.ru"], forbidden=["ivan@mail.ru"])], headers)
    post(JUDGEMENTS, [judgement(run, reasons=["says ivan@mail.ru"])], headers)

    row = SensorEvent.objects.get()
    assert (row.key_facts, row.forbidden) == (["[email]"], ["[email]"])
    assert RunJudgement.objects.get().reasons == ["says [email]"]


@pytest.mark.parametrize("address", [TRUTHS, JUDGEMENTS])
def test_marks__too_many_no_list_or_no_right__are_refused_whole(address: str, headers: dict[str, str]) -> None:
    assert post(address, [1] * 1001, headers).status_code == 422
    assert post(address, {}, headers).status_code == 422
    assert post(address, [], bearer(Role.VIEWER)).status_code == 403
    assert post(address, [], {}).status_code == 401
    assert post(address, [], headers).json() == {"accepted": 0, "duplicates": 0, "rejected": []}


@pytest.mark.django_db(transaction=True)
def test_marks__by_a_client_that_knows_the_document_alone__are_as_documented(live_server: Any) -> None:
    api = Documented(live_server.url, token=bearer(Role.OPERATOR)["Authorization"].split()[1])
    run = posted()
    for operation in ("telemetry_truths", "telemetry_judgements"):
        media = api.operation(operation).spec["requestBody"]["content"]["application/json"]
        row = media["example"][0] | {"pipeline_run_id": run}
        assert api.call(operation, body=[row]).body == {"accepted": 1, "duplicates": 0, "rejected": []}
