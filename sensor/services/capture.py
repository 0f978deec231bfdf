"""Records settled runs, hundreds at a time, each row exactly once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from contracts.actor import component
from incidents.services import incident_open
from sensor import student
from sensor.domain.facts import RUN, FinishedRun, Memories, event_row, foreign_memories, stage_rows
from sensor.domain.report import CaptureReport
from sensor.services.marks import marks_apply

SENSOR = component("sensor")
BATCH = 500

_KNOWN = "SELECT run_id FROM public.sensor_ledger WHERE stage = 'run' AND run_id = ANY(%s)"
_REAL = "SELECT DISTINCT user_id FROM public.sensor_events WHERE client_kind = 'user' AND user_id = ANY(%s)"
_CLAIM = """
INSERT INTO public.sensor_ledger (run_id, stage, occurred_at)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[]) ON CONFLICT DO NOTHING RETURNING run_id, stage
"""


def runs_capture(*, run_ids: Sequence[uuid.UUID]) -> int:
    """Record those of `run_ids` that are settled and not recorded yet. Returns how many runs were new."""
    return capture(run_ids).captured


def capture(run_ids: Sequence[uuid.UUID]) -> CaptureReport:
    """As `runs_capture`, with the lag. Each batch is committed by itself, then gets what is known of its runs."""
    captured, worst = 0, None
    for batch in _batches(_unknown(run_ids)):
        runs = student.finished_runs(batch)
        if not runs:
            continue
        touched = {each for run in runs for each in (*run.found_ids, *(run.used_ids or ()))}
        touched |= {run.memory_id for run in runs if run.memory_id}
        lags = _store(runs, student.memory_facts(sorted(touched)))
        marks_apply(run_ids=batch)
        captured += len(lags)
        worst = max([*lags, *([worst] if worst is not None else [])], default=None)
    return CaptureReport(captured=captured, lag_seconds=worst)


def _batches(run_ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(run_ids), BATCH):
        yield run_ids[start : start + BATCH]


def _unknown(run_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Without those already recorded: a mere saving, what decides is the claim."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(run_ids)])
        known = {row[0] for row in cursor.fetchall()}
    return [each for each in dict.fromkeys(run_ids) if each not in known]


def _store(runs: Sequence[FinishedRun], memories: Memories) -> list[float]:
    """Write the rows that nobody wrote before. Returns the lag in seconds of each run recorded here.

    1. Months of the rows exist.
    2. Each (run, stage) is claimed in the ledger; a capture that runs beside this one waits here, and what it got is
       not given again. All claim in the order of run ids, so that two captures never wait for each other.
    3. The rows claimed are copied in, in the same transaction: claim and row live and die together.
    """
    now = timezone.now()
    ordered = sorted(runs, key=lambda run: run.id)
    real = _real_users(runs) if getattr(settings, "SENSOR_MASK_REAL_USERS", True) else set()
    events = {run.id: event_row(run, memories, masked=run.user_id in real, captured_at=now) for run in ordered}
    stages = {(run.id, row["stage"]): row for run in ordered for row in stage_rows(run, events[run.id])}
    claims = [(run.id, RUN, run.started_at) for run in ordered]
    claims += [(run_id, stage, row["created_at"]) for (run_id, stage), row in stages.items()]
    _months_ensure(min(run.started_at for run in runs), max(run.ended_at for run in runs))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [list(column) for column in zip(*sorted(claims), strict=True)])
        won = set(cursor.fetchall())
        new = [run for run in ordered if (run.id, RUN) in won]
        _copy(cursor, "sensor_events", [events[run.id] for run in new])
        _copy(cursor, "telemetry_events", [row for key, row in stages.items() if key in won])
        for run in new:
            _isolation_report(run, memories)
    return [max(0.0, (now - run.ended_at).total_seconds()) for run in new]


def _real_users(runs: Sequence[FinishedRun]) -> set[uuid.UUID]:
    """Who of these runs' users has ever come by himself: what is asked again in his name shows his memories too."""
    real = {run.user_id for run in runs if run.client_kind == "user"}
    others = {run.user_id for run in runs} - real
    if others:
        with connection.cursor() as cursor:
            cursor.execute(_REAL, [sorted(others)])
            real.update(row[0] for row in cursor.fetchall())
    return real


def _months_ensure(first: datetime, last: datetime) -> None:
    """In a transaction of its own: making a month locks, and must not wait for the rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_ensure_partitions(%s, %s)", [first, max(first, last)])


def _copy(cursor: CursorWrapper, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    with cursor.copy(f"COPY public.{table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([_written(row[name]) for name in names])


def _written(value: Any) -> Any:
    """Arrays of ids and numbers as PostgreSQL reads them: psycopg would look for quotes to escape in each."""
    if type(value) is list and value and not isinstance(value[0], str):
        return "{" + ",".join("NULL" if each is None else str(each) for each in value) + "}"
    return value


def _isolation_report(run: FinishedRun, memories: Memories) -> None:
    """Open an incident per user who was shown what is not theirs; it commits with the row that says so."""
    foreign = foreign_memories(run, memories)
    if foreign:
        incident_open(
            kind="isolation",
            severity="critical",
            title="A memory of another user reached a run",
            detail=f"run {run.id} of user {run.user_id} touched {', '.join(map(str, foreign))}",
            subject=f"user:{run.user_id}",
            actor=SENSOR,
        )
