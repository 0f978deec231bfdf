"""What others read of the Sensor: recorded runs, how many, and how late they were recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet

from sensor.domain.report import LagReport
from sensor.models import SensorEvent, TelemetryEvent

_LAG = """
SELECT count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), percentile_cont(0.95) WITHIN GROUP (ORDER BY lag), max(lag),
       (array_agg(lag ORDER BY captured_at DESC))[1]
FROM (
  SELECT captured_at, extract(epoch FROM greatest(captured_at - ended_at, interval '0'))::float8 AS lag
  FROM public.sensor_events WHERE captured_at >= coalesce(%s, '-infinity'::timestamptz)
) AS recent
"""


def _narrowed(**wanted: str | None) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}


def events(
    *, batch: str | None = None, experiment: str | None = None, split: str | None = None, variant: str | None = None
) -> QuerySet[SensorEvent]:
    """Recorded runs, narrowed by what is given."""
    return SensorEvent.objects.filter(**_narrowed(batch=batch, experiment=experiment, split=split, variant=variant))


def telemetry(*, experiment: str | None = None, variant: str | None = None) -> QuerySet[TelemetryEvent]:
    """Recorded stages, narrowed by what is given."""
    return TelemetryEvent.objects.filter(**_narrowed(experiment=experiment, variant=variant))


def counts(
    *, batch: str | None = None, experiment: str | None = None, split: str | None = None, variant: str | None = None
) -> dict[str, int]:
    """Number of recorded runs by status, and `total`."""
    chosen = events(batch=batch, experiment=experiment, split=split, variant=variant)
    by_status = {row["status"]: row["runs"] for row in chosen.values("status").annotate(runs=Count("*")).order_by()}
    return {**by_status, "total": sum(by_status.values())}


def capture_lag(*, since: datetime | None = None) -> LagReport:
    """How long after their end runs were recorded, over those recorded since then (all, when None)."""
    with connection.cursor() as cursor:
        cursor.execute(_LAG, [since])
        row: tuple[Any, ...] = cursor.fetchone()
    return LagReport(runs=row[0], p50_seconds=row[1], p95_seconds=row[2], max_seconds=row[3], newest_seconds=row[4])
