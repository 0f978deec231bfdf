"""Judgements: what the Teacher says of runs. All are kept; the latest that counts is copied to the run's row."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from contracts.telemetry import Judgement
from sensor.services.marks import marks_apply

_RECORD = """
INSERT INTO public.sensor_judgements
  (run_id, judge_version, repeat, retrieval_relevant, context_utilized, hallucination_detected, reasons)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (run_id, judge_version, repeat) DO NOTHING
"""


def judgements_record(judgements: Sequence[Judgement], *, repeat: int = 0) -> int:
    """Keep the judgements. Returns how many were new; one of the same run, judge version and repeat is kept once.

    `repeat` above 0 is for measuring the judge's own steadiness: history only, never on the run's row.
    """
    if not judgements:
        return 0
    rows = [
        (
            each.run_id, each.judge_version, repeat, each.retrieval_relevant, each.context_utilized,
            each.hallucination_detected, list(each.reasons),
        )
        for each in sorted(judgements, key=lambda each: each.run_id)
    ]  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_RECORD, rows)
        new: int = cursor.rowcount
    marks_apply(run_ids=[each.run_id for each in judgements])
    return new
