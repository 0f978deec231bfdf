"""Judges the runs of a batch that have ground truth and no mark of this judge version yet."""

from __future__ import annotations

from contracts.telemetry import Judgement
from sensor.selectors import events
from sensor.services import judgements_record
from teacher.judges.offline import Case, judge

JUDGE_VERSION = "offline-3"


def batch_judge(*, batch: str) -> int:
    """Judge what is not judged yet; judged twice gives the same marks. Returns how many runs were judged now.

    A failed run has no answer to judge: it stays without marks and is counted as failed, not as passed.
    """
    rows = (
        events(batch=batch, golden=True)
        .exclude(status="FAILED")
        .exclude(judge_version=JUDGE_VERSION)
        .only(
            "pipeline_run_id",
            "answer",
            "context",
            "memories_found",
            "found_ids",
            "expected_ids",
            "should_retrieve",
            "key_facts",
            "forbidden",
            "started_at",
        )
    )
    judgements = []
    for row in rows.iterator(chunk_size=500):
        marks = judge(
            Case(
                answer=row.answer or "",
                context=row.context or "",
                found=row.memories_found,
                hits=len(set(row.found_ids) & set(row.expected_ids or ())),
                should_retrieve=row.should_retrieve,
                key_facts=tuple(row.key_facts or ()),
                forbidden=tuple(row.forbidden or ()),
            )
        )
        judgements.append(
            Judgement(
                run_id=row.pipeline_run_id,
                judge_version=JUDGE_VERSION,
                context_utilized=marks.context_utilized,
                hallucination_detected=marks.hallucination,
                reasons=marks.reasons,
            )
        )
    return judgements_record(judgements) if judgements else 0
