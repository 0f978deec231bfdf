"""The two dashboard queries of the mission among a million telemetry events: through rollups, and over the rows.

Counts and sums must be those of the rows, percentiles within one per cent of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from selflearn_site.database.connection import wrapper
from sensor.dashboard import hit_rate_by_day, stage_latency
from sensor.services.rollups import rollups_fold

TARGET_MS = 50.0
TOLERANCE = 0.01
REPEATS, RAW_REPEATS = 30, 3
LAYOUTS = {"in the last hour": timedelta(hours=1), "over 30 days": timedelta(days=30)}
_STAGES = "VALUES ('analyzer', 2.0), ('assembler', 0.7), ('responder', 900), ('archivist', 1.1), ('e2e', 910)"
CHUNK = 100_000

# Latencies are lognormal by stage; of four runs in ten it is known whether what was expected was found.
_FILL = f"""
INSERT INTO public.telemetry_events (id, pipeline_id, experiment, variant, cycle_type, created_at, stage, latency_ms,
  memories_found, memories_used, hit_rate, user_id, isolation_ok, parameter_version)
SELECT gen_random_uuid(), run.id, CASE WHEN n %% 2 = 0 THEN 'bench' END,
  CASE WHEN n %% 2 = 0 THEN CASE WHEN n %% 4 = 0 THEN 'baseline' ELSE 'variant' END END,
  CASE WHEN n %% 2 = 0 THEN 'micro' ELSE 'online' END, run.at, stage.name,
  round((stage.median * exp(0.5 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())))::numeric, 3),
  3, 2, run.hit, run.id, true, 1 + (n %% 3)::int
FROM generate_series(%(first)s, %(last)s) AS n
CROSS JOIN LATERAL (
  SELECT gen_random_uuid() AS id, %(until)s::timestamptz - %(span)s * ((n - 1)::float8 / %(runs)s) - interval '1 ms'
    AS at, CASE WHEN n %% 10 < 4 THEN random() < 0.63 END AS hit
) AS run
CROSS JOIN ({_STAGES}) AS stage(name, median)
"""  # noqa: S608  constants of this file
_LATE_MARKS = """
UPDATE public.telemetry_events SET hit_rate = (memories_found = 3)
WHERE hit_rate IS NULL AND pipeline_id < '10000000-0000-0000-0000-000000000000'
"""
# The mission's queries; a hit is told of rows of which it is known, and the span is half-open as everywhere here.
_RAW_LATENCY = """
SELECT stage, count(latency_ms), sum(latency_ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms)
FROM public.telemetry_events WHERE created_at >= %s AND created_at < %s GROUP BY stage
"""
_RAW_HITS = """
SELECT date(created_at AT TIME ZONE 'UTC'), count(*), count(hit_rate), count(*) FILTER (WHERE hit_rate)
FROM public.telemetry_events GROUP BY 1 ORDER BY 1
"""


def measure(*, events: int, say: Callable[[str], None]) -> dict[str, Any]:
    """By layout: the median and the 95th percentile of each query in ms, that of its raw form, and how far they differ.

    `exact`: counts and sums are equal. `percentiles_off`: the largest relative difference of a percentile.
    """
    found: dict[str, Any] = {name: _layout(events, span, say=say, name=name) for name, span in LAYOUTS.items()}
    _empty()
    found["ok"] = all(part["ok"] for part in found.values())
    return found


def _layout(events: int, span: timedelta, *, say: Callable[[str], None], name: str) -> dict[str, Any]:
    until = timezone.now()
    filled = telemetry_fill(events, span, until)
    since = until - timedelta(hours=1)
    first = (until - span).astimezone(UTC).date()

    latency_ms, latency = _timed(lambda: stage_latency(since, until), REPEATS)
    raw_latency_ms, raw_latency = _timed(lambda: _rows(_RAW_LATENCY, [since, until]), RAW_REPEATS)
    hits_ms, hits = _timed(lambda: hit_rate_by_day(first, until.astimezone(UTC).date()), REPEATS)
    raw_hits_ms, raw_hits = _timed(lambda: _rows(_RAW_HITS), RAW_REPEATS)

    wanted = {row[0]: row[1:] for row in raw_latency}
    off = [
        abs(got / float(exact) - 1)
        for each in latency
        for got, exact in zip((each.p50 or 0.0, each.p95 or 0.0), wanted[each.stage][2:], strict=True)
    ]
    part: dict[str, Any] = {
        "events": filled["events"],
        "fill_seconds": filled["seconds"],
        "fold_seconds": filled["fold_seconds"],
        "stage_latency_p50_ms": statistics.median(latency_ms),
        "stage_latency_p95_ms": statistics.quantiles(latency_ms, n=20)[-1],
        "stage_latency_raw_ms": statistics.median(raw_latency_ms),
        "stage_latency_rows": sum(each.n for each in latency),
        "percentiles_off": max(off),
        "hit_rate_p50_ms": statistics.median(hits_ms),
        "hit_rate_p95_ms": statistics.quantiles(hits_ms, n=20)[-1],
        "hit_rate_raw_ms": statistics.median(raw_hits_ms),
        "days": len(hits),
        "exact": {each.stage: (each.n, each.total) for each in latency} == {k: v[:2] for k, v in wanted.items()}
        and [(each.day, each.rows, each.known, each.hits) for each in hits] == raw_hits,
    }
    part["ok"] = bool(
        part["exact"]
        and part["percentiles_off"] <= TOLERANCE
        and max(part["stage_latency_p95_ms"], part["hit_rate_p95_ms"]) < TARGET_MS
    )
    say(
        f"{filled['events']:,} events {name} (filled in {filled['seconds']:.0f} s, folded in"
        f" {filled['fold_seconds']:.1f} s): counts and sums {'equal' if part['exact'] else 'DIFFER'},"
        f" percentiles within {part['percentiles_off']:.2%}; each must take < {TARGET_MS:g} ms"
    )
    for query, what in (("stage_latency", "P50/P95 by stage, last hour"), ("hit_rate", "hit rate by day")):
        say(
            f"  {what:<28} {part[f'{query}_p50_ms']:>7.1f} ms, p95 {part[f'{query}_p95_ms']:.1f} ms;"
            f" over the rows {part[f'{query}_raw_ms']:.0f} ms"
        )
    return part


def telemetry_fill(events: int, span: timedelta, until: datetime) -> dict[str, Any]:
    """Rows through the ordinary table, so that its triggers see them; then late marks, then one fold."""
    _empty()
    runs = events // 5
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_ensure_partitions(%s, %s)", [until - span, until])
        for first in range(1, runs + 1, CHUNK // 5):
            last = min(first + CHUNK // 5 - 1, runs)
            values: dict[str, Any] = {"until": until, "span": span, "runs": runs, "first": first, "last": last}
            cursor.execute(_FILL, values)
        cursor.execute(_LATE_MARKS)
    filled = time.perf_counter()
    rollups_fold()
    folded = time.perf_counter()
    _as_owner("VACUUM ANALYZE telemetry_events", "VACUUM ANALYZE sensor_rollups", "VACUUM ANALYZE sensor_rollup_deltas")
    count = _rows("SELECT count(*) FROM public.telemetry_events")[0][0]
    return {"events": count, "seconds": filled - started, "fold_seconds": folded - filled}


def _timed(query: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    """Times in ms after one that warms up, and what it returns."""
    found = query()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = query()
        times.append((time.perf_counter() - started) * 1000)
    return times, found


def _rows(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _empty() -> None:
    _as_owner("TRUNCATE telemetry_events, sensor_rollups, sensor_rollup_deltas")


def _as_owner(*statements: str) -> None:
    own = wrapper("default")
    with own.owner(), own.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
