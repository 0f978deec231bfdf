"""What the Sensor recorded of each parameter version, by where the questions came from. Read from rollups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connection

Source = Literal["train", "validation", "golden", "online"]
"""Whose questions: those of simulated users, of the two held-out splits, or of real people."""


@dataclass(frozen=True, slots=True)
class VersionTotal:
    """`total` is the sum of a metric over the `n` runs of a version that have a value."""

    version: int
    source: Source
    metric: str
    n: int
    total: float

    @property
    def mean(self) -> float:
        return self.total / self.n


_TOTALS = """
SELECT parameter_version, source, metric, sum(n)::bigint, sum(total)::float8 FROM (
  SELECT parameter_version, metric, n, total,
         CASE WHEN client_kind = 'user' AND cycle_type = 'online' THEN 'online'
              WHEN client_kind = 'emulator' THEN split END AS source
  FROM public.sensor_rollups_now
  WHERE grain = 'day' AND stage IS NULL AND metric = ANY(%s) AND parameter_version = ANY(%s)
) AS told WHERE source IN ('train', 'validation', 'golden', 'online')
GROUP BY parameter_version, source, metric HAVING sum(n) > 0 ORDER BY parameter_version, source, metric
"""


def totals_by_version(*, metrics: Sequence[str], versions: Sequence[int]) -> list[VersionTotal]:
    """Over all days; runs of other programs count as nobody's. Arms of experiments have versions of their own."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, [list(metrics), list(versions)])
        return [VersionTotal(*row) for row in cursor.fetchall()]
