"""Records settled runs, hundreds at a time, each row exactly once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from sensor import student
from sensor.domain.facts import FinishedRun, Memories
from sensor.domain.report import CaptureReport
from sensor.services.marks import marks_apply
from sensor.services.store import Told, rows_prepare, rows_write

BATCH = 500

_KNOWN = "SELECT run_id FROM public.sensor_ledger WHERE stage = 'run' AND run_id = ANY(%s)"


def runs_capture(*, run_ids: Sequence[uuid.UUID]) -> int:
    """Record those of `run_ids` that are settled and not recorded yet. Returns how many runs were new."""
    return capture(run_ids).captured


def capture(run_ids: Sequence[uuid.UUID]) -> CaptureReport:
    """As `runs_capture`, with the lag. Each batch is committed by itself, then gets what is known of its runs."""
    report = CaptureReport(captured=0, lag_seconds=None)
    for batch in _batches(_unknown(run_ids)):
        runs = student.finished_runs(batch)
        if not runs:
            continue
        touched = {each for run in runs for each in (*run.found_ids, *(run.used_ids or ()))}
        touched |= {run.memory_id for run in runs if run.memory_id}
        report += _store(runs, student.memory_facts(sorted(touched)))
        marks_apply(run_ids=batch)
    return report


def _batches(run_ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(run_ids), BATCH):
        yield run_ids[start : start + BATCH]


def _unknown(run_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Without those already recorded: a mere saving, what decides is the claim."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(run_ids)])
        known = {row[0] for row in cursor.fetchall()}
    return [each for each in dict.fromkeys(run_ids) if each not in known]


def _store(runs: Sequence[FinishedRun], memories: Memories) -> CaptureReport:
    """Write the rows that nobody wrote before."""
    rows = rows_prepare([Told(run, memories) for run in runs])
    with transaction.atomic(), connection.cursor() as cursor:
        new = rows_write(cursor, rows)
    lags = [max(0.0, (rows.made_at - run.ended_at).total_seconds()) for run in new]
    return CaptureReport(captured=len(new), lag_seconds=max(lags, default=None), too_old=len(rows.too_old))
