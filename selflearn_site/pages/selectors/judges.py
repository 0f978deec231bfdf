"""What the pages of judges show: figures by version and question, the course of agreement, where people differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incidents.models import Incident
from incidents.selectors import unresolved
from selflearn_site.pages.judge_drawings import course, share_bar
from teacher.calibration.agreement import Agreement, Figure, wilson
from teacher.calibration.drift import STEP
from teacher.calibration.frame import CaseContent, contents
from teacher.calibration.monitor import FELL, WORSE, marked
from teacher.calibration.rule import QUESTIONS, AgreementRule, Standing, standing_of
from teacher.calibration.selectors import (
    Difference,
    Judged,
    Pair,
    agreement_of,
    differences,
    judged_cases,
    labelled_cases,
    people_pairs,
    versions,
)

TITLES = {
    "hallucination": gettext_lazy("claims without support"),
    "context": gettext_lazy("use of the context"),
    "relevance": gettext_lazy("relevance of what was found"),
}
_TONES = {Standing.COUNTS: "good", Standing.BELOW: "bad", Standing.UNCALIBRATED: "wait"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure as the page says it: text, interval in words, drawing; or why it is absent."""

    text: str
    span: str
    bar: SafeString
    absent: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    question: str
    title: Any
    n: int
    agreed: str
    kappa: Drawn
    tpr: Drawn
    tnr: Drawn
    standing: Standing
    tone: str
    chart: SafeString


@dataclass(frozen=True, slots=True)
class JudgeView:
    """One judge version. `tested`: there are questions that it answers at all."""

    name: str
    judged: int
    first_at: Any
    labelled: int
    differ: int
    rows: tuple[QuestionRow, ...]

    @property
    def newest_standing(self) -> Standing:
        """The worst over its questions: that is what a reader must know first."""
        order = (Standing.BELOW, Standing.UNCALIBRATED, Standing.COUNTS)
        return next((item for item in order if any(row.standing is item for row in self.rows)), Standing.UNCALIBRATED)

    @property
    def tone(self) -> str:
        return _TONES[self.newest_standing]


@dataclass(frozen=True, slots=True)
class PairRow:
    title: Any
    pair: Pair
    kappa: Drawn
    agreed: str


def judge_views(rule: AgreementRule) -> list[JudgeView]:
    """Newest version first. A fixed number of queries for the labels, one for each version's marks."""
    cases = labelled_cases()
    found = []
    for version in versions():
        judged = judged_cases(version.name, cases) if cases else []
        rows = [_row(version.name, question, judged, rule) for question in _answered(judged)]
        differ = {(item.case.content_hash, name) for item in judged for name in QUESTIONS if item.agrees(name) is False}
        found.append(
            JudgeView(
                name=version.name,
                judged=version.judged,
                first_at=version.first_at,
                labelled=len({item.case.content_hash for item in judged}),
                differ=len(differ),
                rows=tuple(rows),
            )
        )
    return found


def _answered(judged: Sequence[Judged]) -> list[str]:
    """Relevance only where the judge says anything on it; the two that metrics rest on always."""
    return [
        question
        for question, (_mark, metric) in QUESTIONS.items()
        if metric is not None or any(item.marks[question] is not None for item in judged)
    ]


def _row(version: str, question: str, judged: Sequence[Judged], rule: AgreementRule) -> QuestionRow:
    found: Agreement = agreement_of(version, question, judged)
    standing = standing_of(found, rule)
    tone = _TONES[standing]
    return QuestionRow(
        question=question,
        title=TITLES[question],
        n=found.n,
        agreed=f"{found.agreed / found.n:.0%}" if found.n else "–",
        kappa=_drawn(found.kappa, minimum=rule.min_kappa, tone=tone, percent=False),
        tpr=_drawn(found.tpr),
        tnr=_drawn(found.tnr),
        standing=standing,
        tone=tone,
        chart=_course(judged, question),
    )


def _drawn(figure: Figure, *, minimum: float | None = None, tone: str = "", percent: bool = True) -> Drawn:
    if figure.value is None or figure.low is None or figure.high is None:
        return Drawn("–", "", mark_safe(""), figure.absent)
    shape = ".0%" if percent else ".2f"
    text, span = format(figure.value, shape), f"{figure.low:{shape}} … {figure.high:{shape}}"
    drawing = share_bar(figure, minimum=minimum, tone=tone, label=f"{text}, 95 %: {span}")
    return Drawn(text, span, mark_safe(drawing), "")  # noqa: S308 - numbers, drawn by code that escapes its texts


def _course(judged: Sequence[Judged], question: str) -> SafeString:
    """Agreement of each block of labels, when there are at least two."""
    labels = marked(list(judged), question)
    points = []
    for end in range(STEP, len(labels) + 1, STEP):
        agreed = sum(item.agreed for item in labels[end - STEP : end])
        points.append((end, agreed / STEP, *wilson(agreed, STEP)))
    shown = ", ".join(f"{share:.0%}" for _end, share, _low, _high in points)
    said = _("Agreement in each %(n)s labels, oldest first: %(shares)s") % {"n": STEP, "shares": shown}
    return mark_safe(course(points, label=said))  # noqa: S308 - numbers, drawn by code that escapes its texts


def pair_rows() -> list[PairRow]:
    return [
        PairRow(TITLES[question], pair, _drawn(pair.kappa, percent=False), f"{pair.agreed / pair.n:.0%}")
        for question, pairs in people_pairs().items()
        for pair in pairs
    ]


def judge_incidents() -> list[Incident]:
    return list(unresolved().filter(kind__in=(FELL, WORSE)))


def judges_news(views: Sequence[JudgeView]) -> str:
    """The headline: how the newest judge stands."""
    if not views:
        return _("No answer has been judged yet.")
    newest = views[0]
    if newest.newest_standing is Standing.COUNTS:
        return _("People agree with judge %(name)s: its marks count.") % {"name": newest.name}
    if newest.newest_standing is Standing.BELOW:
        return _("People agree too little with judge %(name)s.") % {"name": newest.name}
    return _("Judge %(name)s is not calibrated yet.") % {"name": newest.name}


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference with its texts; `content` None: they may not be shown any more."""

    difference: Difference
    title: Any
    content: CaseContent | None


def difference_rows(found: Sequence[Difference]) -> list[DifferenceRow]:
    """With texts: give a page of them, not all."""
    texts = contents(run_ids=[row.case.run_id for row in found])
    return [DifferenceRow(row, TITLES[row.question], texts.get(row.case.run_id, ("", None))[1]) for row in found]


def differences_news(n: int, version: str) -> str:
    if not n:
        return _("People and judge %(name)s nowhere differ.") % {"name": version}
    return ngettext(
        "People and judge %(name)s differ once.", "People and judge %(name)s differ %(n)s times.", n
    ) % {"name": version, "n": n}  # fmt: skip


__all__ = ["difference_rows", "differences", "differences_news", "judge_incidents", "judge_views", "judges_news",
           "pair_rows"]  # fmt: skip
