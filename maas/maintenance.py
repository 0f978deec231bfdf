"""Taking synthetic users out of the student, with all that was said to them and remembered of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from contracts.maas import StudentCounts
from kernel.errors import Conflict, RuleViolated
from maas.access import as_service

CHUNK = 50
"""Users at once: each chunk is a transaction of its own, so that runs of others are not held up."""

_REAL = "SELECT DISTINCT user_id FROM pipeline_runs WHERE user_id = ANY(%s) AND client_kind <> 'emulator'"
_OPEN = (
    "SELECT count(*) FROM pipeline_runs WHERE user_id = ANY(%s)"
    " AND (status NOT IN ('COMPLETED', 'FAILED') OR needs_archive)"
)
_TABLES = {"logs": "raw_logs", "runs": "pipeline_runs", "memories": "lsm_storage"}


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
