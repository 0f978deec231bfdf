"""Bulk ingestion: a backlog through the Sensor's own doors, beside a bare COPY of the same rows into the same tables.

The tables are partitioned, indexed, and carry the triggers of the rollups; a ratio without the triggers is told too.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from maas.access import as_service
from selflearn_site.database.connection import wrapper
from sensor.services import backfill
from sensor.services.ingest import telemetry_ingest
from sensor.services.rollups import rollups_fold

TARGET = 0.3
TABLES = ("sensor_events", "telemetry_events")
_DERIVED = ("sensor_ledger", "sensor_external_events", "sensor_cursor", "sensor_rollups", "sensor_rollup_deltas")
STAGES = ("analyzer", "assembler", "responder", "archivist")
USERS, MEMORIES, FOUND = 500, 5000, 3
TEXT = "In the spring I bought a kayak in Kazan, and my sister wants to know what it cost and where I keep it. "


def measure(*, runs: int, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Rows a second (of both tables) of each door and of COPY, the median of `repeats`, and their ratios."""
    rows = _foreign_runs(runs)
    _student_fill(runs)
    # The backlog is a million objects of the benchmark's own; the garbage collector shall not walk through them.
    gc.collect()
    gc.freeze()
    doors: dict[str, Callable[[], Any]] = {
        "ingest": lambda: telemetry_ingest(events=rows, source="bench"),
        "backfill": backfill,
    }
    found: dict[str, Any] = {}
    for name, door in doors.items():
        timed: dict[str, list[float]] = {}
        for _ in range(repeats):
            for key, value in _round(door, runs).items():
                timed.setdefault(key, []).append(value)
        middle = {key: statistics.median(values) for key, values in timed.items()}
        found[name] = {
            **{key: round(value) for key, value in middle.items()},
            "ratio": round(middle["door"] / middle["copy"], 3),
            "ratio_to_copy_without_triggers": round(middle["door"] / middle["bare_copy"], 3),
            "ratio_without_triggers": round(middle["bare_door"] / middle["bare_copy"], 3),
        }
        folding = f"; folding {middle['folded']:,.0f} rows a second" if "folded" in middle else ", folding included"
        say(
            f"{name}: {middle['door']:,.0f} rows a second, COPY {middle['copy']:,.0f}: ratio {found[name]['ratio']}"
            f" (must be ≥ {TARGET}); without triggers {middle['bare_door']:,.0f} and {middle['bare_copy']:,.0f}:"
            f" {found[name]['ratio_without_triggers']}; with them to COPY without:"
            f" {found[name]['ratio_to_copy_without_triggers']}{folding}"
        )
    gc.unfreeze()
    return {**found, "runs": runs, "ok": all(found[name]["ratio"] >= TARGET for name in doors)}


def _round(door: Callable[[], Any], runs: int) -> dict[str, float]:
    """Rows a second: through the door and by COPY of what it wrote, with triggers and without; and of folding."""
    found = {}
    for prefix, triggers in (("", True), ("bare_", False)):
        with _triggers(triggers):
            _empty()
            seconds = _timed(door)
            kept = {table: _copied_out(table) for table in TABLES}
            count = _count()
            assert count >= 2 * runs, f"{count} rows of {runs} runs"
            found[f"{prefix}door"] = count / seconds
            started = time.perf_counter()
            if rollups_fold():  # a backfill folds by itself
                found["folded"] = count / (time.perf_counter() - started)
            _empty()
            found[f"{prefix}copy"] = count / _timed(partial(_copy_in, kept))
            assert _count() == count
    return found


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _copied_out(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY (SELECT * FROM public.{table}) TO STDOUT") as copy:  # noqa: S608
        return b"".join(bytes(block) for block in copy)


def _copy_in(kept: dict[str, bytes]) -> None:
    with connection.cursor() as cursor:
        for table, rows in kept.items():
            with cursor.copy(f"COPY public.{table} FROM STDIN") as copy:
                copy.write(rows)


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM sensor_events) + (SELECT count(*) FROM telemetry_events)")
        found: int = cursor.fetchone()[0]
        return found


def _empty() -> None:
    _as_owner(f"TRUNCATE {', '.join((*TABLES, *_DERIVED))}")


@contextmanager
def _triggers(on: bool) -> Iterator[None]:
    if on:
        yield
        return
    _as_owner(*(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES))
    try:
        yield
    finally:
        _as_owner(*(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES))


def _as_owner(*statements: str) -> None:
    own = wrapper("default")
    with own.owner(), own.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# --- what is brought in ----------------------------------------------------------------------------------------------


def _foreign_runs(runs: int) -> list[dict[str, Any]]:
    """As JSON brings them: an hour of traffic that ended just now, three memories found, half of it in two arms."""
    draw = random.Random(5)
    users = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(USERS)]
    first = datetime.now(UTC) - timedelta(seconds=3600)
    rows = []
    for number in range(runs):
        user = users[number % USERS]
        started = first + timedelta(seconds=3500 * number / runs)
        timings = {stage: round(draw.lognormvariate(1, 0.6), 3) for stage in STAGES}
        found = [
            {"id": str(uuid.UUID(int=draw.getrandbits(128), version=4)), "score": round(draw.random(), 4),
             "user_id": user, "created_at": "2026-01-05T10:00:00+00:00", "tags": ["kayak", "sister"]}
            for _ in range(FOUND)
        ]  # fmt: skip
        rows.append(
            {
                "event_id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
                "pipeline_run_id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
                "user_id": user,
                "client_kind": "user" if number % 2 else "emulator",
                "cycle_type": "online" if number % 2 else "micro",
                "experiment": None if number % 2 else "bench",
                "variant": None if number % 2 else ("baseline", "variant")[number // 2 % 2],
                "query": f"Where did I buy kayak number {number}?",
                "keywords": ["kayak", "buy", "sister"],
                "context": TEXT * 4,
                "context_tokens": 120,
                "found": found,
                "used_ids": [found[0]["id"]],
                "status": "COMPLETED",
                "answer": TEXT,
                "started_at": started.isoformat(),
                "ended_at": (started + timedelta(milliseconds=sum(timings.values()))).isoformat(),
                "stages": timings,
                "latency_ms": sum(timings.values()),
                "parameter_version": 1,
            }
        )
    decoded: list[dict[str, Any]] = json.loads(json.dumps(rows))
    return decoded


_FILL_MEMORIES = """
INSERT INTO lsm_storage (id, user_id, time_bucket, semantic_tags, summary_text, source_run_ids, simulated_at, language)
SELECT gen_random_uuid(), md5('user ' || n %% %(users)s)::uuid, '2025-W01', '{kayak,sister}', 'a memory', '{}',
       timestamptz '2025-01-01' + n * interval '1 minute', 'en'
FROM generate_series(1, %(memories)s) AS n
"""
_FILL_RUNS = """
WITH found AS (
  SELECT user_id, (array_agg(id))[1:%(found)s] AS ids FROM lsm_storage
  WHERE summary_text = 'a memory' GROUP BY user_id
)
INSERT INTO pipeline_runs (id, user_id, user_query, status, final_context_payload, context_tokens, final_answer,
  client_kind, mode, cycle_type, keywords, retrieval, used_memory_ids, stage_timings, parameter_version, latency_ms,
  created_at, finished_at, answered_at, updated_at)
SELECT gen_random_uuid(), found.user_id, 'Where did I buy kayak number ' || n || '?', 'COMPLETED',
  repeat(%(text)s, 4), 120, %(text)s, CASE WHEN n %% 2 = 0 THEN 'user' ELSE 'emulator' END, 'dialogue',
  CASE WHEN n %% 2 = 0 THEN 'online' ELSE 'micro' END, '["kayak", "buy", "sister"]',
  jsonb_build_object('found', to_jsonb(found.ids), 'candidates',
    (SELECT jsonb_agg(jsonb_build_object('memory_id', id, 'score', 0.5, 'cut', NULL)) FROM unnest(found.ids) AS id)),
  found.ids[1:1], '{"analysis": 2.1, "assembly": 0.7, "response": 3.4, "archive": 1.2}', 1, 7.4,
  t.at, t.at + interval '8 ms', t.at + interval '7 ms', t.at + interval '8 ms'
FROM generate_series(1, %(runs)s) AS n
JOIN found ON found.user_id = md5('user ' || n %% %(users)s)::uuid
CROSS JOIN LATERAL (SELECT now() - interval '3600 s' + n * interval '3500 s' / %(runs)s AS at) AS t
"""


def _student_fill(runs: int) -> None:
    """A history of settled runs, by the student's own rights; what earlier parts left there goes."""
    with as_service() as cursor:
        for table in ("raw_logs", "pipeline_runs", "lsm_storage"):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  own names
        cursor.execute(_FILL_MEMORIES, {"users": USERS, "memories": MEMORIES})
        cursor.execute(_FILL_RUNS, {"users": USERS, "found": FOUND, "text": TEXT, "runs": runs})
