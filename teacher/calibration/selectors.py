"""How judges stand with people: figures by version and question, people among themselves, and where they differ."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from django.db.models import Count, Min, Q

from sensor.models import RunJudgement
from teacher.calibration.agreement import Agreement, Cell, Figure, agreement, cohen_kappa
from teacher.calibration.drawing import marks_of
from teacher.calibration.models import CalibrationCase, CalibrationRound, CaseLabel
from teacher.calibration.rule import QUESTIONS

REPEAT = 9999
"""The repeat under which a judge judged labelled cases alone: history only, so that the marks of the batches that these
runs belong to stay those of the judge that counts there."""
_TRUTH = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled content. `said`: question → what most people say; None where they cannot tell or are divided.

    `asked`: the questions that it poses; where nothing was found, there is no use of context to judge.
    """

    content_hash: str
    run_id: uuid.UUID
    stratum: str
    drawn_by: str
    labelled_at: datetime
    said: Mapping[str, bool | None]
    asked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled content with the marks of one judge version, by question."""

    case: Labelled
    marks: Mapping[str, bool | None]

    def agrees(self, question: str) -> bool | None:
        """None: the judge or the people did not say."""
        mark, said = self.marks[question], self.case.said[question]
        return None if mark is None or said is None else mark is said


@dataclass(frozen=True, slots=True)
class Version:
    """One judge version. `judged`: runs that it judged in earnest. `first_at`: when it first judged."""

    name: str
    judged: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people on the cases that both labelled, on one question."""

    first: str
    second: str
    n: int
    agreed: int
    kappa: Figure


def versions() -> list[Version]:
    """Every judge version that judged in earnest, or what people have labelled; the newest first."""
    rows = (
        RunJudgement.objects.filter(repeat__in=(0, REPEAT))
        .values("judge_version")
        .annotate(n=Count("id", filter=Q(repeat=0)), first=Min("recorded_at"))
        .order_by("-first", "judge_version")
    )
    return [Version(row["judge_version"], row["n"], row["first"]) for row in rows]


def labelled_versions(cases: Sequence[Labelled]) -> list[str]:
    """Versions that judged any of these cases, the newest first by when they first did. Reads these cases alone."""
    first: dict[str, datetime] = {}
    for row in CalibrationRound.objects.filter(judge_version__in={case.drawn_by for case in cases}):
        first[row.judge_version] = min(first.get(row.judge_version, row.drawn_at), row.drawn_at)
    judgements = RunJudgement.objects.filter(run_id__in={case.run_id for case in cases})
    for judged in judgements.values("judge_version").annotate(first=Min("recorded_at")).order_by():
        name, began = judged["judge_version"], judged["first"]
        first[name] = min(first.get(name, began), began)
    return sorted(first, key=lambda name: (first[name], name), reverse=True)


def standing_labels() -> list[CaseLabel]:
    return list(CaseLabel.objects.filter(ended_at__isnull=True).order_by("id"))


def labelled_cases() -> list[Labelled]:
    """Every drawn content with a standing label, in the order of labelling. A content of several rounds stands once
    for each version that it was drawn for, in its latest stratum."""
    labels: dict[str, list[CaseLabel]] = {}
    for label in standing_labels():
        labels.setdefault(label.content_hash, []).append(label)
    rows = CalibrationCase.objects.filter(content_hash__in=list(labels)).select_related("round").order_by("round_id")
    found = {(row.round.judge_version, row.content_hash): row for row in rows}
    cases = [
        Labelled(
            content_hash=row.content_hash,
            run_id=row.run_id,
            stratum=row.stratum,
            drawn_by=version,
            labelled_at=max(label.labelled_at for label in labels[content]),
            said={question: majority(labels[content], question) for question in QUESTIONS},
            asked=frozenset(name for name in QUESTIONS if any(getattr(label, name) for label in labels[content])),
        )
        for (version, content), row in found.items()
    ]
    return sorted(cases, key=lambda case: (case.labelled_at, case.content_hash))


def majority(labels: Iterable[CaseLabel], question: str) -> bool | None:
    """What most people say who can tell; None when as many say the opposite."""
    told = [_TRUTH[answer] for label in labels if (answer := getattr(label, question)) in _TRUTH]
    yes = sum(told)
    return None if yes * 2 == len(told) else yes * 2 > len(told)


def judged_cases(version: str, cases: Sequence[Labelled] | None = None) -> list[Judged]:
    """Labelled contents that this version has judged. The marks that a case was drawn for are kept with it, so that
    they outlive the recorded run; of other versions the first repeat that is kept counts."""
    held = labelled_cases() if cases is None else cases
    runs = list({case.run_id for case in held})
    rows = RunJudgement.objects.filter(judge_version=version, run_id__in=runs).order_by("-repeat")
    known = {row.run_id: {question: getattr(row, mark) for question, (mark, _) in QUESTIONS.items()} for row in rows}
    found = []
    for case in held:
        marks = marks_of(case.stratum) if case.drawn_by == version else known.get(case.run_id)
        if marks is not None:
            found.append(Judged(case, marks))
    return found


def agreement_of(version: str, question: str, judged: Sequence[Judged]) -> Agreement:
    """Over the sample with the most labels: one draw's weights are not another's. Its own draw before others'."""
    decided = [item for item in judged if item.agrees(question) is not None]
    sizes: dict[str, int] = {}
    for item in decided:
        sizes[item.case.drawn_by] = sizes.get(item.case.drawn_by, 0) + 1
    if not sizes:
        return agreement([])
    source = max(sizes, key=lambda name: (sizes[name], name == version, name))
    return agreement(_cells(source, question, [item for item in judged if item.case.drawn_by == source]))


def _cells(source: str, question: str, judged: Sequence[Judged]) -> list[Cell]:
    """Strata of the draw, each parted by this version's mark. A stratum's size is that of the newest draw.

    The version that the cases were drawn for has one mark in each stratum. Another may have both: the stratum's size is
    then shared between them as the labelled cases of it are, without those that do not pose the question.
    """
    frame: dict[str, int] = {}
    for row in CalibrationRound.objects.filter(judge_version=source).order_by("id"):
        frame.update(row.frame)
    cells = []
    for stratum, size in frame.items():
        inside = [item for item in judged if item.case.stratum == stratum]
        marked = [item for item in inside if question in item.case.asked and item.marks[question] is not None]
        if not inside:
            own = marks_of(stratum)[question]
            if own is not None:
                cells.append(Cell(own, size, 0, 0))
            continue
        for mark in (True, False):
            here = [item for item in marked if item.marks[question] is mark]
            if not here:
                continue
            said = [item.case.said[question] for item in here if item.case.said[question] is not None]
            cells.append(Cell(mark, size * len(here) / len(inside), len(said), sum(map(bool, said))))
    return cells


def people_pairs() -> dict[str, list[Pair]]:
    """Question → each two people with a case in common, the most cases first. Over the drawn cases, not weighted."""
    by_person: dict[str, dict[str, CaseLabel]] = {}
    for label in standing_labels():
        by_person.setdefault(label.labeller, {})[label.content_hash] = label
    found: dict[str, list[Pair]] = {}
    for question in QUESTIONS:
        pairs = [_pair(one, two, by_person, question) for one, two in combinations(sorted(by_person), 2)]
        found[question] = sorted((pair for pair in pairs if pair.n), key=lambda pair: -pair.n)
    return found


def _pair(one: str, two: str, by_person: Mapping[str, Mapping[str, CaseLabel]], question: str) -> Pair:
    common = sorted(by_person[one].keys() & by_person[two].keys())
    said = [tuple(getattr(by_person[name][content], question) for name in (one, two)) for content in common]
    table = [said.count(pair) for pair in (("yes", "yes"), ("yes", "no"), ("no", "yes"), ("no", "no"))]
    return Pair(one, two, sum(table), table[0] + table[3], cohen_kappa(*table))


@dataclass(frozen=True, slots=True)
class Difference:
    """A case where people and a judge differ on a question. `mark`, `said`: what each says."""

    case: Labelled
    question: str
    mark: bool
    said: bool
    reasons: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]


def differences(version: str, *, labelled_by: str | None = None) -> list[Difference]:
    """Latest label first. `labelled_by`: only cases that this person has labelled, so that the others stay blind."""
    by_content: dict[str, list[CaseLabel]] = {}
    for label in standing_labels():
        by_content.setdefault(label.content_hash, []).append(label)
    found: dict[tuple[str, str], tuple[Judged, str]] = {}
    for item in judged_cases(version):
        people = {label.labeller for label in by_content[item.case.content_hash]}
        if labelled_by is None or labelled_by in people:
            for question in QUESTIONS:
                if item.agrees(question) is False:
                    found[item.case.content_hash, question] = item, question
    runs = [item.case.run_id for item, _ in found.values()]
    reasons = {
        row.run_id: tuple(row.reasons)
        for row in RunJudgement.objects.filter(judge_version=version, run_id__in=runs).order_by("-repeat")
    }
    rows = [
        Difference(
            case=item.case,
            question=question,
            mark=bool(item.marks[question]),
            said=bool(item.case.said[question]),
            reasons=reasons.get(item.case.run_id, ()),
            labels=tuple((label.labeller, getattr(label, question)) for label in by_content[item.case.content_hash]),
        )
        for item, question in found.values()
    ]
    return sorted(rows, key=lambda row: (row.case.labelled_at, row.question), reverse=True)
