"""One search as one SQL statement: own memories → strategy → neighbours → person and date → mixed with recency.

Row-level security alone decides whose memories `own` holds; no fragment names a user.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from maas.retrieval.strategies import LEXEMES, any_of, strategy_named

NEXT_SHARE: Final = 1 / 3
"""What follows a match says less than what it answers: the weight of the next turn beside that of the previous one."""
SAME_CONVERSATION: Final = "1 hour"
"""Memories further apart are not neighbours."""

_NAMED = f"(o.tsv @@ {any_of(LEXEMES, ':A')})"
_DATED = """(EXISTS (SELECT FROM unnest(%(span_starts)s::timestamptz[], %(span_ends)s::timestamptz[]) AS s(start, stop)
      WHERE o.simulated_at >= s.start AND o.simulated_at < s.stop)
    OR ((cardinality(%(months)s::int[]) > 0 OR cardinality(%(years)s::int[]) > 0)
      AND (cardinality(%(months)s::int[]) = 0
        OR extract(month FROM o.simulated_at AT TIME ZONE 'UTC') = ANY(%(months)s::int[]))
      AND (cardinality(%(years)s::int[]) = 0
        OR extract(year FROM o.simulated_at AT TIME ZONE 'UTC') = ANY(%(years)s::int[]))))"""

_SPREAD = f"""
, spread AS (
  SELECT id, own_raw, own_raw + coalesce(from_neighbours, 0) AS raw, coalesce(from_neighbours, 0) AS from_neighbours
  FROM (
    SELECT o.id, coalesce(m.raw, 0) AS own_raw, %(neighbor_weight)s::float8 * (
        coalesce(CASE WHEN o.simulated_at - lag(o.simulated_at) OVER w < interval '{SAME_CONVERSATION}'
          THEN lag(m.raw) OVER w END, 0)
        + {NEXT_SHARE:.6f} * coalesce(CASE WHEN lead(o.simulated_at) OVER w - o.simulated_at
          < interval '{SAME_CONVERSATION}' THEN lead(m.raw) OVER w END, 0)) AS from_neighbours
    FROM own AS o LEFT JOIN {{matched}} AS m USING (id)
    WINDOW w AS (ORDER BY o.simulated_at, o.id)) AS turns
  WHERE own_raw > 0 OR from_neighbours > 0 OR id IN (SELECT id FROM {{matched}})
)"""
_BOOSTED = """
, boosted AS (
  SELECT s.id, o.simulated_at, s.from_neighbours, {named} AS is_named, {dated} AS is_dated,
    s.raw * (1 + %(person_boost)s::float8 * {named}::int) * (1 + %(date_boost)s::float8 * {dated}::int) AS raw
  FROM {spread} AS s JOIN own AS o USING (id)
)"""
_STATEMENT = """
WITH own AS MATERIALIZED (
  SELECT m.id, m.simulated_at{columns} FROM lsm_storage AS m
  WHERE m.simulated_at <= coalesce(%(until)s, clock_timestamp()) AND {narrow}
),{ctes}{spread}{boosted}
, parts AS (
  SELECT id, raw, from_neighbours, is_named, is_dated,
    coalesce(raw / nullif(max(raw) OVER (), 0), 0) AS relevance,
    coalesce(extract(epoch FROM simulated_at - min(simulated_at) OVER ())::float8
      / nullif(extract(epoch FROM max(simulated_at) OVER () - min(simulated_at) OVER ()), 0)::float8, 1) AS recency,
    count(*) OVER () AS considered
  FROM boosted
), best AS (
  SELECT *, %(relevance_share)s * relevance + (1 - %(relevance_share)s) * recency AS score FROM parts
  ORDER BY score DESC, id LIMIT %(limit)s
)
SELECT b.id, b.raw, b.relevance, b.recency, b.score, b.considered, b.from_neighbours, b.is_named, b.is_dated,
  m.summary_text, m.simulated_at, m.speaker, m.language
FROM best AS b JOIN lsm_storage AS m USING (id) ORDER BY b.score DESC, b.id
"""
COLUMNS = (
    "id", "raw", "relevance", "recency", "score", "considered", "from_neighbours", "is_named", "is_dated",
    "text", "simulated_at", "speaker", "language",
)  # fmt: skip
"""What a row of the statement holds, in its order."""


@cache
def statement(strategy_name: str, *, neighbours: bool, person: bool, date: bool) -> str:
    """The SQL for a strategy and the factors that are above 0; those at 0 cost nothing."""
    strategy = strategy_named(strategy_name)
    matched = strategy.name
    columns = dict.fromkeys((*strategy.columns, *(("tsv",) if person else ())))
    return _STATEMENT.format(
        columns="".join(f", m.{name}" for name in columns),
        narrow="true" if neighbours else strategy.narrow,
        ctes=strategy.ctes,
        spread=_SPREAD.format(matched=matched) if neighbours else "",
        boosted=_BOOSTED.format(
            spread="spread" if neighbours else f"(SELECT id, raw, 0::float8 AS from_neighbours FROM {matched})",
            named=_NAMED if person else "false",
            dated=_DATED if date else "false",
        ),
    )
