# ruff: noqa: ARG001 - ninja calls every route with `request`
"""What the Sensor has recorded, and how late."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from contracts.doors import actor_of
from sensor import selectors
from sensor.dashboard import hit_rate_by_day, stage_latency
from sensor.domain.external import IngestReport
from sensor.domain.external_marks import MarksReport
from sensor.intake import (
    DOCUMENTED,
    JUDGEMENTS_DOCUMENTED,
    TRUTHS_DOCUMENTED,
    IngestOut,
    MarksOut,
    rows_read,
)
from sensor.models import SensorEvent
from sensor.outputs import (
    HitRateDayOut,
    LatencyOut,
    MetricPointsOut,
    TelemetryStatus,
    hit_rate_out,
    latency_out,
    points_out,
)
from sensor.question import DEFAULT_SPAN, answer, moment_of, question_of
from sensor.services.ingest import telemetry_receive
from sensor.services.posted_marks import judgements_receive, truths_receive
from sensor.standing import cursors, lag_since, recorded_counts, waiting
from sensor.storage import storage_state

router = Router(tags=["telemetry"])


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
    """Lag is that of the runs that ended since then (a day ago), from rollups: percentiles and maximum in ± 0.5 %."""
    left = waiting()
    start = moment_of("since", since) if since else timezone.now() - DEFAULT_SPAN
    return {
        "counts": recorded_counts().by_status(),
        "lag": lag_since(start),
        "waiting": left,
        "cursors": cursors(left=left),
        "storage": storage_state(),
    }


@router.get("/telemetry/latency", response=LatencyOut, summary="P50 and P95 by stage over the last minutes")
def latency(request: HttpRequest, minutes: Annotated[int, Query(ge=1, le=2879)] = 60) -> dict[str, Any]:
    """Percentiles in ± 0.5 %."""
    until = timezone.now()
    since = until - timedelta(minutes=minutes)
    return latency_out(stage_latency(since, until), since=since, until=until)


@router.get("/telemetry/hit-rate", response=list[HitRateDayOut], summary="Hit rate by day")
def hit_rate(request: HttpRequest, days: Annotated[int, Query(ge=1, le=3660)] = 30) -> list[dict[str, Any]]:
    """Days of UTC that have rows, today the last; earliest first."""
    today = timezone.now().astimezone(UTC).date()
    return hit_rate_out(hit_rate_by_day(today - timedelta(days=days - 1), today))


@router.get("/telemetry/metrics", response=MetricPointsOut, summary="A metric over time")
def metric_points(
    request: HttpRequest,
    by: Annotated[list[str], Query(default_factory=list)],
    metric: str = "runs",
    grain: str = "hour",
    since: datetime | None = None,
    until: datetime | None = None,
    stage: str | None = None,
) -> dict[str, Any]:
    """From `since` (a day before `until`) to before `until` (now), by hours or days of UTC that have values.

    `by`, given several times or with commas, splits by up to three of variant, category, parameter_version, experiment,
    client_kind, cycle_type, split. `stage`: of one stage, else of whole runs. Percentiles, where there are, in ± 0.5 %.
    """
    splits = [name.strip() for text in by for name in text.split(",") if name.strip()]
    question = question_of(metric=metric, grain=grain, since=since, until=until, by=splits, stage=stage)
    return points_out(question, answer(question))


@router.get("/telemetry/runs", response=list[RecordedRun], summary="Recorded runs, newest first")
@paginate(sort=("captured_at",))
def runs(
    request: HttpRequest,
    batch: str | None = None,
    experiment: str | None = None,
    variant: str | None = None,
    split: str | None = None,
    category: str | None = None,
    status: str | None = None,
    parameter_version: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    user_id: uuid.UUID | None = None,
) -> QuerySet[SensorEvent]:
    """By when they were recorded. The golden set's questions are not shown: whoever tunes must not learn them."""
    found = selectors.events(batch=batch, experiment=experiment, variant=variant, split=split)
    wanted = {"category": category, "status": status, "parameter_version": parameter_version, "user_id": user_id}
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    return found.exclude(split="golden").order_by("-captured_at", "id")


@router.post(
    "/telemetry",
    response=IngestOut,
    operation_id="telemetry_ingest",
    summary="Record runs of a memory service that runs elsewhere",
    openapi_extra=DOCUMENTED,
)
def ingest(request: HttpRequest) -> IngestReport:
    """Needs the role operator. A list of at most 1,000 finished runs, 10 MB in all; each row is checked by itself.

    Idempotent by `event_id`: what was recorded first stands, and the same event sent again writes nothing, so a request
    that was not answered may be sent again as it is. An event id that was given to another run is refused, and so is a
    run that is recorded already without this event.
    """
    return telemetry_receive(rows=rows_read(request), actor=actor_of(request))


@router.post(
    "/telemetry/truths",
    response=MarksOut,
    operation_id="telemetry_truths",
    summary="Say what posted runs should have found and said",
    openapi_extra=TRUTHS_DOCUMENTED,
)
def truths(request: HttpRequest) -> MarksReport:
    """Needs the role operator. A list of at most 1,000 rows on runs that were posted before; each is checked by itself.

    The same row again writes nothing, another one for a run replaces that before. Runs of the memory service that is
    tuned here are not marked from outside, and the golden set takes no rows.
    """
    return truths_receive(rows=rows_read(request), actor=actor_of(request))


@router.post(
    "/telemetry/judgements",
    response=MarksOut,
    operation_id="telemetry_judgements",
    summary="Say how a judge elsewhere marked posted runs",
    openapi_extra=JUDGEMENTS_DOCUMENTED,
)
def judgements(request: HttpRequest) -> MarksReport:
    """Needs the role operator. A list of at most 1,000 rows on runs that were posted before; each is checked by itself.

    What a judge version said first of a run stands. The latest that says something is shown on the run.
    """
    return judgements_receive(rows=rows_read(request), actor=actor_of(request))
