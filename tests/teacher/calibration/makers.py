"""Judged runs, drawn rounds and labels, in few words."""

from __future__ import annotations

from typing import Any

from contracts.actor import Actor, Role
from contracts.telemetry import Judgement
from sensor.models import LedgerEntry, SensorEvent
from sensor.services import judgements_record
from teacher.calibration.labelling import case_label, case_next, round_draw
from teacher.calibration.models import CalibrationCase, CaseLabel
from tests.teacher.events import event, store

V = "rules-1"
ANNA = Actor(kind="person", name="anna", role=Role.OPERATOR)
BEN = Actor(kind="person", name="ben", role=Role.OPERATOR)
CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n## Question\nWhere?"
CLEAN = {"hallucination": "no", "context": "yes", "relevance": "yes"}
INVENTED = {"hallucination": "yes", "context": "no", "relevance": "yes"}


def recorded(number: int, **columns: Any) -> SensorEvent:
    """One recorded run with an answer of its own."""
    (row,) = store(
        event("a", "a", **{"answer": f"Answer {number}.", "context": CONTEXT, "key_facts": ["Kazan"], **columns})
    )
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)
    return row


def judge(row: SensorEvent, *, hallucination: bool | None, context: bool | None = True, version: str = V,
          relevant: bool | None = None, repeat: int = 0, reasons: tuple[str, ...] = ()) -> None:  # fmt: skip
    judgements_record(
        [
            Judgement(run_id=row.pipeline_run_id, judge_version=version, hallucination_detected=hallucination,
                      context_utilized=context, retrieval_relevant=relevant, reasons=reasons)
        ],
        repeat=repeat,
    )  # fmt: skip


def judged_runs(*, clean: int, invented: int, version: str = V, **columns: Any) -> list[SensorEvent]:
    rows = []
    for number in range(clean + invented):
        row = recorded(number, **columns)
        judge(row, hallucination=number >= clean, context=number < clean, version=version, reasons=("it says so",))
        rows.append(row)
    return rows


def label_all(
    actor: Actor = ANNA, *, wrong: int = 0, draw: bool = True, size: int = 500, judge_version: str = V
) -> list[CaseLabel]:
    """Label the newest round as the judge marked it, but for the first `wrong` cases, which get the opposite."""
    if draw:
        round_draw(actor=actor, judge_version=judge_version, size=size)
    labels: list[CaseLabel] = []
    while (offered := case_next(actor=actor)) is not None:
        marked = CalibrationCase.objects.get(pk=offered.case_id).stratum.startswith("h+")
        told = marked if len(labels) >= wrong else not marked
        labels.append(case_label(actor=actor, case_id=offered.case_id, answers=INVENTED if told else CLEAN, seconds=4))
    return labels
