"""Merging memories that say the same: within one person, checked by that person's own questions, undoable."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.maas import MergeCounts, MergeRecord
from contracts.parameters import ParameterContext
from kernel.errors import NotFound
from maas.access import acting_for, as_service
from maas.domain.merging import Pair, Said, pairs
from maas.parameters import RunParameters, resolve
from maas.retrieval.search import search
from maas.retrieval.strategies import Query
from maas.reviews import memories_bring_back, memories_set_aside

QUESTIONS = 60
"""Newest different questions of a person that a merge is tried on."""
MEMORIES = 1500
"""Newest memories of a person that are compared with each other."""

_MEMORIES = """
SELECT id, summary_text, coalesce(speaker, ''), simulated_at FROM lsm_storage ORDER BY created_at DESC, id LIMIT %s
"""
_QUESTIONS = """
SELECT user_query, keywords, simulated_at, used_memory_ids FROM (
  SELECT DISTINCT ON (user_query) user_query, keywords, simulated_at, used_memory_ids, created_at FROM pipeline_runs
  WHERE status = 'COMPLETED' AND keywords IS NOT NULL ORDER BY user_query, created_at DESC) AS asked
ORDER BY created_at DESC LIMIT %s
"""
_USERS = """
SELECT user_id FROM lsm_storage WHERE set_aside_at IS NULL GROUP BY user_id HAVING count(*) > 1
ORDER BY max(created_at) DESC LIMIT %s
"""
_HALF_DONE = """
UPDATE lsm_storage AS m SET set_aside_at = NULL, set_aside_for = NULL
WHERE set_aside_at IS NOT NULL AND set_aside_for LIKE 'merge:%%'
  AND NOT EXISTS (SELECT FROM memory_merges AS d WHERE 'merge:' || d.id = m.set_aside_for)
"""
_RECORD = """
INSERT INTO memory_merges (id, user_id, kept, dropped, questions, refused) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (kept, dropped) DO NOTHING
"""
_SHOWN = "SELECT id, user_id, kept, dropped, questions, refused, created_at, undone_at FROM memory_merges"


class _Asked(NamedTuple):
    """A recorded question with its keywords. `expected`: what must go on being found."""

    text: str
    keywords: tuple[str, ...]
    at: datetime | None
    expected: frozenset[uuid.UUID]


def users_to_merge(*, limit: int) -> list[uuid.UUID]:
    """People with more than one memory, those who told something last first.

    What a killed worker left set aside without having recorded it is brought back first: nobody had checked it.
    """
    with as_service() as cursor:
        cursor.execute(_HALF_DONE, [])
        cursor.execute(_USERS, [limit])
        return [row[0] for row in cursor.fetchall()]


def memories_merge(
    *, user_id: uuid.UUID, protected: Collection[uuid.UUID], expected: Mapping[str, Collection[uuid.UUID]]
) -> MergeCounts:
    """Set aside what another memory of this person says in full, where no question loses anything by it.

    1. Pairs are looked for among what the person's own role sees, so never across people. 2. The person's recorded
    questions are searched anew under the parameters of production. 3. The repetition is set aside. 4. They are searched
    again: where something expected is not found any more (what answers used, and `expected` by a question's text; for
    a dropped memory the kept one counts), it is brought back, and the refusal is kept with its reason. A pair that was
    decided before, refused or undone, is left alone. `protected` memories are never dropped.
    """
    found = _pairs(user_id, protected)
    if not found:
        return MergeCounts(merged=0, refused=0)
    parameters = resolve(ParameterContext(user_id=user_id))
    asked = _asked(user_id, expected)
    refused = sum(not _merge(user_id, pair, asked, parameters) for pair in found)
    return MergeCounts(merged=len(found) - refused, refused=refused)


def merge_undo(*, merge_id: uuid.UUID) -> MergeRecord:
    """Bring back what a merge set aside; the pair is not merged again. Repeated it changes nothing.

    Raises `NotFound`.
    """
    memories_bring_back(decision=f"merge:{merge_id}")
    with as_service() as cursor:
        cursor.execute(
            "UPDATE memory_merges SET undone_at = coalesce(undone_at, clock_timestamp())"
            " WHERE id = %s AND refused = ''",
            [merge_id],
        )
        cursor.execute(_SHOWN + " WHERE id = %s", [merge_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"there is no merge {merge_id}", details={"merge": str(merge_id)})
    return _record(row)


def merges(*, limit: int) -> list[MergeRecord]:
    """The newest first, refused ones with their reason."""
    with as_service() as cursor:
        cursor.execute(_SHOWN + " ORDER BY created_at DESC, id LIMIT %s", [limit])
        return [_record(row) for row in cursor.fetchall()]


def _pairs(user_id: uuid.UUID, protected: Collection[uuid.UUID]) -> list[Pair]:
    with acting_for(user_id) as cursor:
        cursor.execute(_MEMORIES, [MEMORIES])
        memories = [Said(*row) for row in cursor.fetchall()]
    with as_service() as cursor:
        cursor.execute("SELECT kept, dropped FROM memory_merges WHERE user_id = %s", [user_id])
        decided = {frozenset(row) for row in cursor.fetchall()}
    found = pairs(memories, protected=protected)
    return [pair for pair in found if frozenset((pair.keep, pair.drop)) not in decided]


def _asked(user_id: uuid.UUID, expected: Mapping[str, Collection[uuid.UUID]]) -> list[_Asked]:
    with acting_for(user_id) as cursor:
        cursor.execute(_QUESTIONS, [QUESTIONS])
        rows = cursor.fetchall()
    return [
        _Asked(text, tuple(_words(keywords)), at, frozenset((*(used or ()), *expected.get(text, ()))))
        for text, keywords, at, used in rows
    ]


def _words(keywords: str | Sequence[str]) -> list[str]:
    return list(json.loads(keywords) if isinstance(keywords, str) else keywords)


def _merge(user_id: uuid.UUID, pair: Pair, asked: Sequence[_Asked], parameters: RunParameters) -> bool:
    merge_id = uuid.uuid4()
    before = [_found(user_id, item, parameters) & item.expected for item in asked]
    memories_set_aside(pairs=[(pair.drop, user_id)], decision=f"merge:{merge_id}")
    reason = ""
    for item, had in zip(asked, before, strict=True):
        wanted = {pair.keep if memory == pair.drop else memory for memory in had}
        if wanted and (lost := wanted - _found(user_id, item, parameters)):
            reason = f"{len(lost)} expected memory is not found any more for one of {len(asked)} questions"
            memories_bring_back(decision=f"merge:{merge_id}")
            break
    with as_service() as cursor:
        cursor.execute(_RECORD, [merge_id, user_id, pair.keep, pair.drop, len(asked), reason])
    return not reason


def _found(user_id: uuid.UUID, item: _Asked, parameters: RunParameters) -> set[uuid.UUID]:
    query = Query(text=item.text, keywords=item.keywords)
    result = search(user_id=user_id, query=query, parameters=parameters, until=item.at)
    return {memory.memory_id for memory in result.found}


def _record(row: tuple[object, ...]) -> MergeRecord:
    return MergeRecord.model_validate(dict(zip(MergeRecord.model_fields, row, strict=True)))
