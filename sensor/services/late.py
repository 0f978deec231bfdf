"""Puts what a person says after a run was recorded on its row: feedback, and that consent is withdrawn."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from sensor import student

# One at a time, and the student is read under the lock: whoever writes last has also read last.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('sensor_late_facts'))"
_APPLY = """
UPDATE public.sensor_events AS e
SET feedback_score = late.feedback_score, feedback_at = late.feedback_at, consent = late.consent
FROM unnest(%s::uuid[], %s::smallint[], %s::timestamptz[], %s::boolean[])
  AS late(run_id, feedback_score, feedback_at, consent)
JOIN public.sensor_ledger AS l ON l.run_id = late.run_id AND l.stage = 'run'
WHERE e.pipeline_run_id = l.run_id AND e.started_at = l.occurred_at
  AND (e.feedback_score, e.feedback_at, e.consent)
    IS DISTINCT FROM (late.feedback_score, late.feedback_at, late.consent)
"""


def late_facts_apply(*, run_ids: Sequence[uuid.UUID]) -> int:
    """Bring feedback and consent of recorded runs up to date. Returns how many rows changed; repeating changes none."""
    if not run_ids:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALONE)
        facts = sorted(student.late_facts(run_ids), key=lambda each: each.run_id)
        columns: list[Any] = [
            [each.run_id for each in facts],
            [each.feedback_score for each in facts],
            [each.feedback_at for each in facts],
            [each.consent for each in facts],
        ]
        cursor.execute(_APPLY, columns)
        changed: int = cursor.rowcount
    return changed
