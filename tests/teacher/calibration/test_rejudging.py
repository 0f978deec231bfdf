"""A judge that never saw the labelled cases is measured on them, and the batches keep their own judge's marks."""

from __future__ import annotations

import pytest

from sensor.models import RunJudgement, SensorEvent
from teacher.calibration.gate import agreements
from teacher.calibration.rejudging import labelled_judge
from teacher.calibration.selectors import REPEAT
from teacher.judges import JUDGE_VERSION
from teacher.judges.protocol import Judging
from tests.teacher.calibration.makers import V, judge, judged_runs, label_all, recorded

pytestmark = pytest.mark.django_db


def test_rejudge__new_version__is_measured_on_the_labelled_cases() -> None:
    judged_runs(clean=4, invented=2)
    label_all()
    assert agreements(JUDGE_VERSION)["hallucination"].n == 0
    assert labelled_judge() == 6
    assert agreements(JUDGE_VERSION)["hallucination"].n == 6
    assert labelled_judge() == 0


def test_rejudge__marks_on_the_runs__stay_those_of_their_judge() -> None:
    judged_runs(clean=2, invented=1)
    label_all()
    labelled_judge()
    assert set(SensorEvent.objects.values_list("judge_version", flat=True)) == {V}
    assert set(RunJudgement.objects.filter(judge_version=JUDGE_VERSION).values_list("repeat", flat=True)) == {REPEAT}


def test_rejudge__judged_in_earnest_before__is_not_judged_again() -> None:
    row = recorded(1)
    judge(row, hallucination=False)
    judge(row, hallucination=True, version=JUDGE_VERSION)
    label_all()
    assert labelled_judge() == 0


def test_rejudge__free_only__asks_no_model(settings: pytest.FixtureRequest) -> None:
    judged_runs(clean=2, invented=0)
    label_all()
    settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", "judge-model"  # type: ignore[attr-defined]
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"  # type: ignore[attr-defined]
    assert labelled_judge(judging=Judging(judge="llm"), free_only=True) == 0
    assert RunJudgement.objects.exclude(judge_version=V).count() == 0


def test_rejudge__nothing_labelled__does_nothing() -> None:
    judged_runs(clean=2, invented=0)
    assert labelled_judge() == 0
