"""How `POST /telemetry` reads its body and what it answers: a list of rows, each of which is checked by itself."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest
from ninja import Schema
from ninja.errors import HttpError
from pydantic import BaseModel, Field

from contracts.telemetry import ExternalJudgement, ExternalRun, ExternalTruth
from kernel.errors import InvalidInput
from sensor.services.ingest import MOST_AT_ONCE

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes. Django's own limit is lower, and holds for bodies that it reads itself."""

EXAMPLE: list[dict[str, Any]] = [
    {
        "event_id": "0f6dbd0e-5c1f-4b52-9a44-1f6e5f1f0a01",
        "pipeline_run_id": "6a2f0d53-0a0c-4f0e-8a35-7f0d2c6b9e02",
        "user_id": "7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10",
        "client_kind": "user",
        "parameter_version": 3,
        "query": "Where does my sister live?",
        "keywords": ["sister", "live"],
        "context": "MEMORIES: My sister Clara lives in Lisbon.",
        "context_tokens": 12,
        "found": [
            {
                "id": "3f1c2a90-6a51-4f0e-9a6b-0b6a2f5d7c11",
                "score": 0.91,
                "user_id": "7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10",
                "created_at": "2026-10-02T08:00:00Z",
                "tags": ["sister", "lisbon"],
            }
        ],
        "used_ids": ["3f1c2a90-6a51-4f0e-9a6b-0b6a2f5d7c11"],
        "status": "COMPLETED",
        "answer": "Your sister lives in Lisbon.",
        "started_at": "2026-11-20T10:00:00Z",
        "ended_at": "2026-11-20T10:00:00.820Z",
        "stages": {"analyzer": 12.5, "assembler": 40.1, "responder": 730.0, "archivist": 31.2},
        "latency_ms": 790.4,
        "model": "gpt-5-mini",
        "prompt_tokens": 310,
        "completion_tokens": 18,
        "cost_usd": 0.00021,
    }
]


TRUTH_EXAMPLE: list[dict[str, Any]] = [
    {
        "pipeline_run_id": "6a2f0d53-0a0c-4f0e-8a35-7f0d2c6b9e02",
        "example_id": "sister-1",
        "batch": "2026-11-20",
        "dataset": "support",
        "should_retrieve": True,
        "expected_memory_ids": ["3f1c2a90-6a51-4f0e-9a6b-0b6a2f5d7c11"],
        "key_facts": ["Lisbon"],
    }
]
JUDGEMENT_EXAMPLE: list[dict[str, Any]] = [
    {
        "pipeline_run_id": "6a2f0d53-0a0c-4f0e-8a35-7f0d2c6b9e02",
        "judge_version": "support-judge-3",
        "context_utilized": True,
        "hallucination_detected": False,
        "reasons": ["the memory says Lisbon"],
    }
]


class FaultOut(Schema):
    field: str = Field(description="Its place in the row, e.g. `found.0.score`; empty for the row as a whole.")
    message: str


class RejectedOut(Schema):
    index: int = Field(description="The row's place in the list, from 0.")
    event_id: str | None = Field(description="As it was given; null when it was no text.")
    errors: list[FaultOut] = Field(description="What is wrong with it; at most ten.")


class IngestOut(Schema):
    """What became of the rows; the three add up to their number."""

    accepted: int = Field(description="Recorded now.")
    duplicates: int = Field(description="Recorded before, or said twice in this request: nothing was written.")
    rejected: list[RejectedOut] = Field(description="Not taken; those beside them were.")


class RejectedMarkOut(Schema):
    index: int = Field(description="The row's place in the list, from 0.")
    run_id: str | None = Field(description="`pipeline_run_id` as it was given; null when it was no text.")
    errors: list[FaultOut] = Field(description="What is wrong with it; at most ten.")


class MarksOut(Schema):
    """What became of the rows; the three add up to their number."""

    accepted: int = Field(description="Recorded now; of a truth also one that replaced another.")
    duplicates: int = Field(description="Known already, or said twice in this request: nothing was written.")
    rejected: list[RejectedMarkOut] = Field(description="Not taken; those beside them were.")


def rows_read(request: HttpRequest) -> list[Any]:
    """The rows of the body, whatever they are. Raises `HttpError` 400, 413 or 415, `InvalidInput` for no list."""
    if request.content_type != "application/json":
        raise HttpError(415, "the body has to be application/json")
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise HttpError(413, f"the body is larger than {LARGEST_BODY} bytes; send fewer events at once")
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"the body is no JSON: {_said(error)}") from error
    if not isinstance(rows, list):
        raise InvalidInput("the body has to be a list of events", details={"field": "body"})
    return rows


def _said(error: Exception) -> str:
    """Without the text that could not be read."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it cannot be read"


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references of its own, so that it may stand anywhere in the document."""
    parts = schema.pop("$defs", {})

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return placed(parts[value["$ref"].rsplit("/", 1)[1]])
        return {name: placed(each) for name, each in value.items()}

    return cast(dict[str, Any], placed(schema))


def _refusal(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}


def _documented(row: type[BaseModel], title: str, example: list[dict[str, Any]]) -> dict[str, Any]:
    """What the document says of a route that takes a list of such rows."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "array",
                        "maxItems": MOST_AT_ONCE,
                        "items": _inlined(row.model_json_schema()),
                        "title": title,
                    },
                    "example": example,
                }
            },
        },
        "responses": {
            "413": _refusal("The body is larger than 10 MB"),
            "415": _refusal("The body is not `application/json`"),
            "422": {"description": f"The body is no list, or has more than {MOST_AT_ONCE} rows. Bad rows are not "
                    "refused with this, but returned in `rejected`"},
        },
        "x-never": ["404", "409"],
    }  # fmt: skip


DOCUMENTED = _documented(ExternalRun, "Events", EXAMPLE)
TRUTHS_DOCUMENTED = _documented(ExternalTruth, "Truths", TRUTH_EXAMPLE)
JUDGEMENTS_DOCUMENTED = _documented(ExternalJudgement, "Judgements", JUDGEMENT_EXAMPLE)
