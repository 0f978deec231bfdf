"""What dashboards show of the recorded runs: read from rollups, never from all rows.

Sums and counts are those of the rows themselves; percentiles are within half a per cent (`domain/rollup.py`).
Buckets begin at whole minutes, hours and days of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from kernel.errors import RuleViolated
from sensor.domain.facts import END_TO_END, STAGES
from sensor.domain.rollup import Histogram, percentiles
from sensor.services.rollups import MINUTES_KEPT

Grain = Literal["minute", "hour", "day"]
DIMENSIONS = ("client_kind", "cycle_type", "split", "experiment", "variant", "category", "parameter_version")


@dataclass(frozen=True, slots=True)
class StageLatency:
    """`total` and percentiles in ms over `n` rows of one stage."""

    stage: str
    n: int
    total: Decimal
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class HitRateDay:
    """Stage rows of one day of UTC: all, those of which it is known whether an expected memory was found, and hits."""

    day: date
    rows: int
    known: int
    hits: int

    @property
    def rate(self) -> float | None:
        """Hits among what is known; None when nothing is."""
        return self.hits / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Point:
    """A metric in one bucket, for one combination of the dimensions asked for (None: not told of these runs)."""

    bucket: datetime
    dimensions: dict[str, str | int | None]
    n: int
    total: Decimal
    histogram: dict[int, int] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        return float(self.total) / self.n if self.n else None

    def percentile(self, share: float) -> float | None:
        """None for metrics without a histogram."""
        return percentiles(self.histogram, [share])[0]


# Whole fives of minutes, and whole minutes before and after them, come from rollups; the parts of a minute at both
# ends, at most two, from the rows.
_STAGE_LATENCY = """
WITH span AS (SELECT %s::timestamptz AS since, %s::timestamptz AS until),
whole AS (
  SELECT since, until, date_trunc('minute', until, 'UTC') AS last,
         least(until, date_trunc('minute', since + interval '1 minute' - interval '1 microsecond', 'UTC')) AS first
  FROM span
),
fives AS (
  SELECT first, last, date_bin('5 minutes', last, '2000-01-01 00:00:00+00') AS high,
         date_bin('5 minutes', first + interval '5 minutes' - interval '1 microsecond', '2000-01-01 00:00:00+00') AS low
  FROM whole
),
edges AS MATERIALIZED (
  SELECT t.stage, t.latency_ms, public.sensor_bin('latency_ms', t.latency_ms) AS bin
  FROM whole, public.telemetry_events AS t
  WHERE t.stage IS NOT NULL AND t.latency_ms IS NOT NULL
    AND (t.created_at >= since AND t.created_at < first
      OR t.created_at >= greatest(last, first) AND t.created_at < until)
),
folded AS MATERIALIZED (
  SELECT r.stage, r.n, r.total, r.histogram FROM fives, public.sensor_rollups_now AS r
  WHERE r.grain = 'five' AND r.metric = 'latency_ms' AND r.stage IS NOT NULL
    AND r.bucket >= fives.low AND r.bucket < fives.high
  UNION ALL
  SELECT r.stage, r.n, r.total, r.histogram FROM fives, public.sensor_rollups_now AS r
  WHERE r.grain = 'minute' AND r.metric = 'latency_ms' AND r.stage IS NOT NULL
    AND r.bucket >= fives.first AND r.bucket < fives.last AND NOT (r.bucket >= fives.low AND r.bucket < fives.high)
)
SELECT stage, bin, sum(n)::bigint, sum(total) FROM (
  SELECT stage, NULL::bigint AS bin, n, total FROM folded
  UNION ALL SELECT stage, unnest(histogram[1:1]), unnest(histogram[2:2]), 0 FROM folded
  UNION ALL SELECT stage, NULL, count(*), sum(latency_ms) FROM edges GROUP BY stage
  UNION ALL SELECT stage, bin, count(*), 0 FROM edges GROUP BY stage, bin
) AS every GROUP BY stage, bin
"""
_HIT_RATE = """
SELECT bucket, sum(n) FILTER (WHERE metric = 'stage_rows'), sum(n) FILTER (WHERE metric = 'hit_rate'),
       sum(total) FILTER (WHERE metric = 'hit_rate')
FROM public.sensor_rollups_now
WHERE grain = 'day' AND metric IN ('stage_rows', 'hit_rate') AND stage IS NOT NULL AND bucket >= %s AND bucket < %s
GROUP BY bucket HAVING sum(n) FILTER (WHERE metric = 'stage_rows') > 0 ORDER BY bucket
"""


def stage_latency(since: datetime, until: datetime | None = None) -> list[StageLatency]:
    """Latency of each stage over rows from `since` to before `until` (now), in the order of the pipeline.

    At most as far back as minutes are kept; of longer spans `metric_points` tells by hours and days.
    """
    until = until or timezone.now()
    if since < timezone.now() - MINUTES_KEPT:
        raise RuleViolated(
            f"latency by the minute is kept for {MINUTES_KEPT.days} days; ask for hours or days instead",
            details={"since": since.isoformat()},
        )
    numbers: dict[str, tuple[int, Decimal]] = {}
    bins: dict[str, dict[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STAGE_LATENCY, [since, max(since, until)])
        for stage, number, n, total in cursor.fetchall():
            if number is None:
                numbers[stage] = (n, total)
            else:
                bins.setdefault(stage, {})[number] = n
    order = {name: place for place, name in enumerate((*STAGES, END_TO_END))}
    found = []
    for stage in sorted((name for name in numbers if numbers[name][0]), key=lambda name: (order.get(name, 99), name)):
        p50, p95 = percentiles(bins.get(stage, {}), [0.5, 0.95])
        found.append(StageLatency(stage, *numbers[stage], p50, p95))
    return found


def hit_rate_by_day(since: date, until: date) -> list[HitRateDay]:
    """Days of UTC from `since` to `until`, both included, that have rows."""
    first = datetime(since.year, since.month, since.day, tzinfo=UTC)
    last = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_HIT_RATE, [first, last])
        return [
            HitRateDay(day=bucket.astimezone(UTC).date(), rows=int(rows), known=int(known or 0), hits=int(hits or 0))
            for bucket, rows, known, hits in cursor.fetchall()
        ]


def metric_points(
    metric: str,
    *,
    grain: Grain,
    since: datetime,
    until: datetime,
    by: Sequence[str] = (),
    where: Mapping[str, str | int | None] | None = None,
    stage: str | None = None,
) -> list[Point]:
    """A metric over time: buckets that begin from `since` (rounded down to a bucket) to before `until`, oldest first.

    `by` splits each bucket by dimensions, `where` keeps runs with these values (None: not told). With `stage` it is
    told of stage rows, else of whole runs. Minutes know `client_kind` and `cycle_type` only.
    """
    wanted = dict(where or {})
    known = DIMENSIONS if grain != "minute" else DIMENSIONS[:2]
    if strange := [name for name in (*by, *wanted) if name not in known]:
        raise RuleViolated(f"{grain} rollups cannot be split by {', '.join(strange)}", details={"known": list(known)})
    columns = "".join(f", {name}" for name in by)
    conditions = "".join(f" AND {name} IS NOT DISTINCT FROM %s" for name in wanted)
    statement = f"""
    WITH chosen AS MATERIALIZED (
      SELECT bucket{columns}, n, total, histogram FROM public.sensor_rollups_now
      WHERE grain = %s AND metric = %s AND stage IS NOT DISTINCT FROM %s
        AND bucket >= date_trunc(%s, %s::timestamptz, 'UTC') AND bucket < %s{conditions}
    )
    SELECT bucket{columns}, bin, sum(n)::bigint, sum(total) FROM (
      SELECT bucket{columns}, NULL::bigint AS bin, n, total FROM chosen
      UNION ALL SELECT bucket{columns}, unnest(histogram[1:1]), unnest(histogram[2:2]), 0 FROM chosen
    ) AS every GROUP BY bucket{columns}, bin ORDER BY bucket{columns}
    """  # noqa: S608  names are of `DIMENSIONS`
    values: list[Any] = [grain, metric, stage, grain, since, until, *wanted.values()]
    points: dict[tuple[Any, ...], tuple[int, Decimal]] = {}
    bins: dict[tuple[Any, ...], dict[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for *key, number, n, total in cursor.fetchall():
            if number is None:
                points[tuple(key)] = (n, total)
            elif n:
                bins.setdefault(tuple(key), {})[number] = n
    return [
        Point(key[0], dict(zip(by, key[1:], strict=True)), n, total, bins.get(key, {}))
        for key, (n, total) in points.items()
        if n
    ]


def dimension_values(name: str, *, most: int = 100) -> list[str]:
    """The values of a dimension that any recorded run had, in their order; at most so many."""
    if name not in DIMENSIONS:
        raise RuleViolated(f"runs have no {name}", details={"known": list(DIMENSIONS)})
    statement = f"""
    SELECT DISTINCT {name} FROM public.sensor_rollups_now
    WHERE grain = 'day' AND metric = 'runs' AND stage IS NULL AND {name} IS NOT NULL ORDER BY 1 LIMIT %s
    """  # noqa: S608  a name of `DIMENSIONS`
    with connection.cursor() as cursor:
        cursor.execute(statement, [most])
        return [str(value) for (value,) in cursor.fetchall()]


def merged(points: Sequence[Point]) -> Histogram:
    """The histograms of several points as one."""
    summed: dict[int, int] = {}
    for point in points:
        for number, count in point.histogram.items():
            summed[number] = summed.get(number, 0) + count
    return summed
