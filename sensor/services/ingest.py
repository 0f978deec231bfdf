"""Runs of a MaaS that runs elsewhere, in batches: good rows are recorded once, bad ones go back with their reasons."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from contracts.actor import Actor, Role
from contracts.telemetry import ExternalRun
from kernel.errors import InvalidInput
from sensor.domain.external import Fault, IngestReport, finished_run, memories_told, refused, rows_check
from sensor.services.marks import marks_apply
from sensor.services.store import Told, rows_prepare, rows_write

MOST_AT_ONCE = 1000

_CLAIM = """
INSERT INTO public.sensor_external_events (event_id, run_id, source)
SELECT event_id, run_id, %s FROM unnest(%s::uuid[], %s::uuid[]) AS given(event_id, run_id)
ON CONFLICT DO NOTHING RETURNING event_id
"""
_KNOWN = "SELECT event_id, run_id FROM public.sensor_external_events WHERE event_id = ANY(%s)"
_RELEASE = "DELETE FROM public.sensor_external_events WHERE event_id = ANY(%s)"

_OTHER_RUN = Fault("event_id", "this event id was given to another run before")
_TOO_OLD = Fault("started_at", "it began in a time of which nothing is kept any more")
_OTHER_EVENT = Fault("pipeline_run_id", "this run is recorded already, and not by this event")


def telemetry_receive(*, rows: Sequence[Any], actor: Actor) -> IngestReport:
    """What a program sends: as `telemetry_ingest`, in its name.

    Raises `NotAuthorised` below operator, `InvalidInput` for more than `MOST_AT_ONCE` rows.
    """
    actor.require(Role.OPERATOR)
    if len(rows) > MOST_AT_ONCE:
        raise InvalidInput(f"at most {MOST_AT_ONCE} events at once; these are {len(rows)}", details={"field": "body"})
    return telemetry_ingest(events=rows, source=actor.label)


def telemetry_ingest(*, events: Sequence[Any], source: str) -> IngestReport:
    """Record foreign runs. `events` are `ExternalRun` messages, or rows that should be some (read from JSON).

    Idempotent by event id, also when the same events are sent twice at once: what was recorded first stands, the
    other is a duplicate and writes nothing. An event id that was given to another run, and a run that is recorded
    already without this event, are refused. `source` names the sender.

    Every thousand rows are committed by themselves, all that is written of a row at once.
    """
    report = IngestReport(accepted=0, duplicates=0, rejected=())
    for start in range(0, len(events), MOST_AT_ONCE):
        report += _part(events[start : start + MOST_AT_ONCE], source, start)
    return report


def _part(events: Sequence[Any], source: str, start: int) -> IngestReport:
    """`start`: where the part begins among the events that were given."""
    checked = rows_check(events, now=timezone.now())
    faults: dict[int, Fault] = {}
    accepted = _record(checked.good, source, faults) if checked.good else set()
    faults |= {index: faults[first] for index, first in checked.repeats.items() if first in faults}
    rejected = [*checked.rejected, *(refused(index, events[index], [fault]) for index, fault in faults.items())]
    return IngestReport(
        accepted=len(accepted),
        duplicates=len(events) - len(accepted) - len(rejected),
        rejected=tuple(replace(row, index=start + row.index) for row in sorted(rejected, key=lambda row: row.index)),
    )


def _record(events: Mapping[int, ExternalRun], source: str, faults: dict[int, Fault]) -> set[int]:
    """Indexes of the events that are recorded now. Why others were refused is put into `faults`; the rest is known.

    1. Rows and their months are made.
    2. The event ids are claimed, in their order; whoever sends the same ones at once waits here for the other's end.
    3. The runs of those that are new are claimed and written as any run is. All take events before runs, so that
       nobody waits in a circle.
    4. An event whose run is recorded already is let go again.
    """
    rows = rows_prepare([Told(finished_run(event), memories_told(event)) for event in events.values()])
    with transaction.atomic(), connection.cursor() as cursor:
        fresh, known = _claim(cursor, events.values(), source)
        written = rows_write(cursor, rows, only=set(fresh.values()))
        new = {run.id for run in written}
        if idle := [event_id for event_id, run_id in fresh.items() if run_id not in new]:
            cursor.execute(_RELEASE, [idle])
    marks_apply(run_ids=sorted(new))
    accepted = set()
    for index, event in events.items():
        if event.event_id in known:
            if known[event.event_id] != event.pipeline_run_id:
                faults[index] = _OTHER_RUN
        elif event.pipeline_run_id in new:
            accepted.add(index)
        elif event.pipeline_run_id in rows.too_old:
            faults[index] = _TOO_OLD
        else:
            faults[index] = _OTHER_EVENT
    return accepted


Claimed = dict[uuid.UUID, uuid.UUID]
"""Event id to run id."""


def _claim(cursor: CursorWrapper, events: Collection[ExternalRun], source: str) -> tuple[Claimed, Claimed]:
    """Events that are new, and those that were there; the latter with the runs that they were given to."""
    wanted = {event.event_id: event.pipeline_run_id for event in sorted(events, key=lambda each: each.event_id)}
    cursor.execute(_CLAIM, [source, list(wanted), list(wanted.values())])
    fresh = {row[0]: wanted[row[0]] for row in cursor.fetchall()}
    known: Claimed = {}
    if lost := [event_id for event_id in wanted if event_id not in fresh]:
        # A statement of its own: one that waited for another's end does not see yet what that one wrote.
        cursor.execute(_KNOWN, [lost])
        known = dict(cursor.fetchall())
    return fresh, known
