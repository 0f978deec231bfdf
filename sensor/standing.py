"""How recording stands: how much is recorded, how late, and whether anything waits. From rollups, not from all rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from sensor import student
from sensor.dashboard import Grain
from sensor.domain.report import LagReport
from sensor.domain.rollup import bin_value, percentiles
from sensor.models import CaptureCursor, LedgerEntry, SensorEvent
from sensor.services.rollups import MINUTES_KEPT

HOURS_READ = timedelta(days=90)
"""Further back, lag is added up from days."""
LOOKED_AT_MOST = 1000
"""Settled runs behind the cursor that are looked at; more than these are "at least so many"."""
QUIET = timedelta(seconds=60)
"""The Sensor looks every few seconds. A cursor that should have moved for this long stands still."""
SETTLED, LATE = "pipeline_runs", "pipeline_runs.late"

_COUNTS = """
SELECT metric, sum(n)::bigint, sum(total), coalesce(sum(n) FILTER (WHERE bucket >= %(today)s), 0)::bigint,
       coalesce(sum(total) FILTER (WHERE bucket >= %(today)s), 0)
FROM public.sensor_rollups_now
WHERE grain = 'day' AND metric = ANY (%(metrics)s) AND stage IS NULL GROUP BY metric
"""
_LAG = """
WITH chosen AS MATERIALIZED (
  SELECT n, histogram FROM public.sensor_rollups_now
  WHERE grain = %(grain)s AND metric = 'capture_lag_ms' AND stage IS NULL
    AND bucket >= date_trunc(%(grain)s, %(since)s::timestamptz, 'UTC')
)
SELECT NULL::bigint AS bin, coalesce(sum(n), 0)::bigint FROM chosen
UNION ALL
SELECT bin, sum(n)::bigint FROM (SELECT unnest(histogram[1:1]) AS bin, unnest(histogram[2:2]) AS n FROM chosen) AS every
GROUP BY bin
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCounts:
    """Runs ever recorded, those that retention took away included; `today` is the day of UTC.

    `isolation_violations`: runs that were shown a memory of another user, of `isolation_checked`.
    """

    total: int
    failed: int
    today: int
    failed_today: int
    isolation_checked: int
    isolation_violations: int

    @property
    def failed_share(self) -> float | None:
        return self.failed / self.total if self.total else None

    def by_status(self) -> dict[str, int]:
        """Those that are there, and `total`."""
        found = {"COMPLETED": self.total - self.failed, "FAILED": self.failed}
        return {**{name: number for name, number in found.items() if number}, "total": self.total}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Runs that are settled and not recorded yet. `since`: when the first of them ended. At most `LOOKED_AT_MOST`."""

    runs: int
    since: datetime | None

    @property
    def is_long(self) -> bool:
        return self.since is not None and timezone.now() - self.since > QUIET


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorState:
    """Up to which moment (`position`, of the student's clock) a source is recorded, and when that last moved.

    `unread`: nothing was read yet. `stalled`: it should have moved and did not.
    """

    name: str
    position: datetime | None
    moved_at: datetime | None
    state: Literal["current", "stalled", "unread"]


def recorded_counts() -> RecordedCounts:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"today": today, "metrics": ["runs", "error_rate", "isolation_violation"]})
        found: dict[str, list[int]] = {name: [int(value) for value in row] for name, *row in cursor.fetchall()}
    runs, errors, isolation = (found.get(name, [0] * 4) for name in ("runs", "error_rate", "isolation_violation"))
    return RecordedCounts(
        total=runs[0],
        failed=errors[1],
        today=runs[2],
        failed_today=errors[3],
        isolation_checked=isolation[0],
        isolation_violations=isolation[1],
    )


def lag_since(since: datetime) -> LagReport:
    """How long after their end runs were recorded, over those that ended since then; all but the newest in ± 0.5 %.

    By whole minutes, further back than two days by hours, further back than 90 days by days of UTC.
    `newest_seconds` is that of the run recorded last, whenever that was.
    """
    age = timezone.now() - since
    grain: Grain = "minute" if age < MINUTES_KEPT else "hour" if age <= HOURS_READ else "day"
    with connection.cursor() as cursor:
        cursor.execute(_LAG, {"grain": grain, "since": since})
        rows = cursor.fetchall()
    bins = {number: n for number, n in rows if number is not None and n > 0}
    p50, p95 = percentiles(bins, [0.5, 0.95])
    return LagReport(
        runs=next(n for number, n in rows if number is None),
        p50_seconds=_seconds(p50),
        p95_seconds=_seconds(p95),
        max_seconds=_seconds(bin_value(max(bins)) if bins else None),
        newest_seconds=newest_lag(),
    )


def newest_lag() -> float | None:
    """Seconds from the end of the run that was recorded last to its row."""
    newest: Any = SensorEvent.objects.order_by("-captured_at").values_list("captured_at", "ended_at").first()
    return None if newest is None else max(0.0, (newest[0] - newest[1]).total_seconds())


def waiting() -> Waiting:
    """Asks the student for what settled after the cursor, and leaves out what is recorded."""
    position = CaptureCursor.objects.filter(name=SETTLED).values_list("position", flat=True).first()
    after = (position or datetime(1, 1, 2, tzinfo=UTC), uuid.UUID(int=0))
    settled = student.settled_runs(after=after, limit=LOOKED_AT_MOST)
    known = set(
        LedgerEntry.objects.filter(run_id__in=[run_id for _, run_id in settled], stage="run").values_list(
            "run_id", flat=True
        )
    )
    left = [moment for moment, run_id in settled if run_id not in known]
    return Waiting(runs=len(left), since=min(left, default=None))


def cursors(*, left: Waiting) -> list[CursorState]:
    """Both cursors. Runs may be long in coming: theirs is stalled only while some wait (`left`).

    The one of late changes follows the student's clock while the Sensor runs, whatever happens: it is its heartbeat.
    It also stands still behind a transaction of the student that stays open.
    """
    kept = {row.name: row for row in CaptureCursor.objects.all()}
    found = []
    for name in sorted({SETTLED, LATE} | set(kept)):
        row = kept.get(name)
        state: Literal["current", "stalled", "unread"] = "current"
        if row is None or row.position is None:
            state = "stalled" if name == SETTLED and left.is_long else "unread"
        elif (name == SETTLED and left.is_long) or (name == LATE and timezone.now() - row.moved_at > QUIET):
            state = "stalled"
        moved_at = None if row is None else row.moved_at
        found.append(CursorState(name=name, position=row.position if row else None, moved_at=moved_at, state=state))
    return found


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
