"""The policy says which judge judges: audited, refused where there is none, and carried into passes and experiments."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from kernel.errors import InvalidInput, NotAuthorised
from manager.services.judging import judging_current
from manager.services.policy import policy_change, policy_current
from sensor.models import LedgerEntry, SensorEvent
from teacher.judges import JUDGE_VERSION, Judging, judge_in_force
from teacher.judges.questions import version_of
from tests.manager.world import ALICE
from tests.teacher.events import BATCH, event, store
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db

MODEL = "judge-model"
CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n## Question\nWhere does Anna live?"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[JudgeServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", MODEL
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "k", running.url
        yield running


def run(answer: str) -> SensorEvent:
    (row,) = store(event("a", "a", answer=answer, context=CONTEXT))
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)
    return row


def told(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("judge", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_policy__at_first__is_the_offline_judge() -> None:
    assert judging_current() == Judging(judge="offline", sample_per_batch=400, usd_per_batch=1.0)


@pytest.mark.usefixtures("server")
def test_policy__changed_to_a_model__is_audited_and_in_force() -> None:
    policy_change(actor=ALICE, reason="rules miss paraphrases", judge="llm", judge_sample_per_batch=60,
                  judge_usd_per_batch=0.5)  # fmt: skip

    assert judging_current() == Judging(judge="llm", sample_per_batch=60, usd_per_batch=0.5)
    entry = AuditEntry.objects.get(action="policy.changed")
    assert ((entry.before or {})["judge"], (entry.after or {})["judge"]) == ("offline", "llm")
    assert entry.reason == "rules miss paraphrases"


def test_policy__model_where_none_is_configured__is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="set SELFLEARN_LLM=openai, SELFLEARN_JUDGE_MODEL"):
        policy_change(actor=ALICE, reason="why not", judge="llm")

    assert policy_current().judge == "offline"


@pytest.mark.parametrize("wrong", [{"judge": "oracle"}, {"judge_usd_per_batch": -1.0}, {"judge_sample_per_batch": -1}])
def test_policy__value_that_makes_no_sense__is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        policy_change(actor=ALICE, reason="why not", **wrong)


def test_policy__by_an_operator__is_refused() -> None:
    with pytest.raises(NotAuthorised):
        policy_change(actor=Actor(kind="person", name="bob", role=Role.OPERATOR), reason="r", judge="offline")


def test_command__offline__judges_everything_for_nothing() -> None:
    run("Anna moved to Kazan.")

    (found,) = told(BATCH)["judgings"]

    assert found == {
        "batch": BATCH, "judge_version": JUDGE_VERSION, "repeat": 0, "in_force": True, "runs": 1, "chosen": 1,
        "judged": 1, "missing": 0, "calls": 0, "cached": 0, "stopped": "", "cost_usd": 0.0,
    }  # fmt: skip


def test_command__without_a_batch__lists_what_was_judged_and_judges_nothing() -> None:
    run("Anna moved to Kazan.")
    assert told() == {"judgings": []}

    told(BATCH)

    assert [(row["batch"], row["judged"]) for row in told()["judgings"]] == [(BATCH, 1)]


@pytest.mark.usefixtures("server")
def test_command__policy_of_a_model_with_repeats__tells_price_and_steadiness() -> None:
    policy_change(actor=ALICE, reason="try it", judge="llm")
    run("Anna moved to Kazan.")
    run("Anna lives in Lisbon.")

    found = told(BATCH, "--repeats", "2")

    assert [(row["repeat"], row["in_force"], row["judged"], row["calls"]) for row in found["judgings"]] == [
        (0, True, 2, 4), (1, False, 2, 4), (2, False, 2, 4),
    ]  # fmt: skip
    assert all(row["cost_usd"] > 0 for row in found["judgings"])
    assert found["steadiness"]["equal"]["hallucination_detected"] == 1.0
    assert found["steadiness"]["pairs"]["hallucination_detected"] == 6
    assert judge_in_force(BATCH) == version_of(MODEL)


def test_command__model_that_is_gone__ends_with_what_to_do(server: JudgeServer, settings: Settings) -> None:
    policy_change(actor=ALICE, reason="try it", judge="llm")
    settings.SELFLEARN_LLM = "offline"

    with pytest.raises(CommandError, match="or set the policy's judge to offline"):
        told(BATCH)
