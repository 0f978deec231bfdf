"""Agreement that falls opens one incident with its figures, and a settled one stays settled by the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from contracts.actor import Actor
from incidents.models import Incident
from incidents.services import incident_resolve
from sensor.models import SensorEvent
from teacher.calibration.labelling import case_label, case_next, round_draw
from teacher.calibration.models import CalibrationCase, CalibrationRound, CaseLabel
from teacher.calibration.monitor import agreement_watch
from tests.teacher.calibration.makers import ANNA, CLEAN, INVENTED, V, judge, judged_runs

pytestmark = pytest.mark.django_db


def labels(agreed: Sequence[bool], *, version: str = V, offset: int = 0) -> list[SensorEvent]:
    """One labelled case for each, in this order, as if the days had passed: agreed with the judge or not."""
    rows = judged_runs(clean=len(agreed), invented=0, version=version, query=f"Where, {offset}?")
    made = CalibrationRound.objects.create(
        judge_version=version, seed=1, frame={"h-c+r0": len(agreed)}, size=len(agreed), drawn_by="person:anna"
    )
    began = timezone.now() - timedelta(days=30 - offset)
    for place, (row, right) in enumerate(zip(rows, agreed, strict=True), start=1):
        content = f"{offset}-{place}"
        CalibrationCase.objects.create(
            round=made, position=place, run_id=row.pipeline_run_id, content_hash=content, stratum="h-c+r0",
            category="factual", language="en",
        )  # fmt: skip
        CaseLabel.objects.create(
            content_hash=content, run_id=row.pipeline_run_id, labeller="person:anna", seconds=3,
            labelled_at=began + timedelta(minutes=place), **(CLEAN if right else {**CLEAN, "hallucination": "yes"}),
        )  # fmt: skip
    return rows


def steady(n: int, share: float) -> list[bool]:
    """Agreement spread evenly."""
    return [int((place + 1) * share) > int(place * share) for place in range(n)]


def test_watch__nothing_labelled__opens_nothing() -> None:
    judged_runs(clean=3, invented=1)
    assert agreement_watch() == []


def test_watch__agreement_as_before__opens_nothing() -> None:
    labels(steady(150, 0.9))
    assert agreement_watch() == []


def test_watch__agreement_fell__opens_one_incident_with_the_figures() -> None:
    labels(steady(100, 0.94) + steady(50, 0.6))
    agreement_watch()
    agreement_watch()
    found = Incident.objects.get()
    assert (found.kind, found.severity, found.subject) == ("judge_drift", "warning", f"{V}:hallucination")
    assert found.title == f"People agree less with judge {V} on hallucination"
    assert found.detail.startswith("agreement 60% in the latest 50 labels, 94% in the 100 before (p 0.0000")


def test_watch__settled_by_a_person__is_not_raised_again_by_the_same_labels(bob: Actor) -> None:
    labels(steady(100, 0.94) + steady(50, 0.6))
    (found,) = agreement_watch()
    incident_resolve(incident_id=found.pk, note="the rules were looked at", actor=bob)
    assert agreement_watch() == []


def test_watch__settled_and_a_window_of_new_labels_is_as_bad__is_raised_again(bob: Actor) -> None:
    labels(steady(100, 0.94) + steady(50, 0.6))
    (found,) = agreement_watch()
    incident_resolve(incident_id=found.pk, note="seen", actor=bob)
    labels(steady(50, 0.4), offset=31)
    assert [item.pk for item in agreement_watch()] != [found.pk]
    assert Incident.objects.count() == 2


def test_watch__new_version_loses_cases__is_told_with_both_versions() -> None:
    rows = labels(steady(40, 1.0))
    for place, row in enumerate(rows):
        judge(row, hallucination=place < 12, version="rules-2")
    (found,) = agreement_watch()
    assert (found.kind, found.subject) == ("judge_worse", "rules-2:hallucination")
    assert found.title == f"People agree less with judge rules-2 than with {V} on hallucination"
    assert "on the same 40 cases people agree with rules-1 in 100% and with rules-2 in 70%: 12 cases lost, 0 won" in (
        found.detail
    )


def test_watch__new_version_wins_cases__opens_nothing() -> None:
    rows = labels(steady(40, 0.6))
    said = dict(CaseLabel.objects.values_list("run_id", "hallucination"))
    for row in rows:
        judge(row, hallucination=said[row.pipeline_run_id] == "yes", version="rules-2")
    assert agreement_watch() == []


def test_label__the_one_that_completes_the_look__opens_the_incident() -> None:
    """The last label comes through the door that people use."""
    labels(steady(100, 0.94) + steady(49, 0.6))
    judged_runs(clean=0, invented=1)
    assert agreement_watch() == []
    round_draw(actor=ANNA, judge_version=V, size=500)
    offered = case_next(actor=ANNA)
    assert offered is not None
    case_label(actor=ANNA, case_id=offered.case_id, answers=INVENTED, seconds=1)
    assert Incident.objects.get().kind == "judge_drift"
