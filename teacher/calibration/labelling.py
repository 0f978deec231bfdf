"""Draw cases, label them, take the last label back. Judging by people needs the role operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.canonical import derive_seed
from kernel.errors import Conflict, InvalidInput, NotFound
from sensor.models import RunJudgement
from teacher.calibration.drawing import draw
from teacher.calibration.frame import CaseContent, candidates, contents
from teacher.calibration.models import ANSWERS, CalibrationCase, CalibrationRound, CaseLabel
from teacher.calibration.monitor import agreement_watch

SIZE = 50
MOST = 500
LONGEST = 3600.0
"""Seconds: who opened a case and came back after lunch did not think about it all the time."""


def round_draw(
    *, actor: Actor, judge_version: str | None = None, size: int = SIZE, seed: int | None = None
) -> CalibrationRound:
    """Draw cases that `judge_version` (the one that judged last, when None) has judged.

    The seed follows from version and number of the round when none is given. Raises `NotAuthorised`, `NotFound` for a
    version that has judged nothing that may be shown, `InvalidInput`.
    """
    actor.require(Role.OPERATOR)
    if not 1 <= size <= MOST:
        raise InvalidInput(f"a round has 1 to {MOST} cases", details={"field": "size"})
    version = judge_version or _latest()
    frame = candidates(judge_version=version)
    if not frame:
        raise NotFound(f"judge {version} has judged nothing that people may be shown", details={"judge": version})
    with transaction.atomic():
        number = CalibrationRound.objects.filter(judge_version=version).count() + 1
        chosen = derive_seed("calibration", version, number) if seed is None else seed
        drawn = draw(frame, size=size, seed=chosen)
        made = CalibrationRound.objects.create(
            judge_version=version,
            seed=chosen,
            frame=dict(drawn.frame),
            size=len(drawn.cases),
            drawn_by=actor.label,
        )
        CalibrationCase.objects.bulk_create(
            CalibrationCase(
                round=made,
                position=place,
                run_id=item.run_id,
                content_hash=item.content_hash,
                stratum=item.stratum,
                category=item.category,
                language=item.language,
            )
            for place, item in enumerate(drawn.cases, start=1)
        )
        entry_append(
            actor=actor,
            action="calibration.drawn",
            subject_type="judge",
            subject_id=version,
            after={"cases": made.size, "seed": made.seed, "frame": dict(drawn.frame)},
        )
    return made


def _latest() -> str:
    found = RunJudgement.objects.filter(repeat=0).order_by("-id").values_list("judge_version", flat=True).first()
    if found is None:
        raise NotFound("no run is judged yet")
    return found


@dataclass(frozen=True, slots=True)
class Offered:
    """A case as a person sees it, and how far that person is in its round."""

    case_id: int
    position: int
    done: int
    size: int
    content: CaseContent


def case_next(*, actor: Actor, skipped: frozenset[int] = frozenset()) -> Offered | None:
    """The next case of the newest round that this person has not labelled and may see; skipped ones come last.

    None: no round is drawn, or all of it is labelled (or no longer to be shown).
    """
    actor.require(Role.OPERATOR)
    newest = CalibrationRound.objects.order_by("-id").first()
    if newest is None:
        return None
    done = set(
        CaseLabel.objects.filter(labeller=actor.label, ended_at__isnull=True).values_list("content_hash", flat=True)
    )
    cases = list(newest.cases.all())
    waiting = [case for case in cases if case.content_hash not in done]
    labelled = len(cases) - len(waiting)
    for case in sorted(waiting, key=lambda case: (case.pk in skipped, case.position)):
        content = _of(case)
        if content is not None:
            return Offered(case.pk, case.position, labelled, len(cases), content)
    return None


def case_get(*, actor: Actor, case_id: int) -> Offered:
    """One case, to be labelled again. Raises `NotFound`."""
    actor.require(Role.OPERATOR)
    case = _case(case_id)
    content = _of(case)
    if content is None:
        raise NotFound(f"case {case_id} may not be shown any more")
    hashes = CalibrationCase.objects.filter(round=case.round_id).values("content_hash")
    done = CaseLabel.objects.filter(labeller=actor.label, ended_at__isnull=True, content_hash__in=hashes).count()
    return Offered(case.pk, case.position, done, case.round.size, content)


def case_label(*, actor: Actor, case_id: int, answers: Mapping[str, str], seconds: float) -> CaseLabel:
    """Say what is so of a case; a second time revises it, and the first stays in the history.

    `answers`: question → yes, no or unclear, for `hallucination`, and for `context` and `relevance` where memories were
    found. Then agreement is watched. Raises `NotAuthorised`, `NotFound`, `InvalidInput`, and `Conflict` when what was
    judged is not what was drawn, or the same person labels it elsewhere at this moment.
    """
    actor.require(Role.OPERATOR)
    case = _case(case_id)
    found = contents(run_ids=[case.run_id]).get(case.run_id)
    if found is None:
        raise NotFound(f"case {case_id} may not be shown any more")
    if found[0] != case.content_hash:
        raise Conflict("what is recorded of this run has changed since the case was drawn")
    checked = _checked(answers, found[1])
    if not 0 <= seconds < float("inf"):
        raise InvalidInput("the time taken is not negative and ends", details={"field": "seconds"})
    try:
        with transaction.atomic():
            _end(actor, case.content_hash)
            label = CaseLabel.objects.create(
                content_hash=case.content_hash,
                run_id=case.run_id,
                labeller=actor.label,
                seconds=min(seconds, LONGEST),
                **checked,
            )
    except IntegrityError as error:
        if "one_standing_label_per_person_and_case" not in str(error):
            raise
        raise Conflict("you label this case elsewhere at this moment") from error
    agreement_watch()
    return label


def label_undo(*, actor: Actor) -> int:
    """Take this person's latest label back, and give its case. Raises `NotFound` when there is none."""
    actor.require(Role.OPERATOR)
    latest = CaseLabel.objects.filter(labeller=actor.label, ended_at__isnull=True).order_by("-id").first()
    case = None
    if latest is not None:
        case = CalibrationCase.objects.filter(content_hash=latest.content_hash).order_by("-round_id").first()
    if latest is None or case is None:
        raise NotFound("there is no label of yours to take back")
    if not CaseLabel.objects.filter(pk=latest.pk, ended_at__isnull=True).update(ended_at=timezone.now()):
        raise Conflict("this label was taken back or revised meanwhile")
    return int(case.pk)


def _case(case_id: int) -> CalibrationCase:
    case = CalibrationCase.objects.select_related("round").filter(pk=case_id).first()
    if case is None:
        raise NotFound(f"there is no case {case_id}", details={"case": case_id})
    return case


def _of(case: CalibrationCase) -> CaseContent | None:
    found = contents(run_ids=[case.run_id]).get(case.run_id)
    return found[1] if found is not None and found[0] == case.content_hash else None


def _checked(answers: Mapping[str, str], content: CaseContent) -> dict[str, str]:
    asked = ("hallucination", "context", "relevance") if content.found else ("hallucination",)
    known = [value for value, _ in ANSWERS]
    for question in asked:
        if answers.get(question) not in known:
            raise InvalidInput(f"say yes, no or cannot tell on {question}", details={"field": question, "known": known})
    return {
        question: answers[question] if question in asked else ""
        for question in ("hallucination", "context", "relevance")
    }


def _end(actor: Actor, content: str) -> None:
    standing = CaseLabel.objects.filter(labeller=actor.label, content_hash=content, ended_at__isnull=True)
    standing.update(ended_at=timezone.now())
