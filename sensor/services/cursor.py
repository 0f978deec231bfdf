"""Catches up with all that settled since the durable cursor, so that nothing depends on a notification arriving."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.db import connection

from sensor import student
from sensor.domain.report import CaptureReport
from sensor.services.capture import capture
from sensor.services.marks import marks_apply

OVERLAP = timedelta(seconds=30)
"""Read again before the cursor each time: covers clocks of several MaaS machines that differ by less."""
PAGE = 2000
_SOURCE = "pipeline_runs"
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
_FIRST_ID = uuid.UUID(int=0)

_READ = "SELECT position FROM public.sensor_cursor WHERE name = %s"
# Two sensors may move it at once; it ends where the further one wants it.
_MOVE = """
INSERT INTO public.sensor_cursor AS c (name, position) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_at = clock_timestamp()
WHERE c.position IS NULL OR c.position < excluded.position
"""


def catch_up() -> CaptureReport:
    """Record all runs that settled since the last time, wherever it was broken off; safe beside other captures."""
    position = _position()
    return _capture_since(_BEGINNING if position is None else position - OVERLAP)


def backfill() -> CaptureReport:
    """Go through the student's whole history, whatever the cursor says, and record what is missing."""
    return _capture_since(_BEGINNING)


def _capture_since(since: datetime) -> CaptureReport:
    """1. Ask the student before which moment no unseen run can settle any more (transactions may still be open).
    2. Record page by page in the order of settling.
    3. After each page move the cursor to its end, but never beyond that moment. Broken off anywhere, pages are read
       again, and the ledger drops what is recorded.
    """
    horizon = student.horizon()
    after = (since, _FIRST_ID)
    captured, worst = 0, None
    while page := student.settled_runs(after=after, limit=PAGE):
        report = capture([run_id for _, run_id in page])
        captured += report.captured
        worst = max([lag for lag in (worst, report.lag_seconds) if lag is not None], default=None)
        after = page[-1]
        _move(min(after[0], horizon))
        if len(page) < PAGE:
            break
    marks_apply()
    return CaptureReport(captured=captured, lag_seconds=worst)


def _position() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [_SOURCE])
        row = cursor.fetchone()
    return row[0] if row else None


def _move(position: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [_SOURCE, position])
