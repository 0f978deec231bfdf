"""Which memories are put up for review; setting memories aside when somebody has decided so, and bringing them back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.maas import FlaggedMemory, ReviewCounts
from kernel.errors import InvalidInput
from maas.access import as_service
from maas.domain.reviewing import DISLIKED_FROM, LOW_BELOW, LOW_FROM, UNUSED_ASKED, UNUSED_DAYS, Review, Signals, review
from maas.maintenance import SCORE

CHUNK = 1000
MOST = 1000
"""Memories in one decision of a person; more are too many to look at."""

_SIGNALS = f"""
WITH disliked AS (
  SELECT used.id, count(*)::int AS times
  FROM pipeline_runs AS r CROSS JOIN LATERAL unnest(r.used_memory_ids) AS used(id)
  WHERE r.mode = 'dialogue' AND r.feedback_score <= 2 GROUP BY used.id
), asked AS (
  SELECT user_id, count(*)::int AS times FROM pipeline_runs WHERE mode = 'dialogue' GROUP BY user_id
), same AS (
  SELECT id, first_value(id) OVER (
    PARTITION BY user_id, coalesce(speaker, ''),
      md5(btrim(lower(regexp_replace(summary_text, '[^[:alnum:]]+', ' ', 'g'))))
    ORDER BY times_helpful DESC, times_used DESC, simulated_at DESC, id) AS first_id
  FROM lsm_storage WHERE set_aside_at IS NULL
), known AS (
  SELECT m.id, m.user_id, m.times_retrieved, m.times_helpful,
    CASE WHEN m.times_retrieved > 0 THEN {SCORE} END AS score,
    (extract(epoch FROM clock_timestamp() - m.created_at) / 86400)::float8 AS age,
    coalesce(d.times, 0) AS disliked, coalesce(a.times, 0) AS asked, nullif(s.first_id, m.id) AS same_as,
    v.low_since, v.kept_at, v.memory_id IS NOT NULL AS reviewed
  FROM lsm_storage AS m JOIN same AS s USING (id) LEFT JOIN disliked AS d USING (id)
  LEFT JOIN asked AS a ON a.user_id = m.user_id LEFT JOIN memory_reviews AS v ON v.memory_id = m.id
)
SELECT id, user_id, times_retrieved, times_helpful, score, age, disliked, asked, same_as, low_since, kept_at FROM known
WHERE reviewed OR same_as IS NOT NULL OR disliked >= %s OR (times_retrieved >= %s AND score < %s)
  OR (times_retrieved = 0 AND age >= %s AND asked >= %s)
ORDER BY id
"""  # noqa: S608  own constants
_STORE = """
INSERT INTO memory_reviews (memory_id, user_id, score, low_since, reasons, flagged_at)
SELECT memory_id, user_id, score, low_since, reasons, CASE WHEN reasons <> '[]' THEN %s::timestamptz END
FROM jsonb_to_recordset(%s::jsonb)
  AS given(memory_id uuid, user_id uuid, score float8, low_since timestamptz, reasons jsonb)
ON CONFLICT (memory_id) DO UPDATE SET score = excluded.score, low_since = excluded.low_since,
  reasons = excluded.reasons,
  flagged_at = CASE WHEN excluded.flagged_at IS NULL THEN NULL
    ELSE coalesce(memory_reviews.flagged_at, excluded.flagged_at) END
"""
_FORGET = "DELETE FROM memory_reviews WHERE low_since IS NULL AND flagged_at IS NULL AND kept_at IS NULL"
_COUNTS = """
SELECT count(*) FILTER (WHERE v.flagged_at IS NOT NULL), count(*) FILTER (WHERE v.flagged_at IS NULL),
  (SELECT count(*) FROM lsm_storage WHERE set_aside_at IS NOT NULL)
FROM memory_reviews AS v JOIN lsm_storage AS m ON m.id = v.memory_id
WHERE m.set_aside_at IS NULL AND (v.flagged_at IS NOT NULL OR v.low_since IS NOT NULL)
"""
_SHOWN = """
SELECT m.id, m.user_id, m.summary_text, m.speaker, m.simulated_at, v.score, m.times_retrieved, m.times_used,
  m.times_helpful, coalesce(v.reasons, '[]'), v.flagged_at, m.set_aside_at, m.set_aside_for
FROM lsm_storage AS m LEFT JOIN memory_reviews AS v ON v.memory_id = m.id
"""


def memories_review(*, now: datetime) -> ReviewCounts:
    """Look at every memory that stands, and put up for review what deserves it; what deserves it no more is let go.

    Safe to repeat, and to break off: the chunks that are written stay.
    """
    with as_service() as cursor:
        cursor.execute(_SIGNALS, [DISLIKED_FROM, LOW_FROM, LOW_BELOW, UNUSED_DAYS, UNUSED_ASKED])
        found = [Signals(*row) for row in cursor.fetchall()]
    for start in range(0, len(found), CHUNK):
        rows = [_row(item, review(item, now=now)) for item in found[start : start + CHUNK]]
        with as_service() as cursor:
            # A memory may have been purged since it was looked at.
            cursor.execute("SELECT id::text FROM lsm_storage WHERE id = ANY(%s)", [[row["memory_id"] for row in rows]])
            there = {row[0] for row in cursor.fetchall()}
            cursor.execute(_STORE, [now, json.dumps([row for row in rows if row["memory_id"] in there])])
    with as_service() as cursor:
        cursor.execute(_FORGET)
    return review_counts()


def review_counts() -> ReviewCounts:
    """Of what stands: flagged, and low but not long enough yet; and how many memories are set aside."""
    with as_service() as cursor:
        cursor.execute(_COUNTS)
        flagged, watched, aside = cursor.fetchone()
    return ReviewCounts(flagged=flagged, watched=watched, set_aside=aside)


def memories_flagged(*, limit: int = MOST) -> list[FlaggedMemory]:
    """What is put up for review and stands, the worst score first."""
    with as_service() as cursor:
        cursor.execute(
            _SHOWN + " WHERE v.flagged_at IS NOT NULL AND m.set_aside_at IS NULL"
            " ORDER BY v.score NULLS LAST, v.flagged_at, m.id LIMIT %s",
            [limit],
        )
        return [_flagged(row) for row in cursor.fetchall()]


def memories_shown(*, memory_ids: Sequence[uuid.UUID]) -> list[FlaggedMemory]:
    """These memories, set aside or not, in the order asked; one that was purged is missing."""
    with as_service() as cursor:
        cursor.execute(_SHOWN + " WHERE m.id = ANY(%s)", [list(memory_ids)])
        found = {item.memory_id: item for item in map(_flagged, cursor.fetchall())}
    return [found[memory_id] for memory_id in memory_ids if memory_id in found]


def memories_set_aside(*, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]], decision: str) -> list[uuid.UUID]:
    """Hide memories, each named with the user that it belongs to. `decision`: whose, to bring them back by.

    Returns those that are set aside by this decision now; repeated it changes nothing. One of another user than named,
    one that is gone or was set aside by another decision is passed over.
    """
    if len(pairs) > MOST:
        raise InvalidInput(f"at most {MOST} memories in one decision", details={"field": "memories"})
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage AS m SET set_aside_at = clock_timestamp(), set_aside_for = %s"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS given(id, user_id)"
            " WHERE m.id = given.id AND m.user_id = given.user_id AND m.set_aside_at IS NULL",
            [decision, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
        )
        cursor.execute("SELECT id FROM lsm_storage WHERE set_aside_for = %s ORDER BY id", [decision])
        return [row[0] for row in cursor.fetchall()]


def memories_bring_back(*, decision: str) -> int:
    """Undo `memories_set_aside`: the memories are found again as before. Returns how many; repeated none."""
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage SET set_aside_at = NULL, set_aside_for = NULL WHERE set_aside_for = %s", [decision]
        )
        return int(cursor.rowcount)


def memories_erase(*, decision: str) -> int:
    """Delete for good what a decision has set aside. Returns how many; they cannot be brought back."""
    with as_service() as cursor:
        cursor.execute("DELETE FROM lsm_storage WHERE set_aside_for = %s AND set_aside_at IS NOT NULL", [decision])
        return int(cursor.rowcount)


def memories_keep(*, memory_ids: Sequence[uuid.UUID], by: str) -> int:
    """A person has looked at them and says to keep them: they are not put up again for a while (`KEPT_DAYS`)."""
    with as_service() as cursor:
        cursor.execute(
            "INSERT INTO memory_reviews AS v (memory_id, user_id, kept_at, kept_by)"
            " SELECT id, user_id, clock_timestamp(), %s FROM lsm_storage WHERE id = ANY(%s)"
            " ON CONFLICT (memory_id) DO UPDATE SET kept_at = excluded.kept_at, kept_by = excluded.kept_by,"
            " reasons = '[]', flagged_at = NULL",
            [by, list(memory_ids)],
        )
        return int(cursor.rowcount)


def _row(of: Signals, found: Review) -> dict[str, Any]:
    return {
        "memory_id": str(of.memory_id),
        "user_id": str(of.user_id),
        "score": of.score,
        "low_since": found.low_since and found.low_since.isoformat(),
        "reasons": list(found.reasons),
    }


def _flagged(row: tuple[Any, ...]) -> FlaggedMemory:
    fields = dict(zip(FlaggedMemory.model_fields, row, strict=True))
    if isinstance(fields["reasons"], str):
        fields["reasons"] = json.loads(fields["reasons"])
    return FlaggedMemory(**fields)
