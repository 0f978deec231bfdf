"""Holds what the Sensor has recorded against what the student has settled: by id, both ways, in plain SQL.

None of the Sensor's own code is asked, except for the last question: whether a look at the whole history finds more.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from maas.access import as_service
from sensor.selectors import capture_lag
from sensor.services import backfill

_STAGES = {"analysis": "analyzer", "assembly": "assembler", "response": "responder", "archive": "archivist"}
_NAMES = frozenset(_STAGES.values())
"""Other timings of a run are of parts of a stage."""
_SETTLED = """
SELECT id, status, created_at, finished_at, feedback_score, consent, ARRAY(SELECT jsonb_object_keys(stage_timings))
FROM pipeline_runs WHERE finished_at IS NOT NULL
"""
_EVENTS = "SELECT pipeline_run_id, status, started_at, ended_at, feedback_score, consent FROM public.sensor_events"
_ROLLED = """
SELECT metric, coalesce(stage, ''), sum(n), sum(total) FROM public.sensor_rollups_now
WHERE grain = %s AND metric IN ('runs', 'stage_rows', 'latency_ms', 'memories_found', 'error_rate')
GROUP BY 1, 2 ORDER BY 1, 2
"""
_RAW = """
SELECT v.metric, '', count(v.value), sum(v.value) FROM public.sensor_events AS e
CROSS JOIN LATERAL (VALUES ('runs', 1), ('latency_ms', e.latency_ms), ('memories_found', e.memories_found),
  ('error_rate', (e.status = 'FAILED')::int)) AS v(metric, value) GROUP BY 1
UNION ALL
SELECT v.metric, s.stage, count(v.value), sum(v.value) FROM public.telemetry_events AS s
CROSS JOIN LATERAL (VALUES ('stage_rows', 1), ('latency_ms', s.latency_ms)) AS v(metric, value) GROUP BY 1, 2
ORDER BY 1, 2
"""
_SHOWN = 5


class Settled(NamedTuple):
    """One settled run of the student, as far as it must be equal in the Sensor's row."""

    status: str
    started_at: datetime
    ended_at: datetime
    feedback_score: int | None
    consent: bool
    stages: frozenset[str]


def settled_runs() -> dict[uuid.UUID, Settled]:
    with as_service() as cursor:
        cursor.execute(_SETTLED)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {
        run_id: Settled(status, started, ended, score, consent, frozenset(_STAGES.get(each, each) for each in timings))
        for run_id, status, started, ended, score, consent, timings in rows
    }


def behind() -> int:
    """How many settled runs are not recorded yet, or otherwise than they stand now."""
    settled = settled_runs()
    recorded = {row[0]: row[1:] for row in _rows(_EVENTS)}
    return len(settled.keys() - recorded.keys()) + len(_different(settled, recorded))


def account(requested: Collection[uuid.UUID]) -> tuple[dict[str, Any], list[str]]:
    """Figures, and a sentence for each thing that is not as it must be (none: all is well)."""
    settled = settled_runs()
    events = _rows(_EVENTS)
    stages = _rows("SELECT pipeline_id, stage, created_at FROM public.telemetry_events")
    ledger = _rows("SELECT run_id, stage, occurred_at FROM public.sensor_ledger")
    times = Counter(row[0] for row in events)
    recorded = {row[0]: row[1:] for row in events}
    expected = {(run_id, stage) for run_id, run in settled.items() for stage in (*run.stages & _NAMES, "e2e")}
    written = Counter((row[0], row[1]) for row in stages)
    rows = {(row[0], "run", row[2]) for row in events} | set(stages)
    rolled, rollup_problems = _rollups()
    problems = [
        *_said("requested runs are neither answered nor failed", set(requested) - settled.keys()),
        *_said("settled runs were never requested", settled.keys() - set(requested)),
        *_said("settled runs are not recorded", settled.keys() - recorded.keys()),
        *_said("recorded runs are not settled in the student", recorded.keys() - settled.keys()),
        *_said("runs are recorded more than once", (each for each, n in times.items() if n > 1)),
        *_said("runs are recorded otherwise than they ended", _different(settled, recorded)),
        *_said("stages have no telemetry row", expected - written.keys()),
        *_said("telemetry rows belong to no stage", written.keys() - expected),
        *_said("stages have more than one telemetry row", (each for each, n in written.items() if n > 1)),
        *_said("ledger entries have no row", set(ledger) - rows),
        *_said("rows have no ledger entry", rows - set(ledger)),
        *_said("rows lie outside the months", _rows(_OUTSIDE)),
        *rollup_problems,
    ]
    if late := backfill().captured:
        problems.append(f"{late} runs were recorded only when the whole history was gone through")
    lag = capture_lag()
    figures = {
        "requested": len(requested),
        "settled": len(settled),
        "failed": sum(run.status == "FAILED" for run in settled.values()),
        "rated": sum(run.feedback_score is not None for run in settled.values()),
        "events": len(events),
        "telemetry_rows": len(stages),
        "ledger_entries": len(ledger),
        "rollup_rows_compared": rolled,
        "lag_p50_seconds": lag.p50_seconds,
        "lag_p95_seconds": lag.p95_seconds,
        "lag_max_seconds": lag.max_seconds,
    }
    return figures, problems


_OUTSIDE = """
SELECT 'sensor_events', id FROM public.sensor_events_default
UNION ALL SELECT 'telemetry_events', id FROM public.telemetry_events_default
"""


def _different(settled: Mapping[uuid.UUID, Settled], recorded: Mapping[uuid.UUID, tuple[Any, ...]]) -> list[uuid.UUID]:
    return [run_id for run_id, row in recorded.items() if run_id in settled and tuple(settled[run_id][:5]) != row]


def _rollups() -> tuple[int, list[str]]:
    """Counts and sums by metric and stage, each grain that is kept for ever against the rows themselves."""
    raw = _rows(_RAW)
    problems = []
    for grain in ("hour", "day"):
        differing = set(raw) ^ set(_rows(_ROLLED, [grain]))
        problems += _said(f"sums by {grain} differ from those of the rows", differing)
    return len(raw), problems


def _rows(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _said(what: str, which: Iterable[Any]) -> list[str]:
    found = list(which)
    if not found:
        return []
    shown = "; ".join(str(each) if not isinstance(each, tuple) else " ".join(map(str, each)) for each in found[:_SHOWN])
    return [f"{len(found)} {what}: {shown}{' …' if len(found) > _SHOWN else ''}"]
