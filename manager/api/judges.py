# ruff: noqa: ARG001 - ninja calls every route with `request`
"""How far people agree with judges, and labelling what was judged, blind."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.params import P, QueryEx

from contracts.doors import actor_of
from manager.services.policy import agreement_rule
from teacher.calibration.gate import agreements
from teacher.calibration.labelling import MOST, SIZE, Offered, case_label, case_next, label_undo, round_draw
from teacher.calibration.models import CalibrationRound, CaseLabel
from teacher.calibration.rule import QUESTIONS, counts, reason, standing_of
from teacher.calibration.selectors import versions

router = Router(tags=["judges"])
Answer = Literal["yes", "no", "unclear"]


class FigureOut(Schema):
    value: float | None
    low: float | None
    """95 % interval."""
    high: float | None
    absent: str
    """Why there is no value; empty when there is one."""


class QuestionOut(Schema):
    question: str
    metric: str | None
    """The metric that rests on it; null: none does."""
    labels: int
    agreed: int
    """Of the labels as drawn, not weighted."""
    kappa: FigureOut
    tpr: FigureOut
    tnr: FigureOut
    standing: str
    """`counts`, `does not count` or `not calibrated`."""
    counts: bool
    """Whether its metric counts in verdicts now."""
    reason: str


class JudgeOut(Schema):
    judge_version: str
    judged: int
    first_at: datetime
    questions: list[QuestionOut]


class JudgesOut(Schema):
    judges: list[JudgeOut]
    min_kappa: float
    min_labels: int
    uncalibrated_counts: bool


class SectionOut(Schema):
    heading: str
    lines: list[str]


class CaseOut(Schema):
    """Nothing in it tells what a judge said, nor of which variant or version the run was."""

    case: int
    position: int
    query: str
    answer: str
    context: list[SectionOut]
    memories_found: int
    """0: only `hallucination` is asked."""
    should_retrieve: bool | None
    """Null: what is right is not known."""
    key_facts: list[str]
    forbidden: list[str]


class NextOut(Schema):
    case: CaseOut | None
    """Null: nothing is drawn, or all of the newest round is labelled by the caller."""
    done: int
    size: int


class RoundIn(Schema, extra="forbid"):
    judge_version: str | None = Field(None, max_length=200)
    """Null: the version that judged last."""
    size: int = Field(SIZE, ge=1, le=MOST)
    seed: int | None = Field(None, ge=0, lt=2**63)


class RoundOut(Schema):
    id: int
    judge_version: str
    seed: int
    size: int
    frame: dict[str, int]
    """Stratum (marks of the judge) → how many judged contents it holds."""
    drawn_by: str
    drawn_at: datetime


class LabelIn(Schema, extra="forbid"):
    case: int = Field(ge=1, lt=2**63)
    hallucination: Answer
    context: Answer | None = None
    relevance: Answer | None = None
    seconds: float = Field(0, ge=0, le=86_400)


class LabelOut(Schema):
    hallucination: str
    context: str
    relevance: str
    labeller: str
    seconds: float
    labelled_at: datetime


class UndoneOut(Schema):
    case: int
    """It is offered again."""


@router.get("/judges", response=JudgesOut, summary="How far people agree with each judge version")
def judges(request: HttpRequest) -> dict[str, Any]:
    rule = agreement_rule()
    found = []
    for version in versions():
        rows = agreements(version.name)
        found.append(
            {
                "judge_version": version.name,
                "judged": version.judged,
                "first_at": version.first_at,
                "questions": [
                    {
                        "question": name,
                        "metric": QUESTIONS[name][1],
                        "labels": row.n,
                        "agreed": row.agreed,
                        **{part: asdict(getattr(row, part)) for part in ("kappa", "tpr", "tnr")},
                        "standing": standing_of(row, rule),
                        "counts": counts(standing_of(row, rule), rule),
                        "reason": reason(name, version.name, row, rule),
                    }
                    for name, row in rows.items()
                ],
            }
        )
    return {"judges": found, **asdict(rule)}


@router.get("/judges/cases/next", response=NextOut, summary="The next case for the caller to label, blind")
def cases_next(
    request: HttpRequest,
    skip: QueryEx[list[int], P(default_factory=list, description="cases that come after all others")],
) -> dict[str, Any]:
    found = case_next(actor=actor_of(request), skipped=frozenset(skip))
    if found is None:
        newest = CalibrationRound.objects.order_by("-id").first()
        size = newest.size if newest else 0
        return {"case": None, "done": size, "size": size}
    return {"case": _case(found), "done": found.done, "size": found.size}


@router.post("/judges/rounds", response={201: RoundOut}, summary="Draw cases of one judge version")
def rounds_draw(request: HttpRequest, body: RoundIn) -> Status[CalibrationRound]:
    """The same seed draws the same cases as long as nothing more is judged. Role operator."""
    made = round_draw(actor=actor_of(request), judge_version=body.judge_version, size=body.size, seed=body.seed)
    return Status(201, made)


@router.post("/judges/labels", response={201: LabelOut}, summary="Say what is so of a case; again: revise it")
def labels_add(request: HttpRequest, body: LabelIn) -> Status[CaseLabel]:
    """Where memories were found all three questions are answered. Role operator."""
    answers = {name: value for name in QUESTIONS if (value := getattr(body, name)) is not None}
    label = case_label(actor=actor_of(request), case_id=body.case, answers=answers, seconds=body.seconds)
    return Status(201, label)


@router.post("/judges/labels/undo", response=UndoneOut, summary="Take the caller's latest label back")
def labels_undo(request: HttpRequest) -> dict[str, int]:
    return {"case": label_undo(actor=actor_of(request))}


def _case(found: Offered) -> dict[str, Any]:
    content = found.content
    return {
        "case": found.case_id,
        "position": found.position,
        "query": content.query,
        "answer": content.answer,
        "context": [{"heading": heading, "lines": list(lines)} for heading, lines in content.sections],
        "memories_found": content.found,
        "should_retrieve": content.should_retrieve,
        "key_facts": list(content.key_facts),
        "forbidden": list(content.forbidden),
    }
