"""Catches up with all that settled or changed since the durable cursors, so that nothing depends on a notification."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.db import connection

from sensor import student
from sensor.domain.report import CaptureReport
from sensor.services.capture import capture
from sensor.services.late import late_facts_apply
from sensor.services.marks import marks_apply
from sensor.services.rollups import rollups_fold

OVERLAP = timedelta(seconds=30)
"""Read again before the cursor each time: covers clocks of several MaaS machines that differ by less."""
PAGE = 2000
_SETTLED = "pipeline_runs"
_LATE = "pipeline_runs.late"
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
    """Record all runs that settled since the last time, wherever it was broken off; safe beside other captures.

    Then what was said of recorded runs since: late feedback, and consent withdrawn. What changed is folded.
    """
    report = _capture_since(_since(_SETTLED))
    _late_since(_since(_LATE))
    rollups_fold()
    return report


def backfill() -> CaptureReport:
    """Go through the student's whole history, whatever the cursors say, and record what is missing."""
    report = _capture_since(_BEGINNING)
    _late_since(_BEGINNING)
    rollups_fold()
    return report


def _capture_since(since: datetime) -> CaptureReport:
    """1. Ask the student before which moment no unseen run can settle any more (transactions may still be open).
    2. Record page by page in the order of settling.
    3. After each page move the cursor to its end, but never beyond that moment. Broken off anywhere, pages are read
       again, and the ledger drops what is recorded.
    """
    horizon = student.horizon()
    after = (since, _FIRST_ID)
    total = CaptureReport(captured=0, lag_seconds=None)
    while page := student.settled_runs(after=after, limit=PAGE):
        total += capture([run_id for _, run_id in page])
        after = page[-1]
        _move(_SETTLED, min(after[0], horizon))
        if len(page) < PAGE:
            break
    marks_apply()
    return total


def _late_since(since: datetime) -> None:
    """The same for runs that changed after they had settled.

    One that is not recorded yet is recorded first: another capture may have read it before the change, and until its
    row is there (which recording waits for) there is nothing to put the change on. At the end the cursor moves as far
    as it may, so that a great withdrawal is not read again at each sweep of a quiet time.
    """
    horizon = student.horizon()
    after = (since, _FIRST_ID)
    while page := student.late_changes(after=after, limit=PAGE):
        run_ids = [run_id for _, run_id in page]
        capture(run_ids)
        late_facts_apply(run_ids=run_ids)
        after = page[-1]
        _move(_LATE, min(after[0], horizon))
        if len(page) < PAGE:
            break
    _move(_LATE, horizon)


def _since(source: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [source])
        row = cursor.fetchone()
    return row[0] - OVERLAP if row and row[0] is not None else _BEGINNING


def _move(source: str, position: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [source, position])
