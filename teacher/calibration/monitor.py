"""Watches whether judges are agreed with as before, and opens an incident when one is not."""

from __future__ import annotations

from contracts.actor import component
from incidents.domain.lifecycle import IncidentStatus
from incidents.models import Incident
from incidents.services import incident_open
from teacher.calibration.drift import STEP, WINDOW, Drift, Marked, Succession, drift, succession
from teacher.calibration.rule import QUESTIONS
from teacher.calibration.selectors import Judged, judged_cases, labelled_cases, labelled_versions

TEACHER = component("teacher")
FELL, WORSE = "judge_drift", "judge_worse"


def agreement_watch() -> list[Incident]:
    """Look at every judge version that people labelled. Safe to repeat: one trouble is one incident.

    What was settled by a person is not raised again by the same labels: it takes a whole window of new ones (a step of
    new ones where two versions are compared).
    """
    cases = labelled_cases()
    if not cases:
        return []
    known = {name: judged_cases(name, cases) for name in labelled_versions(cases)}
    opened = []
    for place, (version, judged) in enumerate(known.items()):
        before = list(known)[place + 1 : place + 2]
        for question in QUESTIONS:
            opened += _fallen(version, question, judged)
            for old in before:
                opened += _followed(old, version, question, known[old], judged)
    return opened


def marked(judged: list[Judged], question: str) -> list[Marked]:
    """In the order of labelling, each content once."""
    found = {
        item.case.content_hash: Marked(bool(item.marks[question]), agrees)
        for item in judged
        if (agrees := item.agrees(question)) is not None
    }
    return list(found.values())


def _fallen(version: str, question: str, judged: list[Judged]) -> list[Incident]:
    found = drift(marked(judged, question))
    if found is None or not found.significant:
        return []
    subject = f"{version}:{question}"
    if _settled(FELL, subject, judged, window=WINDOW):
        return []
    return [
        incident_open(
            kind=FELL,
            severity="warning",
            title=f"People agree less with judge {version} on {question}",
            detail=drift_text(found),
            subject=subject,
            actor=TEACHER,
        )
    ]


def drift_text(found: Drift) -> str:
    return (
        f"agreement {found.latest:.0%} in the latest {found.n_latest} labels, {found.before:.0%} in the "
        f"{found.n_before} before (p {found.p_value:.4f}, exact, apart by the judge's mark)"
    )


def _followed(
    old: str, new: str, question: str, judged_by_old: list[Judged], judged_by_new: list[Judged]
) -> list[Incident]:
    before = {item.case.content_hash: item.agrees(question) for item in judged_by_old}
    after = {item.case.content_hash: item.agrees(question) for item in judged_by_new}
    pairs = [
        (first, second)
        for content, second in sorted(after.items())
        if second is not None and (first := before.get(content)) is not None
    ]
    found = succession(pairs)
    if found is None or not found.significant:
        return []
    subject = f"{new}:{question}"
    if _settled(WORSE, subject, judged_by_new, window=STEP):
        return []
    return [
        incident_open(
            kind=WORSE,
            severity="warning",
            title=f"People agree less with judge {new} than with {old} on {question}",
            detail=succession_text(found, old, new),
            subject=subject,
            actor=TEACHER,
        )
    ]


def succession_text(found: Succession, old: str, new: str) -> str:
    return (
        f"on the same {found.n} cases people agree with {old} in {found.old:.0%} and with {new} in {found.new:.0%}: "
        f"{found.lost} cases lost, {found.won} won (p {found.p_value:.4f}, exact)"
    )


def _settled(kind: str, subject: str, judged: list[Judged], *, window: int) -> bool:
    """Whether a person has resolved this trouble, and fewer than `window` labels came since."""
    last = Incident.objects.filter(kind=kind, subject=subject, status=IncidentStatus.RESOLVED).order_by("-id").first()
    if last is None or last.resolved_at is None:
        return False
    return sum(item.case.labelled_at > last.resolved_at for item in judged) < window
