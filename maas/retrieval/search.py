"""One search: relevance and recency of this user's memories, mixed, cut, and explained.

score = (relevance_weight · relevance + recency_weight · recency) / (relevance_weight + recency_weight)

Both parts are relative to the candidates of this query, so that they can be mixed: relevance is the strategy's raw
score, after neighbours, person and date, divided by the best one; recency is the place in the candidates' span of time,
from 0 for the oldest to 1 for the newest. Equal scores are ordered by id: the same data gives the same result.

- `neighbor_weight` w: a memory also gets w of the raw score of the one just before it in the same conversation (the
  question that it answers), and a third of that of the one just after.
- `person_boost` b: what was said by somebody whom the query names counts (1 + b) times.
- `date_boost` b: what is of the time that the query names counts (1 + b) times.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from maas.access import Statement, act_for
from maas.parameters import RunParameters
from maas.retrieval.found import Found, SearchResult
from maas.retrieval.periods import Period, period_of
from maas.retrieval.statement import COLUMNS, statement
from maas.retrieval.strategies import Query, strategy_named

TRACED = 20
"""How many of the best candidates a run's trace explains."""


def search(*, user_id: uuid.UUID, query: Query, parameters: RunParameters, until: datetime | None) -> SearchResult:
    """Search the user's memories not later than `until` (None: now). Whose they are, row-level security alone decides.

    Raises `InvalidInput` for an unknown strategy, and as the embedder does where meaning is searched.
    """
    prepared = search_statement(query=query, parameters=parameters, until=until)
    period = _period(query, parameters, until)
    if prepared is None:
        return _cut([], query=query, period=period, parameters=parameters)
    rows = act_for(user_id, prepared)[0].rows
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return _cut(found, query=query, period=period, parameters=parameters)


def search_statement(*, query: Query, parameters: RunParameters, until: datetime | None) -> Statement | None:
    """The one statement of a search, to be run in a user's name. None: the query has nothing to search with."""
    strategy = strategy_named(parameters.retrieval_strategy)
    terms = strategy.terms(query, parameters)
    if terms is None:
        return None
    period = _period(query, parameters, until)
    person = parameters.retrieval_person_boost > 0 and bool(query.words)
    sql = statement(
        strategy.name,
        neighbours=parameters.retrieval_neighbor_weight > 0,
        person=person,
        date=period is not None,
    )
    values = {
        **terms,
        "words": query.words,
        "until": until,
        "neighbor_weight": parameters.retrieval_neighbor_weight,
        "person_boost": parameters.retrieval_person_boost,
        "date_boost": parameters.retrieval_date_boost,
        "relevance_share": _relevance_share(parameters),
        "limit": max(TRACED, parameters.retrieval_top_k),
        **_period_values(period),
    }
    return Statement(sql, values)


def _period(query: Query, parameters: RunParameters, until: datetime | None) -> Period | None:
    if parameters.retrieval_date_boost <= 0:
        return None
    return period_of(query.text, asked_at=until or datetime.now(UTC))


def _period_values(period: Period | None) -> Mapping[str, Any]:
    if period is None:
        return {}
    return {
        "months": list(period.months),
        "years": list(period.years),
        "span_starts": [start for start, _ in period.spans],
        "span_ends": [end for _, end in period.spans],
    }


def _relevance_share(parameters: RunParameters) -> float:
    """Two weights of 0 say nothing about the mixture: then relevance decides alone."""
    total = parameters.retrieval_relevance_weight + parameters.retrieval_recency_weight
    return parameters.retrieval_relevance_weight / total if total > 0 else 1.0


def _cut(rows: list[dict[str, Any]], *, query: Query, period: Period | None, parameters: RunParameters) -> SearchResult:
    found: list[Found] = []
    candidates: list[dict[str, Any]] = []
    for rank, row in enumerate(rows, start=1):
        cut = None
        if row["score"] < parameters.retrieval_min_score:
            cut = "min_score"
        elif len(found) >= parameters.retrieval_top_k:
            cut = "top_k"
        else:
            found.append(
                Found(
                    row["id"], row["score"], row["relevance"], row["recency"], row["text"], row["simulated_at"],
                    row["speaker"], row["language"],
                )
            )  # fmt: skip
        why: dict[str, Any] = {name: True for name in ("is_named", "is_dated") if row[name]}
        if row["from_neighbours"]:
            why["from_neighbours"] = round(row["from_neighbours"], 6)
        candidates.append(
            {
                "memory_id": str(row["id"]),
                "rank": rank,
                "raw": round(row["raw"], 6),
                "relevance": round(row["relevance"], 6),
                "recency": round(row["recency"], 6),
                "score": round(row["score"], 6),
                "cut": cut,
                **why,
            }
        )
    trace = {
        "strategy": parameters.retrieval_strategy,
        "query_terms": {"keywords": list(query.keywords), **({"period": period.as_json()} if period else {})},
        "considered": rows[0]["considered"] if rows else 0,
        "found": [str(item.memory_id) for item in found],
        "candidates": candidates,
    }
    return SearchResult(found=found, trace=trace)
