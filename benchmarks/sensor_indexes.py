"""How the Sensor's rows lie on the disk: B-tree or BRIN on the time of stages, bytes and WAL of a run, by measurement.

`python -m benchmarks.sensor_indexes [--rows 1000000] [--runs 20000]`: databases of its own, dropped afterwards. The
figures of docs/decisions/0017-sensor-storage.md come from here.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.db import connection

INDEXES = {
    "btree": "CREATE INDEX bench_created ON {table} (created_at)",
    "brin": "CREATE INDEX bench_created ON {table} USING brin (created_at) WITH (pages_per_range = 32)",
    "none": "SELECT 1",
}
# What the mission asks of the last hour, and what a day of it costs.
QUERIES = {
    "last hour, percentiles by stage": (
        "SELECT stage, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),"
        " percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM {table} WHERE created_at >= %s GROUP BY stage",
        timedelta(hours=1),
    ),
    "last day, hit rate": (
        "SELECT avg(hit_rate::int) FROM {table} WHERE created_at >= %s AND stage = 'e2e'",
        timedelta(days=1),
    ),
}
REPEATS = 15
EXTRA, PARTS = 100_000, 3
# One row for each stage of a run, the runs evenly over thirty days. `shuffled`: as a backfill in another order leaves
# them; `marked`: half of the rows written anew, as truths and judgements do.
_FILL = """
INSERT INTO {table} (id, pipeline_id, cycle_type, created_at, stage, latency_ms, memories_found, memories_used,
  hit_rate, avg_memory_age_days, tag_overlap_score, user_id, isolation_ok, parameter_version, retry_count,
  experiment_id, variant)
SELECT gen_random_uuid(), md5('run' || n / 5)::uuid, 'online', %(until)s::timestamptz - (%(rows)s - n) * %(step)s,
  (ARRAY['analyzer', 'assembler', 'responder', 'archivist', 'e2e'])[n %% 5 + 1], round((random() * 400)::numeric, 3),
  7, 5,
  CASE WHEN n %% 3 = 0 THEN n %% 2 = 0 END, 11.25, 0.4, md5('user' || n / 5 %% 10000)::uuid, true, 3, 0,
  CASE WHEN n %% 4 = 0 THEN md5('e' || n %% 40)::uuid END, CASE WHEN n %% 4 = 0 THEN 'baseline' END
FROM generate_series(%(first)s, %(last)s) AS n {order}
"""
_TEXT = (
    "kayak spring Kazan sister garden remember train Tuesday blue dentist piano recipe budget holiday visit letter"
    " coffee river window morning flight birthday neighbour doctor school market winter bicycle painting"
)
_WORDS = _TEXT.split()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20_000)
    options = parser.parse_args()
    from benchmarks.scratch import scratch_databases

    with scratch_databases("storage"):
        found = {"sizes": sizes(options.runs), "indexes": indexes(options.rows, say=_say)}
    sys.stdout.write(json.dumps(found, indent=1, default=str) + "\n")


def indexes(rows: int, *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One entry for each order of rows and each index: its size, the two queries, and 100,000 further rows."""
    found = []
    with connection.owner(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # our backend's
        for order in ("in order", "marked", "shuffled"):
            for kind, statement in INDEXES.items():
                entry = {"rows": order, "index": kind, **_measured(cursor, order, statement, rows)}
                found.append(entry)
                say(json.dumps(entry))
    return found


def _measured(cursor: Any, order: str, statement: str, rows: int) -> dict[str, Any]:
    table = "bench_stages"
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} (LIKE telemetry_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    until = datetime.now(UTC)
    values = {"until": until, "rows": rows, "step": timedelta(days=30) / rows, "first": 1, "last": rows}
    shuffled = "ORDER BY md5(n::text)" if order == "shuffled" else ""
    cursor.execute(_FILL.format(table=table, order=shuffled), values)
    for name, columns in {"p": "id, created_at", "e": "experiment_id, variant", "r": "pipeline_id"}.items():
        cursor.execute(f"CREATE INDEX bench_{name} ON {table} ({columns})")
    cursor.execute(f"CREATE INDEX bench_c ON {table} (cycle_type, created_at)")
    cursor.execute(statement.format(table=table))
    if order == "marked":
        half = "('x' || left(id::text, 1))::bit(4)::int < 8"
        cursor.execute(f"UPDATE {table} SET retrieval_relevant = true WHERE {half}")  # noqa: S608
    cursor.execute(f"VACUUM ANALYZE {table}")
    # The index of cycle and time is not asked: it would answer both queries where all rows are of one cycle.
    cursor.execute("DROP INDEX bench_c")
    entry: dict[str, Any] = {}
    for name, (query, span) in QUERIES.items():
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            cursor.execute(query.format(table=table), [until - span])
            cursor.fetchall()
            times.append((time.perf_counter() - began) * 1000)
        entry[f"{name}, ms"] = round(statistics.median(times), 2)
    cursor.execute("SELECT coalesce(pg_relation_size(to_regclass('bench_created')), 0)")
    entry["index_bytes"] = cursor.fetchone()[0]
    times, wal = [], _wal(cursor)
    for part in range(PARTS):  # the least is what it costs when nobody else is working
        began = time.perf_counter()
        first = rows + part * EXTRA
        cursor.execute(_FILL.format(table=table, order=""), {**values, "first": first + 1, "last": first + EXTRA})
        times.append(time.perf_counter() - began)
    entry[f"{EXTRA} more rows, s"] = round(min(times), 2)
    entry["WAL bytes of a further row"] = round((_wal(cursor) - wal) / (PARTS * EXTRA))
    cursor.execute(f"DROP TABLE {table}")
    return entry


def sizes(runs: int) -> dict[str, Any]:
    """Bytes of a run in each table and WAL of a run, through the Sensor's own door with its triggers; runs a second."""
    from sensor.services.ingest import telemetry_ingest
    from sensor.services.rollups import rollups_fold

    rows = _runs(runs)
    telemetry_ingest(events=rows[:1000], source="warm-up")
    with connection.cursor() as cursor:
        before, wal = _sizes(cursor), _wal(cursor)
        began = time.perf_counter()
        for start in range(1000, runs, 500):
            telemetry_ingest(events=rows[start : start + 500], source="bench")
        seconds = time.perf_counter() - began
        after, written = _sizes(cursor), _wal(cursor)
        began = time.perf_counter()
        rollups_fold()
        folded = time.perf_counter() - began
        count = runs - 1000
        return {
            "runs": count,
            "bytes_a_run": {name: round((after[name] - before.get(name, 0)) / count) for name in after},
            "wal_bytes_a_run": round((written - wal) / count),
            "runs_a_second": round(count / seconds),
            "fold_seconds": round(folded, 2),
            "wal_bytes_of_folding_a_run": round((_wal(cursor) - written) / count),
        }


def _sizes(cursor: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    cursor.execute(r"""
        SELECT regexp_replace(relname, '_(y\d+m\d+|default)$', ''), sum(pg_table_size(oid)), sum(pg_indexes_size(oid))
        FROM pg_class WHERE relkind = 'r' AND relname ~ '^(sensor|telemetry)' GROUP BY 1
    """)
    for name, heap, index in cursor.fetchall():
        found[f"{name}, table"], found[f"{name}, indexes"] = int(heap), int(index)
    return found


def _wal(cursor: Any) -> int:
    cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
    number: int = cursor.fetchone()[0]
    return number


def _runs(count: int) -> list[dict[str, Any]]:
    """As a real conversation leaves them: a question, ten memories and three exchanges as context, an answer."""
    draw = random.Random(7)

    def said(words: int) -> str:
        return " ".join(draw.choice(_WORDS) for _ in range(words))

    now = datetime.now(UTC)
    found = []
    for number in range(count):
        began = now - timedelta(days=20) * (1 - number / count)
        memories = [{"id": str(uuid.UUID(int=draw.getrandbits(128), version=4)), "score": 0.5} for _ in range(7)]
        found.append({
            "event_id": str(uuid.uuid4()), "pipeline_run_id": str(uuid.uuid4()), "client_kind": "user",
            "user_id": str(uuid.UUID(int=number % 2000 + 1)), "thread_id": str(uuid.uuid4()), "query": said(14),
            "keywords": said(5).split(), "context": said(300), "context_tokens": 420, "answer": said(45),
            "found": memories, "used_ids": [memory["id"] for memory in memories[:5]], "parameter_version": 3,
            "status": "COMPLETED", "started_at": began.isoformat(),
            "ended_at": (began + timedelta(seconds=2)).isoformat(), "latency_ms": round(draw.uniform(500, 4000), 3),
            "stages": {name: round(draw.uniform(1, 900), 3)
                       for name in ("analyzer", "assembler", "responder", "archivist")},
            "model": "gpt-4o-mini", "prompt_tokens": 700, "completion_tokens": 60, "cost_usd": 0.0002,
        })  # fmt: skip
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "selflearn_site.settings")
    django.setup()
    main()
