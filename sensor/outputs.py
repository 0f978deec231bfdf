"""The shapes in which the API tells of what is recorded: of dashboards, and how recording stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema

from sensor.dashboard import HitRateDay, Point, StageLatency
from sensor.domain.rolled import Unit
from sensor.question import Question


class LagOut(Schema):
    runs: int
    p50_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None
    newest_seconds: float | None


class CursorOut(Schema):
    name: str
    position: datetime | None
    """Up to here its source is recorded, by the student's clock."""
    moved_at: datetime | None
    state: Literal["current", "stalled", "unread"]


class WaitingOut(Schema):
    runs: int
    """Settled and not recorded yet; 1000 stands for 1000 or more."""
    since: datetime | None


class StorageOut(Schema):
    missing: list[str]
    """Months ahead that have no partition yet, as `table YYYY-MM`."""
    stray: dict[str, int]
    """Rows that lie outside all months, by table; maintenance moves them."""
    recorded_from: datetime | None
    """Runs that started before are not recorded any more, since retention has removed that time; null: all are."""
    concerns: list[str]
    """What somebody must look at, in sentences; empty when all is well."""


class TelemetryStatus(Schema):
    counts: dict[str, int]
    """Recorded runs by status, and `total`; those that retention took away are counted."""
    lag: LagOut
    waiting: WaitingOut
    cursors: list[CursorOut]
    storage: StorageOut


class StageLatencyOut(Schema):
    stage: str
    n: int
    mean_ms: float
    p50_ms: float | None
    p95_ms: float | None


class LatencyOut(Schema):
    since: datetime
    until: datetime
    stages: list[StageLatencyOut]


class HitRateDayOut(Schema):
    day: date
    """Of UTC."""
    rows: int
    """Stage rows: one for each stage of each run."""
    known: int
    """Those of which it is known whether an expected memory was found."""
    hits: int
    rate: float | None


class PointOut(Schema):
    bucket: datetime
    dimensions: dict[str, str | int | None]
    """What the metric is split by; null: not told of these runs."""
    n: int
    total: float
    mean: float | None
    p50: float | None
    p95: float | None


class MetricPointsOut(Schema):
    metric: str
    title: str
    unit: Unit
    stage: str | None
    grain: Literal["hour", "day"]
    since: datetime
    until: datetime
    by: list[str]
    points: list[PointOut]


def latency_out(stages: list[StageLatency], *, since: datetime, until: datetime) -> dict[str, Any]:
    rows = [
        {"stage": row.stage, "n": row.n, "mean_ms": float(row.total) / row.n, "p50_ms": row.p50, "p95_ms": row.p95}
        for row in stages
    ]
    return {"since": since, "until": until, "stages": rows}


def hit_rate_out(days: list[HitRateDay]) -> list[dict[str, Any]]:
    return [{"day": row.day, "rows": row.rows, "known": row.known, "hits": row.hits, "rate": row.rate} for row in days]


def points_out(question: Question, points: list[Point]) -> dict[str, Any]:
    return {
        "metric": question.metric.name,
        "title": question.metric.title,
        "unit": question.metric.unit,
        "stage": question.stage,
        "grain": question.grain,
        "since": question.since,
        "until": question.until,
        "by": list(question.by),
        "points": [
            {
                "bucket": point.bucket,
                "dimensions": point.dimensions,
                "n": point.n,
                "total": float(point.total),
                "mean": point.mean,
                "p50": point.percentile(0.5),
                "p95": point.percentile(0.95),
            }
            for point in points
        ],
    }
