"""The only door to the student: reads its documented tables as `maas_service`, and writes nothing.

A run is *settled* when `finished_at` is set; nothing that is recorded here changes afterwards, except feedback and
consent (`LateFacts`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from sensor.domain.facts import END_TO_END, FinishedRun, LateFacts, MemoryFact

ALIAS = "maas"
CHANNEL = "pipeline_events"

# MaaS names its work by what is done, the mission by who does it.
_STAGE_NAMES = {"analysis": "analyzer", "assembly": "assembler", "response": "responder", "archive": "archivist"}

_RUNS = """
SELECT id, user_id, thread_id, client_kind, mode, experiment, variant, cycle_type, seed, parameter_version,
       user_query, keywords, final_context_payload, context_tokens, final_answer, retrieval -> 'found',
       jsonb_path_query_array(retrieval, 'lax $.candidates[*] ? (@.cut == null)'),
       used_memory_ids, memory_id, status, error_type, error_message, retry_count, simulated_at, created_at,
       finished_at, stage_timings, latency_ms, model, prompt_tokens, completion_tokens, cost_usd, feedback_score,
       feedback_at, consent
FROM pipeline_runs WHERE id = ANY(%s) AND finished_at IS NOT NULL
"""
_MEMORIES = "SELECT id, user_id, simulated_at, semantic_tags FROM lsm_storage WHERE id = ANY(%s)"
_SETTLED = """
SELECT finished_at, id FROM pipeline_runs WHERE (finished_at, id) > (%s, %s) ORDER BY finished_at, id LIMIT %s
"""
# Settling writes `updated_at` first and `finished_at` last. The condition is that of the index `runs_changed_late`.
_CHANGED_LATE = """
SELECT updated_at, id FROM pipeline_runs WHERE updated_at > finished_at AND (updated_at, id) > (%s, %s)
ORDER BY updated_at, id LIMIT %s
"""
_LATE_FACTS = """
SELECT id, feedback_score, feedback_at, consent FROM pipeline_runs WHERE id = ANY(%s) AND finished_at IS NOT NULL
"""
# A transaction that is still open may yet bring a run whose `finished_at` lies after the transaction's start.
_HORIZON = """
SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextmanager
def as_service(role: str = "maas_service") -> Iterator[CursorWrapper]:
    """A transaction of the student's database that sees all users. Yields a cursor of it."""
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT current_setting('role'), set_config('role', %s, true)", [role])
        before = cursor.fetchone()[0]
        yield cursor
        # SET LOCAL survives the release of a savepoint, so it is put back by hand.
        cursor.execute("SELECT set_config('role', %s, true)", [before])


def horizon() -> datetime:
    """No run that is invisible now will ever carry a `finished_at` before this (by the student's clock), and no late
    change an `updated_at`."""
    # As the login itself: a role that was taken is not shown what the login's other sessions do.
    with as_service(role="none") as cursor:
        cursor.execute(_HORIZON)
        moment: datetime = cursor.fetchone()[0]
        return moment


def settled_runs(*, after: tuple[datetime, uuid.UUID], limit: int) -> list[tuple[datetime, uuid.UUID]]:
    """`(finished_at, id)` of the next settled runs, oldest first."""
    with as_service() as cursor:
        cursor.execute(_SETTLED, [*after, limit])
        return [(row[0], row[1]) for row in cursor.fetchall()]


def finished_runs(run_ids: Sequence[uuid.UUID]) -> list[FinishedRun]:
    """Those of `run_ids` that are settled, in no particular order."""
    with as_service() as cursor:
        cursor.execute(_RUNS, [list(run_ids)])
        return [_run(row) for row in cursor.fetchall()]


def late_changes(*, after: tuple[datetime, uuid.UUID], limit: int) -> list[tuple[datetime, uuid.UUID]]:
    """`(updated_at, id)` of the next runs that were changed after they had settled, earliest change first."""
    with as_service() as cursor:
        cursor.execute(_CHANGED_LATE, [*after, limit])
        return [(row[0], row[1]) for row in cursor.fetchall()]


def late_facts(run_ids: Sequence[uuid.UUID]) -> list[LateFacts]:
    """Feedback and consent as they stand now, of those of `run_ids` that are settled."""
    with as_service() as cursor:
        cursor.execute(_LATE_FACTS, [list(run_ids)])
        return [LateFacts(*row) for row in cursor.fetchall()]


def memory_facts(memory_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, MemoryFact]:
    """Owner, time and tags of the memories that still exist."""
    if not memory_ids:
        return {}
    with as_service() as cursor:
        cursor.execute(_MEMORIES, [list(memory_ids)])
        return {row[0]: MemoryFact(owner=row[1], made_at=row[2], tags=row[3] or ()) for row in cursor.fetchall()}


def _decoded(value: Any, kind: type) -> Any:
    """JSON as text or parsed; an empty `kind` when it is something else: an odd run must not stop the others."""
    if isinstance(value, str):
        value = json.loads(value)
    return value if isinstance(value, kind) else kind()


def _ids(values: Sequence[Any]) -> list[uuid.UUID]:
    ids = []
    for value in values:
        try:
            ids.append(uuid.UUID(str(value)))
        except ValueError:
            continue
    return ids


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _run(row: Sequence[Any]) -> FinishedRun:
    found = _ids(_decoded(row[15], list))
    scores = {
        str(each.get("memory_id")): _number(each.get("score"))
        for each in _decoded(row[16], list)
        if isinstance(each, dict)
    }
    timings = {
        _STAGE_NAMES.get(name, name): number
        for name, value in _decoded(row[26], dict).items()
        if (number := _number(value)) is not None
    }
    if row[27] is not None:
        timings[END_TO_END] = row[27]
    return FinishedRun(
        id=row[0],
        user_id=row[1],
        thread_id=row[2],
        client_kind=row[3],
        mode=row[4],
        experiment=row[5],
        variant=row[6],
        cycle_type=row[7],
        seed=row[8],
        parameter_version=row[9],
        query=row[10],
        keywords=[word for word in _decoded(row[11], list) if isinstance(word, str)],
        context=row[12],
        context_tokens=row[13],
        answer=row[14],
        found_ids=found,
        found_scores=[scores.get(str(each)) for each in found],
        used_ids=row[17],
        memory_id=row[18],
        status=row[19],
        error_type=row[20],
        error_message=row[21],
        retry_count=row[22],
        simulated_at=row[23],
        started_at=row[24],
        ended_at=row[25],
        stage_timings=timings,
        model=row[28],
        prompt_tokens=row[29],
        completion_tokens=row[30],
        total_cost_usd=None if row[31] is None else Decimal(str(row[31])),
        feedback_score=row[32],
        feedback_at=row[33],
        consent=row[34],
    )
