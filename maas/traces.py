"""How one run came to its answer, read as the service: for people who look into it, never for its user's clients."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maas.access import as_service

_TRACE = """
SELECT r.retrieval ->> 'strategy', coalesce((r.retrieval ->> 'considered')::int, 0), r.stage_timings,
  coalesce((SELECT jsonb_agg(jsonb_build_object('memory_id', c.memory_id, 'raw', c.raw, 'relevance', c.relevance,
      'recency', c.recency, 'score', c.score, 'rank', c.rank, 'cut', c.cut, 'is_named', c.is_named,
      'is_dated', c.is_dated, 'from_neighbours', c.from_neighbours, 'text', m.summary_text, 'speaker', m.speaker,
      'said_at', m.simulated_at) ORDER BY c.rank NULLS LAST, c.score DESC NULLS LAST)
    FROM jsonb_to_recordset(r.retrieval -> 'candidates') AS c(memory_id uuid, raw float8, relevance float8,
      recency float8, score float8, rank int, cut text, is_named boolean, is_dated boolean, from_neighbours float8)
    LEFT JOIN lsm_storage AS m ON m.id = c.memory_id), '[]')
FROM pipeline_runs AS r WHERE r.id = %s
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that the search weighed. `cut`: None when it was given on, else `min_score` or `top_k`.

    `raw` is the strategy's own score, the others lie in [0, 1]. `is_named`, `is_dated`: its speaker or date was asked
    for; `from_neighbours`: what of `raw` came from the memories beside it. `text` is None when the memory is gone.
    """

    memory_id: uuid.UUID
    text: str | None
    speaker: str | None
    said_at: datetime | None
    raw: float | None
    relevance: float | None
    recency: float | None
    score: float | None
    rank: int | None
    cut: str | None
    is_named: bool | None
    is_dated: bool | None
    from_neighbours: float | None


@dataclass(frozen=True, slots=True)
class Trace:
    """`considered`: how many memories the strategy weighed at all. `stage_ms`: milliseconds by stage."""

    strategy: str | None
    considered: int
    stage_ms: dict[str, float]
    candidates: tuple[Candidate, ...]


def run_trace(*, run_id: uuid.UUID) -> Trace | None:
    """None when the student no longer has the run, or never had it."""
    with as_service() as cursor:
        cursor.execute(_TRACE, [run_id])
        row = cursor.fetchone()
    if row is None:
        return None
    return Trace(
        strategy=row[0],
        considered=row[1],
        stage_ms={name: float(value) for name, value in (_object(row[2]) or {}).items()},
        candidates=tuple(_candidate(item) for item in _object(row[3])),
    )


def _candidate(item: dict[str, Any]) -> Candidate:
    said_at = item["said_at"]
    return Candidate(
        memory_id=uuid.UUID(item["memory_id"]),
        said_at=datetime.fromisoformat(said_at) if said_at else None,
        **{name: item[name] for name in Candidate.__slots__ if name not in ("memory_id", "said_at")},
    )


def _object(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
