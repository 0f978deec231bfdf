"""What others read of the Sensor: recorded runs, how many, and how late they were recorded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet

from kernel.canonical import stable_fraction
from sensor.domain.masking import mask
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

_REAL: dict[str, Any] = {
    "consent": True,
    "client_kind": "user",
    "cycle_type": "online",
    "mode": "dialogue",
    "experiment__isnull": True,
    "status": "COMPLETED",
}
"""An answered exchange of a real user in production who lets it be learnt from."""

POOL = 2000
"""Consented exchanges, newest first, among which questions are drawn."""


@dataclass(frozen=True, slots=True)
class ConsentedQuestion:
    """What a real user asked and lets be learnt from. `query` is masked; `run_id` is the run that answered it."""

    run_id: uuid.UUID
    user_id: uuid.UUID
    query: str
    asked_at: datetime


def _narrowed(**wanted: str | None) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}


def events(
    *,
    batch: str | None = None,
    experiment: str | None = None,
    split: str | None = None,
    variant: str | None = None,
    golden: bool = False,
) -> QuerySet[SensorEvent]:
    """Recorded runs, narrowed by what is given. Golden ones only for who says so: the judge and counts."""
    found = SensorEvent.objects.filter(**_narrowed(batch=batch, experiment=experiment, split=split, variant=variant))
    return found if golden else found.exclude(split="golden")


def telemetry(*, experiment: str | None = None, variant: str | None = None) -> QuerySet[TelemetryEvent]:
    """Recorded stages, narrowed by what is given."""
    return TelemetryEvent.objects.filter(**_narrowed(experiment=experiment, variant=variant))


def counts(
    *, batch: str | None = None, experiment: str | None = None, split: str | None = None, variant: str | None = None
) -> dict[str, int]:
    """Number of recorded runs by status, and `total`."""
    chosen = events(batch=batch, experiment=experiment, split=split, variant=variant, golden=True)
    by_status = {row["status"]: row["runs"] for row in chosen.values("status").annotate(runs=Count("*")).order_by()}
    return {**by_status, "total": sum(by_status.values())}


def capture_lag(*, since: datetime | None = None) -> LagReport:
    """How long after their end runs were recorded, over those recorded since then (all, when None)."""
    with connection.cursor() as cursor:
        cursor.execute(_LAG, [since])
        row: tuple[Any, ...] = cursor.fetchone()
    return LagReport(runs=row[0], p50_seconds=row[1], p95_seconds=row[2], max_seconds=row[3], newest_seconds=row[4])


@dataclass(frozen=True, slots=True)
class RunUsage:
    """What a recorded run took: tokens in and out, US dollars."""

    run_id: uuid.UUID
    tokens: int
    cost_usd: Decimal


def runs_usage(*, run_ids: Sequence[uuid.UUID]) -> list[RunUsage]:
    """What those of these runs took that are recorded, golden ones too; what was not told counts as 0."""
    rows = SensorEvent.objects.filter(pipeline_run_id__in=run_ids).values_list(
        "pipeline_run_id", "prompt_tokens", "completion_tokens", "total_cost_usd"
    )
    return [RunUsage(run, (prompt or 0) + (answer or 0), cost or Decimal(0)) for run, prompt, answer, cost in rows]


@dataclass(frozen=True, slots=True)
class ConsentedExchange:
    """What a real user asked and was answered, both masked, and lets be learnt from."""

    run_id: uuid.UUID
    user_id: uuid.UUID
    query: str
    answer: str
    asked_at: datetime


def consented_exchanges(*, limit: int = 50, run_id: uuid.UUID | None = None) -> list[ConsentedExchange]:
    """Answered exchanges of real users in production whose consent stands, newest first; or the one that is named."""
    rows = SensorEvent.objects.filter(**_REAL).order_by("-started_at", "pipeline_run_id")
    if run_id is not None:
        rows = rows.filter(pipeline_run_id=run_id)
    return [
        ConsentedExchange(
            run_id=row.pipeline_run_id,
            user_id=row.user_id,
            query=mask(row.query).text,
            answer=mask(row.answer or "").text,
            asked_at=row.asked_at,
        )
        for row in rows[:limit]
    ]


def consent_withdrawn(*, run_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the runs whose person does not let them be learnt from, or that are not recorded (any more)."""
    if not run_ids:
        return set()
    standing = SensorEvent.objects.filter(pipeline_run_id__in=run_ids, consent=True)
    return set(run_ids) - set(standing.values_list("pipeline_run_id", flat=True))


def consented_questions(
    *,
    since: datetime,
    until: datetime,
    limit: int,
    seed: int,
    asks: Callable[[str], bool] = bool,
    without: Collection[uuid.UUID] = (),
) -> list[ConsentedQuestion]:
    """Questions of real users in production whose consent stands, answered from `since` to before `until`.

    At most `limit`: `seed` draws them from the newest, and the same rows give the same draw. Newest first. `asks`
    tells which (masked) texts are wanted; the runs `without` are never drawn. Texts are masked once
    more here, so that a Sensor that was told to keep them as they are gives none away.
    """
    if limit <= 0:
        return []
    rows = (
        SensorEvent.objects.filter(
            **_REAL,
            started_at__gte=since,
            ended_at__lt=until,
        )
        .exclude(pipeline_run_id__in=without)
        .order_by("-started_at", "pipeline_run_id")
    )
    found = [
        ConsentedQuestion(run_id=run_id, user_id=user_id, query=mask(query).text, asked_at=asked_at)
        for run_id, user_id, query, asked_at in rows.values_list("pipeline_run_id", "user_id", "query", "asked_at")[
            :POOL
        ]
    ]
    wanted = [item for item in found if asks(item.query)]
    drawn = {item.run_id for item in sorted(wanted, key=lambda item: stable_fraction(seed, str(item.run_id)))[:limit]}
    return [item for item in wanted if item.run_id in drawn]
