"""States, claims and what happens when a try fails."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connections

from kernel.errors import IllegalTransition, Unavailable
from llm.errors import ModelRefused, ModelUnavailable
from llm.offline.instructions import Grounding, read_instructions
from maas import pipeline, prompts
from maas.access import acting_for, as_service
from maas.claims import TAKEOVER_LIMIT, LeaseLost, claim, finish_stage
from maas.client import get_client
from maas.domain.lifecycle import ANALYSIS, RUN, RunStatus
from maas.models import SystemPrompt
from tests.maas import providers
from tests.maas.conftest import Remember, request_of
from tests.maas.models import FlakyModel

pytestmark = pytest.mark.django_db
TEXT = "I bought a red cello in Kazan."


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FlakyModel]:
    def install(task: str, failures: int, error: Exception) -> FlakyModel:
        model = FlakyModel(task=task, failures=failures, error=error)
        monkeypatch.setattr("maas.agents.asking.get_chat_model", lambda _name=None: model)
        monkeypatch.setattr(pipeline, "BACKOFF_SECONDS", 0.0)
        return model

    return install


def row(run_id: uuid.UUID, *names: str) -> tuple[Any, ...]:
    with as_service() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM pipeline_runs WHERE id = %s", [run_id])  # noqa: S608  own names
        values: tuple[Any, ...] = cursor.fetchone()
        return values


def test_states__of_the_mission__follow_each_other() -> None:
    steps = ["NEW", "ANALYZING", "ANALYZED", "ASSEMBLING", "READY", "RESPONDING", "COMPLETED"]
    assert [RunStatus(step) for step in steps] + [RunStatus.FAILED] == list(RunStatus)
    for source, target in itertools.pairwise(steps):
        RUN.check(RunStatus(source), RunStatus(target))
        RUN.check(RunStatus(source), RunStatus.FAILED)
    with pytest.raises(IllegalTransition):
        RUN.check(RunStatus.NEW, RunStatus.READY)


def test_status__unknown__is_refused_by_the_database(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    with pytest.raises(IntegrityError, match="run_status_is_known"), as_service() as cursor:
        cursor.execute("UPDATE pipeline_runs SET status = 'DREAMING' WHERE id = %s", [run_id])


def test_claim__held_run__is_not_to_be_had(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    assert claim(run_id, anna) is not None
    assert claim(run_id, anna) is None


def test_claim__later_run_of_the_same_user__waits(anna: uuid.UUID, boris: uuid.UUID) -> None:
    first, second = (get_client().submit(request_of(anna, TEXT)) for _ in range(2))
    others = get_client().submit(request_of(boris, TEXT))
    assert claim(second, anna) is None
    assert claim(first, anna) is not None
    assert claim(second, anna) is None
    assert claim(others, boris) is not None


def test_claim__evaluations_of_one_user__do_not_wait_for_each_other(anna: uuid.UUID) -> None:
    runs = [get_client().submit(request_of(anna, TEXT, mode="evaluation")) for _ in range(2)]
    assert all(claim(run_id, anna) for run_id in reversed(runs))


def test_finish__after_another_took_over__writes_nothing(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    slow = claim(run_id, anna)
    with as_service() as cursor:
        cursor.execute("UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s'")
    assert claim(run_id, anna) is not None
    assert slow is not None
    with pytest.raises(LeaseLost):
        finish_stage(slow, ANALYSIS, {"keywords": ["mine"]})
    assert row(run_id, "status", "keywords") == ("ANALYZING", None)


def test_takeover__again_and_again__ends_as_failed(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    claim(run_id, anna)
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s', retry_count = %s",
            [TAKEOVER_LIMIT],
        )
    answer = get_client().wait(run_id, user_id=anna, timeout=5)
    assert answer.status == "FAILED"
    assert "lost workers" in (answer.error or "")


@pytest.mark.parametrize("task", ["keywords", "answer", "summary"])
def test_stage__fails_twice__succeeds_at_the_third_try(
    task: str, anna: uuid.UUID, flaky: Callable[..., FlakyModel]
) -> None:
    model = flaky(task, 2, ModelUnavailable("busy"))
    answer = get_client().ask(request_of(anna, TEXT))
    assert (answer.status, model.calls) == ("COMPLETED", 3)
    assert answer.memory_id is not None
    assert row(answer.run_id, "retry_count") == (2,)


@pytest.mark.parametrize("task", ["keywords", "answer"])
def test_stage__fails_three_times__the_run_is_failed_with_its_reason(
    task: str, anna: uuid.UUID, flaky: Callable[..., FlakyModel]
) -> None:
    flaky(task, 99, ModelUnavailable("busy"))
    answer = get_client().ask(request_of(anna, TEXT))
    assert (answer.status, answer.error, answer.answer) == ("FAILED", "busy", None)
    assert row(answer.run_id, "error_type", "retry_count", "memory_id") == ("ModelUnavailable", 2, None)
    with acting_for(anna) as cursor:
        cursor.execute("SELECT log_data FROM raw_logs WHERE log_type = 'ERROR'")
        assert json.loads(cursor.fetchone()[0])["message"] == "busy"


def test_stage__refused_by_the_model__is_not_tried_again(anna: uuid.UUID, flaky: Callable[..., FlakyModel]) -> None:
    model = flaky("answer", 99, ModelRefused("no such model"))
    assert get_client().ask(request_of(anna, TEXT)).status == "FAILED"
    assert model.calls == 1


def test_archive__fails_for_good__the_answer_stands_and_the_next_run_goes_on(
    anna: uuid.UUID, flaky: Callable[..., FlakyModel]
) -> None:
    flaky("summary", 3, ModelUnavailable("busy"))
    first = get_client().ask(request_of(anna, TEXT))
    assert (first.status, first.memory_id) == ("COMPLETED", None)
    assert row(first.run_id, "error_message") == ("not archived: busy",)
    assert get_client().ask(request_of(anna, TEXT)).memory_id is not None


def test_failed_run__does_not_hold_up_the_next(anna: uuid.UUID, flaky: Callable[..., FlakyModel]) -> None:
    flaky("answer", 3, ModelUnavailable("busy"))
    assert get_client().ask(request_of(anna, TEXT)).status == "FAILED"
    assert get_client().ask(request_of(anna, TEXT)).status == "COMPLETED"


def test_prompt__version_not_registered__fails_the_run(anna: uuid.UUID, use_parameters: Callable[..., None]) -> None:
    use_parameters(**{"prompts.responder": "v99"})
    answer = get_client().ask(request_of(anna, TEXT))
    assert answer.status == "FAILED"
    assert "v99" in (answer.error or "")


def test_provider__fails__production_goes_on_with_the_last_good_values(
    anna: uuid.UUID, use_parameters: Callable[..., None]
) -> None:
    use_parameters(version=11)
    get_client().ask(request_of(anna, TEXT))
    providers.error = RuntimeError("the database is away")
    assert get_client().ask(request_of(anna, TEXT)).parameter_version == 11


def test_provider__fails_for_an_experiments_arm__the_run_fails(
    anna: uuid.UUID, use_parameters: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BACKOFF_SECONDS", 0.0)
    use_parameters(version=11)
    get_client().ask(request_of(anna, TEXT))
    providers.error = Unavailable("the database is away")
    answer = get_client().ask(request_of(anna, TEXT, experiment="e1", variant="b"))
    assert answer.status == "FAILED"


def test_prompts__of_the_responder__demand_more_grounding_with_each_version() -> None:
    demands = [read_instructions(prompts.template("responder", version)).grounding for version in ("v1", "v2", "v3")]
    assert demands == [Grounding.FREE, Grounding.GROUNDED, Grounding.STRICT]


@pytest.mark.parametrize(("role", "brief"), [("responder", "v4"), ("analyzer", "v3")])
def test_prompts__brief__demand_what_the_first_version_does_in_at_most_two_thirds_of_its_words(
    role: str, brief: str
) -> None:
    first, short = prompts.template(role, "v1"), prompts.template(role, brief)
    assert read_instructions(short) == read_instructions(first)
    assert len(short.split()) <= len(first.split()) * 2 / 3


def test_prompts__seeded_again__leave_an_edited_one_alone() -> None:
    from maas.prompts.seed import SEEDS, prompts_seed

    with as_service() as cursor:
        cursor.execute("UPDATE system_prompts SET template = 'mine' WHERE role = 'analyzer' AND version = 'v1'")
        cursor.execute("SET LOCAL ROLE maas_service")
        prompts_seed(using="maas")
    assert SystemPrompt.objects.count() == len(SEEDS)
    assert SystemPrompt.objects.get(role="analyzer", version="v1").template == "mine"


@pytest.mark.django_db(transaction=True)
def test_channel__each_change_of_status__is_announced(anna: uuid.UUID, remember: Remember) -> None:
    parameters = connections["maas"].get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute("LISTEN pipeline_events")
        answer = get_client().ask(request_of(anna, TEXT))
        heard = [json.loads(notice.payload) for notice in listener.notifies(timeout=2, stop_after=8)]
    assert {item["id"] for item in heard} == {str(answer.run_id)}
    assert [(item["status"], item["operation"]) for item in heard] == [
        ("NEW", "INSERT"),
        ("ANALYZING", "UPDATE"),
        ("ANALYZED", "UPDATE"),
        ("ASSEMBLING", "UPDATE"),
        ("READY", "UPDATE"),
        ("RESPONDING", "UPDATE"),
        ("COMPLETED", "UPDATE"),
        ("COMPLETED", "SETTLED"),
    ]
