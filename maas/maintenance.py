"""Upkeep of the student: how well its memories serve, and taking synthetic users out with all that is kept of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.maas import MemoryQuality, StudentCounts
from kernel.errors import Conflict, RuleViolated
from maas.access import as_service
from maas.domain.reviewing import LOW_BELOW, LOW_FROM
from maas.memories import memories_unembedded

CHUNK = 50
"""Users at once: each chunk is a transaction of its own, so that runs of others are not held up."""

_REAL = "SELECT DISTINCT user_id FROM pipeline_runs WHERE user_id = ANY(%s) AND client_kind <> 'emulator'"
_OPEN = (
    "SELECT count(*) FROM pipeline_runs WHERE user_id = ANY(%s)"
    " AND (status NOT IN ('COMPLETED', 'FAILED') OR needs_archive)"
)
_TABLES = {"logs": "raw_logs", "runs": "pipeline_runs", "memories": "lsm_storage"}

_LAST_REQUEST = "SELECT max(created_at) FROM pipeline_runs WHERE client_kind = 'user' AND mode = 'dialogue'"

# used/retrieved × helpful/used is helpful/retrieved where anything was used, and nothing else. Times retrieved and used
# may be counted by other statements than helpful ones, so a score is held below 1.
SCORE = """(CASE WHEN times_used > 0 THEN
    least(times_used::float / nullif(times_retrieved, 0), 1) * least(times_helpful::float / times_used, 1)
    ELSE 0 END)"""
"""The score of a row of `lsm_storage` that was retrieved at least once, as SQL."""

_QUALITY = f"""
WITH scored AS (
  SELECT times_retrieved AS n, simulated_at, {SCORE} AS score
  FROM lsm_storage WHERE times_retrieved > 0 AND set_aside_at IS NULL
)
SELECT (SELECT count(*) FROM lsm_storage WHERE set_aside_at IS NULL), count(*),
  count(*) FILTER (WHERE n >= %s AND score < %s), avg(score),
  (SELECT extract(epoch FROM avg(now() - simulated_at)) / 86400 FROM lsm_storage WHERE set_aside_at IS NULL)
FROM scored
"""  # noqa: S608  own constants


def last_real_request() -> datetime | None:
    """When a person last asked; None: never."""
    with as_service() as cursor:
        cursor.execute(_LAST_REQUEST)
        found: datetime | None = cursor.fetchone()[0]
        return found


def memories_quality() -> MemoryQuality:
    """Scores of all memories as they stand now."""
    with as_service() as cursor:
        cursor.execute(_QUALITY, [LOW_FROM, LOW_BELOW])
        memories, retrieved, low, score, age = cursor.fetchone()
    return MemoryQuality(
        memories=memories,
        retrieved=retrieved,
        low=low,
        score=score,
        age_days=None if age is None else float(age),
        unembedded=memories_unembedded(),
    )


def users_real(*, user_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of them for whom a person has ever talked to the student."""
    found: set[uuid.UUID] = set()
    for chunk in _chunks(user_ids, 1000):
        with as_service() as cursor:
            cursor.execute(_REAL, [chunk])
            found |= {uuid.UUID(str(row[0])) for row in cursor.fetchall()}
    return found


def users_count(*, user_ids: Sequence[uuid.UUID]) -> StudentCounts:
    """What `users_purge` would take away."""
    total = StudentCounts()
    for chunk in _chunks(user_ids, 1000):
        with as_service() as cursor:
            counts = {}
            for name, table in _TABLES.items():
                cursor.execute(f"SELECT count(*) FROM {table} WHERE user_id = ANY(%s)", [chunk])  # noqa: S608  own names
                counts[name] = int(cursor.fetchone()[0])
            total += StudentCounts(**counts)
    return total


def users_purge(*, user_ids: Sequence[uuid.UUID]) -> StudentCounts:
    """Delete runs, logs and memories of synthetic users. Returns how many rows went.

    By chunks, each committed: interrupted, it is simply done again. In each chunk: refuse real people and open runs
    while both tables are as they are in one transaction, then delete.
    Raises `RuleViolated` when one of them is a person (nothing of that chunk or of later ones is deleted), `Conflict`
    while a run of theirs is being answered.
    """
    total = StudentCounts()
    for chunk in _chunks(user_ids, CHUNK):
        with as_service() as cursor:
            cursor.execute(_REAL, [chunk])
            if people := cursor.fetchall():
                raise RuleViolated(
                    "these are not all synthetic: a person has talked as one of them",
                    details={"users": [str(row[0]) for row in people]},
                )
            cursor.execute(_OPEN, [chunk])
            if cursor.fetchone()[0]:
                raise Conflict("runs of these users are still being answered")
            counts = {}
            for name, table in _TABLES.items():
                cursor.execute(f"DELETE FROM {table} WHERE user_id = ANY(%s)", [chunk])  # noqa: S608  own names
                counts[name] = cursor.rowcount
            total += StudentCounts(**counts)
    return total


def _chunks(user_ids: Sequence[uuid.UUID], size: int) -> Iterator[list[uuid.UUID]]:
    ids = list(dict.fromkeys(user_ids))
    return (ids[start : start + size] for start in range(0, len(ids), size))
