"""Writes the rows of finished runs, each once, whoever brings them: the live capture, or a MaaS that runs elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from contracts.actor import component
from incidents.services import incident_open
from sensor.domain.facts import FinishedRun, Memories, event_row, foreign_memories, stage_rows
from sensor.services.copying import array, rows_copy
from sensor.services.retention_policy import recorded_from, recorded_from_hold

SENSOR = component("sensor")

_REAL = "SELECT DISTINCT user_id FROM public.sensor_events WHERE client_kind = 'user' AND user_id = ANY(%s)"
_MONTHS = "SELECT public.sensor_ensure_partitions(month, month) FROM unnest(%s::timestamptz[]) AS month"
_CLAIM = """
INSERT INTO public.sensor_ledger (run_id, stage, occurred_at)
SELECT run_id, 'run', occurred_at FROM unnest(%s::uuid[], %s::timestamptz[]) AS claimed(run_id, occurred_at)
ON CONFLICT DO NOTHING RETURNING run_id
"""
# They go with their run: whoever has it has them.
_CLAIM_STAGES = """
INSERT INTO public.sensor_ledger (run_id, stage, occurred_at)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[]) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A finished run, and what is known of the memories that it touched."""

    run: FinishedRun
    memories: Memories


@dataclass(frozen=True, slots=True)
class Row:
    """What would be written of a run: its row, and those of its stages, each stage once."""

    told: Told
    event: dict[str, Any]
    stages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Of some runs, in the order of their ids. `too_old`: runs of a time that retention has removed; not written."""

    rows: Sequence[Row]
    too_old: set[uuid.UUID]
    made_at: datetime


def rows_prepare(told: Sequence[Told]) -> Rows:
    """Make the rows, and the months that they belong to. `told` holds each run once.

    Months are made in a transaction of their own: making one locks, and must not wait for the rows.
    """
    now = timezone.now()
    too_old = _too_old([each.run for each in told], recorded_from())
    told = [each for each in told if each.run.id not in too_old]
    real = _real_users(told) if getattr(settings, "SENSOR_MASK_REAL_USERS", True) else set()
    rows = []
    for each in sorted(told, key=lambda each: each.run.id.int):
        event = event_row(each.run, each.memories, masked=each.run.user_id in real, captured_at=now)
        rows.append(Row(each, event, stage_rows(each.run, event)))
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, [_months(told)])
    return Rows(rows, too_old, now)


def rows_write(cursor: CursorWrapper, rows: Rows, *, only: Collection[uuid.UUID] | None = None) -> list[FinishedRun]:
    """Write the rows that nobody wrote before; of the runs in `only`, where it is given. Returns the runs that are new.

    Inside the caller's transaction:
    0. Retention does not go on under it: what is too old now is passed by, what is not does not become it meanwhile.
    1. Each run is claimed in the ledger; whoever writes beside this one waits here, and what it got is not given
       again. All claim in the order of run ids, so that two writers never wait for each other.
    2. The stages of the runs claimed go to the ledger too.
    3. The rows of both are copied in: claim and row live and die together.
    """
    wanted = [row for row in rows.rows if only is None or row.told.run.id in only]
    rows.too_old.update(_too_old([row.told.run for row in wanted], recorded_from_hold(cursor)))
    wanted = [row for row in wanted if row.told.run.id not in rows.too_old]
    if not wanted:
        return []
    runs = [row.told.run for row in wanted]
    cursor.execute(_CLAIM, [array([run.id for run in runs]), array([run.started_at for run in runs])])
    won = {row[0] for row in cursor.fetchall()}
    new = [row for row in wanted if row.told.run.id in won]
    stages = [stage for row in new for stage in row.stages]
    cursor.execute(
        _CLAIM_STAGES, [array([stage[name] for stage in stages]) for name in ("pipeline_id", "stage", "created_at")]
    )
    rows_copy(cursor, "public.sensor_events", [row.event for row in new])
    rows_copy(cursor, "public.telemetry_events", stages)
    _isolation_report([row.told for row in new])
    return [row.told.run for row in new]


def _too_old(runs: Sequence[FinishedRun], floor: datetime | None) -> set[uuid.UUID]:
    return {run.id for run in runs if run.started_at < floor} if floor is not None else set()


def _real_users(told: Sequence[Told]) -> set[uuid.UUID]:
    """Who of these runs' users has ever come by himself: what is asked again in his name shows his memories too."""
    real = {each.run.user_id for each in told if each.run.client_kind == "user"}
    others = {each.run.user_id for each in told} - real
    if others:
        with connection.cursor() as cursor:
            cursor.execute(_REAL, [sorted(others)])
            real.update(row[0] for row in cursor.fetchall())
    return real


def _months(told: Sequence[Told]) -> list[datetime]:
    """First moments of the months that hold these runs' beginnings and ends; not of those between them."""
    moments = {moment.astimezone(UTC) for each in told for moment in (each.run.started_at, each.run.ended_at)}
    return sorted({datetime(moment.year, moment.month, 1, tzinfo=UTC) for moment in moments})


def _isolation_report(told: Sequence[Told]) -> None:
    """Open an incident per user who was shown what is not theirs; it commits with the rows that say so.

    In the order of users: two writers that both meet the same users never wait for each other.
    """
    shown = [(each.run, foreign) for each in told if (foreign := foreign_memories(each.run, each.memories))]
    reported = set()
    for run, foreign in sorted(shown, key=lambda item: (item[0].user_id, item[0].id)):
        if run.user_id in reported:
            continue
        reported.add(run.user_id)
        incident_open(
            kind="isolation",
            severity="critical",
            title="A memory of another user reached a run",
            detail=f"run {run.id} of user {run.user_id} touched {', '.join(map(str, foreign))}",
            subject=f"user:{run.user_id}",
            actor=SENSOR,
        )
