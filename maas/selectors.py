"""Reads of the student's tables for its clients."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime
from typing import NamedTuple

from django.db import connections

from contracts.maas import FoundMemory, RunAnswer
from kernel.errors import NotFound
from maas.access import ALIAS, acting_for

_ANSWER = """
SELECT r.status, r.final_answer, r.error_message, r.memory_id, r.parameter_version, r.finished_at IS NOT NULL,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('memory_id', m.id, 'score', c.score, 'relevance', c.relevance,
      'recency', c.recency, 'text', m.summary_text, 'created_at', m.simulated_at) ORDER BY c.rank), '[]')
   FROM jsonb_to_recordset(r.retrieval -> 'candidates') AS c(memory_id uuid, rank int, score float8, relevance float8,
     recency float8, cut text)
   JOIN lsm_storage AS m ON m.id = c.memory_id WHERE c.cut IS NULL)
FROM pipeline_runs AS r WHERE r.id = %s
"""


def run_answer(*, run_id: uuid.UUID, user_id: uuid.UUID) -> tuple[RunAnswer, bool]:
    """The run as its client sees it now, and whether it is settled (nothing of it will change, archiving included).

    `found` carries each memory with its simulated time as `created_at`. Raises `NotFound`, for another user's run too.
    """
    with acting_for(user_id) as cursor:
        cursor.execute(_ANSWER, [run_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("no such run of this user", details={"run_id": str(run_id)})
    found = json.loads(row[6]) if isinstance(row[6], str) else row[6]
    answer = RunAnswer(
        run_id=run_id,
        status=row[0],
        answer=row[1],
        error=row[2] if row[0] == "FAILED" else None,
        found=tuple(FoundMemory.model_validate(item) for item in found),
        memory_id=row[3],
        parameter_version=row[4],
    )
    return answer, bool(row[5])


_PAUSES = (0.02, 0.25)
"""First and longest pause between two looks at a run, in seconds."""


def run_wait(*, run_id: uuid.UUID, user_id: uuid.UUID, timeout: float) -> tuple[RunAnswer, bool]:
    """`run_answer` as soon as the run is settled, or as it stands after `timeout` seconds. Works on nothing itself."""
    deadline = time.monotonic() + timeout
    pause, longest = _PAUSES
    while True:
        answer, settled = run_answer(run_id=run_id, user_id=user_id)
        left = deadline - time.monotonic()
        if settled or left <= 0:
            return answer, settled
        _let_go()
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, longest)


def runs_before(*, run_id: uuid.UUID, user_id: uuid.UUID) -> list[uuid.UUID]:
    """Open dialogue runs of the user that must be done before this one, oldest first."""
    with acting_for(user_id) as cursor:
        cursor.execute(
            "SELECT o.id FROM pipeline_runs AS o, pipeline_runs AS r WHERE r.id = %s AND o.mode = 'dialogue'"
            " AND r.mode = 'dialogue' AND o.user_id = r.user_id AND (o.created_at, o.id) < (r.created_at, r.id)"
            " AND (o.status NOT IN ('COMPLETED', 'FAILED') OR o.needs_archive) ORDER BY o.created_at, o.id",
            [run_id],
        )
        return [row[0] for row in cursor.fetchall()]


def _let_go() -> None:
    """Whoever waits holds no connection of a pool meanwhile."""
    connection = connections[ALIAS]
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


class Remembered(NamedTuple):
    """One memory as a person may see it. `said_at` is the user's own time."""

    memory_id: uuid.UUID
    text: str
    said_at: datetime


def memories_of(*, user_id: uuid.UUID, before: datetime, limit: int = 300) -> list[Remembered]:
    """The user's memories of what was said before a moment, newest first."""
    with acting_for(user_id) as cursor:
        cursor.execute(
            "SELECT id, summary_text, simulated_at FROM lsm_storage WHERE simulated_at < %s"
            " ORDER BY simulated_at DESC, id LIMIT %s",
            [before, limit],
        )
        return [Remembered(*row) for row in cursor.fetchall()]


def memories_count(*, user_id: uuid.UUID) -> int:
    with acting_for(user_id) as cursor:
        cursor.execute("SELECT count(*) FROM lsm_storage")
        return int(cursor.fetchone()[0])
