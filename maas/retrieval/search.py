"""One search: relevance and recency of this user's memories, mixed, cut, and explained.

score = (relevance_weight · relevance + recency_weight · recency) / (relevance_weight + recency_weight)

Both parts are relative to the candidates of this query, so that they can be mixed: relevance is a strategy's raw score
divided by the best one; recency is the place in the candidates' span of time, from 0 for the oldest to 1 for the
newest. Equal scores are ordered by id: the same data gives the same result.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maas.access import Statement, act_for
from maas.parameters import RunParameters
from maas.retrieval.found import Found, SearchResult
from maas.retrieval.strategies import Strategy, strategy_named

TRACED = 20
"""How many of the best candidates a run's trace explains."""

_STATEMENT = """
WITH hits AS MATERIALIZED (
  SELECT m.id, m.simulated_at, {raw} AS raw FROM lsm_storage AS m
  WHERE m.simulated_at <= coalesce(%(until)s, clock_timestamp()) AND {where}
), parts AS (
  SELECT id, raw, coalesce(raw / nullif(max(raw) OVER (), 0), 0) AS relevance,
    coalesce(extract(epoch FROM simulated_at - min(simulated_at) OVER ())::float8
      / nullif(extract(epoch FROM max(simulated_at) OVER () - min(simulated_at) OVER ()), 0)::float8, 1) AS recency,
    count(*) OVER () AS considered
  FROM hits
), best AS (
  SELECT *, %(relevance_share)s * relevance + (1 - %(relevance_share)s) * recency AS score FROM parts
  ORDER BY score DESC, id LIMIT %(limit)s
)
SELECT b.id, b.raw, b.relevance, b.recency, b.score, b.considered, m.summary_text, m.simulated_at, m.speaker, m.language
FROM best AS b JOIN lsm_storage AS m USING (id) ORDER BY b.score DESC, b.id
"""
_prepared: dict[str, str] = {}


def search(
    *, user_id: uuid.UUID, keywords: Sequence[str], parameters: RunParameters, until: datetime | None
) -> SearchResult:
    """Search the user's memories not later than `until` (None: now). Whose they are, row-level security alone decides.

    Raises `InvalidInput` for an unknown strategy.
    """
    strategy = strategy_named(parameters.retrieval_strategy)
    terms = strategy.terms(keywords, parameters)
    rows: list[tuple[Any, ...]] = []
    if terms is not None:
        values = {
            **terms,
            "until": until,
            "relevance_share": _relevance_share(parameters),
            "limit": max(TRACED, parameters.retrieval_top_k),
        }
        rows = act_for(user_id, Statement(_statement(strategy), values))[0].rows
    return _cut(rows, strategy=strategy, terms=dict(terms or {}), parameters=parameters)


def _statement(strategy: Strategy) -> str:
    if strategy.name not in _prepared:
        _prepared[strategy.name] = _STATEMENT.format(raw=strategy.raw, where=strategy.where)
    return _prepared[strategy.name]


def _relevance_share(parameters: RunParameters) -> float:
    """Two weights of 0 say nothing about the mixture: then relevance decides alone."""
    total = parameters.retrieval_relevance_weight + parameters.retrieval_recency_weight
    return parameters.retrieval_relevance_weight / total if total > 0 else 1.0


def _cut(
    rows: list[tuple[Any, ...]], *, strategy: Strategy, terms: dict[str, Any], parameters: RunParameters
) -> SearchResult:
    found: list[Found] = []
    candidates: list[dict[str, Any]] = []
    for rank, (memory_id, raw, relevance, recency, score, _, text, at, speaker, language) in enumerate(rows, start=1):
        cut = None
        if score < parameters.retrieval_min_score:
            cut = "min_score"
        elif len(found) >= parameters.retrieval_top_k:
            cut = "top_k"
        else:
            found.append(Found(memory_id, score, relevance, recency, text, at, speaker, language))
        candidates.append(
            {
                "memory_id": str(memory_id),
                "rank": rank,
                "raw": round(raw, 6),
                "relevance": round(relevance, 6),
                "recency": round(recency, 6),
                "score": round(score, 6),
                "cut": cut,
            }
        )
    trace = {
        "strategy": strategy.name,
        "query_terms": terms,
        "considered": rows[0][5] if rows else 0,
        "found": [str(item.memory_id) for item in found],
        "candidates": candidates,
    }
    return SearchResult(found=found, trace=trace)
