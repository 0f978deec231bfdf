"""Whose marks count in metrics: those of the judge in force, never a mixture; what is left out, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from sensor.models import RunJudgement, SensorEvent
from teacher.aggregator import metrics_aggregate, samples_read
from teacher.models import BatchJudging
from tests.teacher.events import BATCH, event, store

pytestmark = pytest.mark.django_db

FIRST, SECOND = "judge-a", "judge-b"


def in_force(version: str, **columns: Any) -> None:
    BatchJudging.objects.create(batch=BATCH, judge_version=version, in_force=True, **columns)


def run(version: str | None = None, said: bool | None = None, **columns: Any) -> SensorEvent:
    """A recorded run that found what was expected; `version` marked it last, as made up or not."""
    (row,) = store(
        event("a", "a", judge_version=version, hallucination_detected=said, context_utilized=said, **columns)
    )
    return row


def kept(row: SensorEvent, version: str, said: bool | None, **more: Any) -> None:
    RunJudgement.objects.create(
        run_id=row.pipeline_run_id, judge_version=version, hallucination_detected=said, context_utilized=said, **more
    )


def hallucinated() -> list[float | str | None]:
    """Each run's mark; "absent" where the sample has none."""
    return [item.metrics.get("hallucination_rate", "absent") for item in samples_read(batch=BATCH)]


def test_marks__of_another_judge_than_the_one_in_force__do_not_count() -> None:
    run(FIRST, said=True)
    run(SECOND, said=False)
    in_force(SECOND)

    found = metrics_aggregate(batch=BATCH)

    assert (found.metrics["hallucination_rate"], found.counts["hallucination_rate"]) == (0.0, 1)
    assert hallucinated() == [None, 0.0]


def test_marks__said_before_another_judge_spoke__count_when_their_judge_is_in_force() -> None:
    row = run(SECOND, said=False)
    kept(row, FIRST, said=True)
    kept(row, SECOND, said=False)
    in_force(FIRST)

    found = metrics_aggregate(batch=BATCH)

    assert (found.metrics["hallucination_rate"], found.metrics["context_utilization"]) == (1.0, 1.0)


def test_marks__without_a_judging__are_those_on_the_run() -> None:
    run(FIRST, said=True)

    assert hallucinated() == [1.0]


def test_marks__of_repeats__never_count() -> None:
    row = run()
    kept(row, FIRST, said=True, repeat=1)
    in_force(FIRST)

    assert hallucinated() == [None]


def test_sample__run_outside_the_judges_sample__is_absent_not_missing() -> None:
    run(FIRST, said=True)
    run()
    in_force(FIRST, sampled=True)

    assert hallucinated() == [1.0, "absent"]


def test_sample__run_of_the_sample_whose_judgement_failed__is_missing() -> None:
    kept(run(), FIRST, said=None)
    in_force(FIRST, sampled=True)

    found = metrics_aggregate(batch=BATCH)

    assert hallucinated() == [None]
    assert (found.metrics["hallucination_rate"], found.counts["hallucination_rate"]) == (None, 0)


def test_relevance__said_by_a_judge__changes_no_number_from_ids() -> None:
    (row,) = store(event("a x", "a", judge_version=FIRST, retrieval_relevant=False, hallucination_detected=False))
    before = metrics_aggregate(batch=BATCH).metrics
    SensorEvent.objects.filter(pk=row.pk).update(retrieval_relevant=True)

    assert metrics_aggregate(batch=BATCH).metrics == before
    assert (before["retrieval_precision"], before["retrieval_recall"]) == (0.5, 1.0)


def test_relevance__of_a_run_without_ids__makes_no_precision() -> None:
    store(event("a x", None, example_id=None, judge_version=FIRST, retrieval_relevant=True))

    found = metrics_aggregate(batch=BATCH)

    assert (found.metrics["retrieval_precision"], found.counts["retrieval_precision"]) == (None, 0)
