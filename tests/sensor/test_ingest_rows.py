"""What a row of a foreign MaaS may hold, and what is said of one that is wrong."""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.telemetry import ExternalRun
from sensor.domain.external import MOST_FAULTS, rows_check
from tests.sensor import foreign
from tests.sensor.foreign import STARTED

NOW = datetime.now(UTC)
MEMORY = foreign.found()


def fault(row: Any) -> tuple[str, str]:
    """Field and message of the one thing that is wrong."""
    checked = rows_check([row], now=NOW)
    assert not checked.good
    ((found,),) = (rejected.errors for rejected in checked.rejected)
    return found.field, found.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_id": "7"}, "event_id"),
        ({"event_id": None}, "event_id"),
        ({"pipeline_run_id": 7}, "pipeline_run_id"),
        ({"client_kind": "robot"}, "client_kind"),
        ({"mode": "x"}, "mode"),
        ({"cycle_type": "weekly"}, "cycle_type"),
        ({"schema_version": 2}, "schema_version"),
        ({"status": "READY"}, "status"),
        ({"answer": None}, "answer"),
        ({"query": ""}, "query"),
        ({"query": " \n"}, "query"),
        ({"query": "\x00"}, "query"),
        ({"query": "x" * 20_001}, "query"),
        ({"query": "half \ud800"}, "query"),
        ({"answer": "x" * 200_001}, "answer"),
        ({"keywords": "sister"}, "keywords"),
        ({"keywords": ["a", 7]}, "keywords.1"),
        ({"keywords": ["a\x00"]}, "keywords.0"),
        ({"experiment": ""}, "experiment"),
        ({"experiment": "a\x00b"}, "experiment"),
        ({"variant": "x" * 51}, "variant"),
        ({"error_type": "x" * 101}, "error_type"),
        ({"model": "half \ud800"}, "model"),
        ({"retry_count": -1}, "retry_count"),
        ({"retry_count": True}, "retry_count"),
        ({"retry_count": 2**31}, "retry_count"),
        ({"prompt_tokens": 1.5}, "prompt_tokens"),
        ({"parameter_version": "3"}, "parameter_version"),
        ({"seed": 2**63}, "seed"),
        ({"cost_usd": -0.01}, "cost_usd"),
        ({"cost_usd": math.nan}, "cost_usd"),
        ({"cost_usd": 10**7}, "cost_usd"),
        ({"latency_ms": math.inf}, "latency_ms"),
        ({"latency_ms": 10**400}, "latency_ms"),
        ({"latency_ms": "12"}, "latency_ms"),
        ({"stages": {"analyzer": -1}}, "stages.analyzer"),
        ({"stages": {"analyzer": math.nan}}, "stages.analyzer"),
        ({"stages": {"thinker": 1}}, "stages.thinker"),
        ({"stages": [1, 2]}, "stages"),
        ({"found": [MEMORY, MEMORY]}, "found"),
        ({"found": [MEMORY | {"score": math.nan}]}, "found.0.score"),
        ({"found": [MEMORY | {"text": "x"}]}, "found.0.text"),
        ({"found": [MEMORY | {"created_at": "2026-01-01T00:00:00"}]}, "found.0.created_at"),
        ({"used_ids": [MEMORY["id"], MEMORY["id"]]}, "used_ids"),
        ({"feedback_score": 6}, "feedback_score"),
        ({"consent": "yes"}, "consent"),
        ({"consent": 1}, "consent"),
        ({"asked_at": 1_700_000_000}, "asked_at"),
        ({"asked_at": "1700000000"}, "asked_at"),
        ({"asked_at": "2026-01-01"}, "asked_at"),
        ({"asked_at": "0001-01-01T00:00:00Z"}, "asked_at"),
        ({"started_at": "2026-13-01T00:00:00Z"}, "started_at"),
        ({"ended_at": (STARTED - timedelta(microseconds=1)).isoformat()}, "ended_at"),
        ({"ended_at": (STARTED + timedelta(days=32)).isoformat()}, "ended_at"),
        ({"started_at": (NOW + timedelta(hours=23)).isoformat(), "ended_at": (NOW + timedelta(hours=25)).isoformat()},
         "ended_at"),
        ({"started_at": "2001-01-01T00:00:00Z", "ended_at": "2001-01-01T00:00:01Z"}, "started_at"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_row__that_breaks_one_rule__is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    assert fault(foreign.event(**change))[0] == field


@pytest.mark.parametrize(
    "name", ["event_id", "pipeline_run_id", "user_id", "client_kind", "query", "status", "started_at", "ended_at"]
)
def test_row__without_what_every_run_has__is_refused(name: str) -> None:
    assert fault(foreign.without(name)) == (name, "Field required")


@pytest.mark.parametrize("row", [None, 7, "text", [], [1]])
def test_row__that_is_no_object__is_refused_as_a_whole(row: Any) -> None:
    assert fault(row)[0] == ""


@pytest.mark.parametrize(
    ("change", "field", "kept"),
    [
        ({"answer": "a\x00b"}, "answer", "ab"),
        ({"query": "\x00why?"}, "query", "why?"),
        ({"latency_ms": 0}, "latency_ms", 0),
        ({"ended_at": STARTED.isoformat()}, "ended_at", STARTED),
        ({"started_at": STARTED.astimezone(timezone(timedelta(hours=5))).isoformat()}, "started_at", STARTED),
        ({"asked_at": "1999-12-31T23:59:59Z"}, "asked_at", datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ({"status": "FAILED", "answer": None}, "answer", None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_row__at_the_edge_of_a_rule__is_good(change: dict[str, Any], field: str, kept: Any) -> None:
    checked = rows_check([foreign.event(**change)], now=NOW)

    assert checked.rejected == []
    assert getattr(checked.good[0], field) == kept


def test_row__with_many_faults__names_ten_and_says_how_many_more() -> None:
    (rejected,) = rows_check([{f"x{n}": n for n in range(500)}], now=NOW).rejected

    assert len(rejected.errors) == MOST_FAULTS
    assert "more" in rejected.errors[-1].message


def test_row__with_a_field_of_a_monstrous_name__is_refused_in_few_words() -> None:
    field, _ = fault(foreign.event(**{"x" * 100_000: 1}))

    assert field == "x" * 99 + "…"


def test_row__with_half_a_character_in_a_fields_name__is_refused() -> None:
    field, message = fault(foreign.event(**{"half \ud800": 1}))

    assert (field + message).encode()


@pytest.mark.parametrize(("given", "said"), [("x" * 500, "x" * 63 + "…"), (7, None), ("\ud800", "?")])
def test_row__event_id_that_is_none__is_said_as_far_as_it_helps(given: Any, said: str | None) -> None:
    (rejected,) = rows_check([foreign.event(event_id=given)], now=NOW).rejected

    assert rejected.event_id == said


def test_row__refused__tells_nothing_of_what_was_said_in_it() -> None:
    secret = "my secret"
    row = foreign.event(query=secret * 5_000, answer=7, model=["my secret"], found=[{"id": secret}])

    assert "secret" not in str(rows_check([row], now=NOW).rejected)


def test_message__built_by_hand__is_good_as_it_is_and_frozen() -> None:
    message = ExternalRun.model_validate(foreign.event())

    assert rows_check([message], now=NOW).good == {0: message}
    with pytest.raises(ValidationError):
        message.query = "other"  # type: ignore[misc]  # that is what is tested


def test_message__there_and_back_as_json__is_the_same() -> None:
    message = ExternalRun.model_validate(foreign.event(found=[MEMORY], used_ids=[str(uuid.uuid4())], cost_usd=1e-7))

    assert ExternalRun.model_validate(json.loads(message.model_dump_json())) == message
