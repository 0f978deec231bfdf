"""Ground truth: what a run should have found and said."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from contracts.dialogue import GroundTruth
from sensor.services.marks import marks_apply

_COLUMNS = (
    "run_id", "example_id", "batch", "dataset", "split", "cluster", "should_retrieve", "expected_ids", "key_facts",
    "forbidden", "category", "difficulty", "asked_at",
)  # fmt: skip
_RECORD = f"""
INSERT INTO public.sensor_ground_truths AS t ({", ".join(_COLUMNS)})
VALUES ({", ".join(["%s"] * len(_COLUMNS))})
ON CONFLICT (run_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}, applied_at = NULL, recorded_at = now()
WHERE ({", ".join(f"t.{name}" for name in _COLUMNS[1:])})
  IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS[1:])})
"""  # noqa: S608  column names of this file only


def ground_truth_record(truths: Sequence[GroundTruth]) -> int:
    """Keep the truths, and put them on the rows of the runs already recorded. Returns how many were new or changed.

    The same truth twice changes nothing; another truth for a run replaces the one before.
    """
    if not truths:
        return 0
    rows = {
        truth.run_id: (
            truth.run_id, truth.example_id, truth.batch, truth.dataset, truth.split, truth.cluster,
            truth.should_retrieve, list(truth.expected_memory_ids), list(truth.key_facts), list(truth.forbidden),
            truth.category, truth.difficulty, truth.asked_at,
        )
        for truth in truths
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_RECORD, [rows[run_id] for run_id in sorted(rows)])
        changed: int = cursor.rowcount
    marks_apply(run_ids=sorted(rows))
    return changed
