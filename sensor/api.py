# ruff: noqa: ARG001 - ninja calls every route with `request`
"""What the Sensor has recorded, and how late."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate

from sensor import selectors
from sensor.models import SensorEvent

router = Router(tags=["telemetry"])


class LagOut(Schema):
    runs: int
    p50_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None
    newest_seconds: float | None


class TelemetryStatus(Schema):
    counts: dict[str, int]
    """Recorded runs by status, and `total`."""
    lag: LagOut


class RecordedRun(Schema):
    pipeline_run_id: uuid.UUID
    user_id: uuid.UUID
    client_kind: str
    mode: str
    experiment: str | None
    variant: str | None
    split: str | None
    category: str | None
    query: str
    answer: str | None
    found_ids: list[uuid.UUID]
    expected_ids: list[uuid.UUID] | None
    status: str
    error_type: str | None
    parameter_version: int | None
    latency_ms: float
    total_cost_usd: float | None
    context_utilized: bool | None
    hallucination_detected: bool | None
    feedback_score: int | None
    feedback_at: datetime | None
    consent: bool
    started_at: datetime
    ended_at: datetime
    captured_at: datetime


@router.get("/telemetry/status", response=TelemetryStatus, summary="How many runs are recorded, and how late")
def status(request: HttpRequest, since: datetime | None = None) -> dict[str, Any]:
    return {"counts": selectors.counts(), "lag": selectors.capture_lag(since=since)}


@router.get("/telemetry/runs", response=list[RecordedRun], summary="Recorded runs, newest first")
@paginate
def runs(
    request: HttpRequest,
    batch: str | None = None,
    experiment: str | None = None,
    variant: str | None = None,
    split: str | None = None,
) -> QuerySet[SensorEvent]:
    """The golden set's questions are not shown: whoever tunes must not learn them."""
    found = selectors.events(batch=batch, experiment=experiment, variant=variant, split=split)
    return found.exclude(split="golden").order_by("-started_at", "id")
