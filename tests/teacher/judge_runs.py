"""Recorded runs to be judged by a model, in few words."""

from __future__ import annotations

from typing import Any

from sensor.models import LedgerEntry, RunJudgement, SensorEvent
from teacher.judges import Judging
from teacher.judges.questions import version_of
from teacher.models import BatchJudging
from tests.teacher.events import BATCH, event, store

MODEL = "judge-model"
VERSION = version_of(MODEL)
LLM = Judging(judge="llm", sample_per_batch=1000, usd_per_batch=100.0)
CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n## Question\nWhere does Anna live?"


def run(answer: str | None = "Anna moved to Kazan.", **columns: Any) -> SensorEvent:
    """A recorded run with the ledger entry that a judgement needs to find it."""
    (row,) = store(event("a", "a", **{"answer": answer, "context": CONTEXT, **columns}))
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)
    return row


def pairs(n: int, *, category: str = "factual", batch: str = BATCH) -> None:
    """`n` examples under both arms, each with an answer of its own."""
    for number in range(n):
        for arm in ("baseline", "variant"):
            run(
                f"Anna moved to Kazan {number} {arm}.", variant=arm, example_id=f"{category}-{number:03d}",
                cluster=f"{category}-{number}", category=category, batch=batch,
            )  # fmt: skip


def record(repeat: int = 0) -> BatchJudging:
    return BatchJudging.objects.get(batch=BATCH, judge_version=VERSION, repeat=repeat)


def judged_arms() -> dict[str, set[str]]:
    """Example → arms that have a judgement."""
    said = set(RunJudgement.objects.filter(judge_version=VERSION).values_list("run_id", flat=True))
    found: dict[str, set[str]] = {}
    for row in SensorEvent.objects.filter(pipeline_run_id__in=said):
        found.setdefault(row.example_id or "", set()).add(row.variant or "")
    return found
