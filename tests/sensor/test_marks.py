"""Ground truth and judgements reach the run's row in whichever order they come."""

from __future__ import annotations

import uuid

import pytest

from sensor.models import RunJudgement, SensorEvent, TelemetryEvent
from sensor.selectors import events
from sensor.services import catch_up, ground_truth_record, judgements_record, runs_capture
from sensor.services.marks import marks_apply
from tests.sensor import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("truth_first", [True, False])
def test_ground_truth__before_or_after_the_run__is_on_its_row(truth_first: bool) -> None:
    found = factories.memory()
    run_id = factories.run(found=(found,))
    message = factories.truth(run_id, expected_memory_ids=(found, uuid.uuid4()), key_facts=("Kazan",))

    if truth_first:
        ground_truth_record([message])
    runs_capture(run_ids=[run_id])
    if not truth_first:
        ground_truth_record([message])

    event = events(batch="batch-1", split="validation").get()
    assert event.expected_ids == list(message.expected_memory_ids)
    assert (event.key_facts, event.example_id, event.cluster) == (["Kazan"], "example-1", "cluster-1")
    assert set(TelemetryEvent.objects.values_list("hit_rate", flat=True)) == {True}


def test_ground_truth__repeated__changes_nothing() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])
    message = factories.truth(run_id)

    assert [ground_truth_record([message, message]), ground_truth_record([message])] == [1, 0]


def test_ground_truth__corrected__replaces_the_one_before() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])
    ground_truth_record([factories.truth(run_id)])

    assert ground_truth_record([factories.truth(run_id, category="temporal")]) == 1
    assert SensorEvent.objects.get().category == "temporal"


def test_ground_truth__without_expectations__leaves_the_hit_untold() -> None:
    run_id = factories.run(found=(factories.memory(),))
    runs_capture(run_ids=[run_id])
    ground_truth_record([factories.truth(run_id, should_retrieve=False)])

    assert set(TelemetryEvent.objects.values_list("hit_rate", flat=True)) == {None}
    assert SensorEvent.objects.get().expected_ids == []


def test_catch_up__truth_that_found_no_run_yet__is_applied_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the truth's transaction and the capture's did not see each other."""
    run_id = factories.run()
    with monkeypatch.context() as patch:
        patch.setattr("sensor.services.capture.marks_apply", lambda **_: None)
        runs_capture(run_ids=[run_id])
        patch.setattr("sensor.services.truths.marks_apply", lambda **_: None)
        ground_truth_record([factories.truth(run_id)])
    assert SensorEvent.objects.get().batch is None

    catch_up()

    assert SensorEvent.objects.get().batch == "batch-1"


def test_judgement__after_capture__is_copied_to_run_and_stages() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])

    marks = factories.judgement(run_id, hallucination_detected=True, context_utilized=False, reasons=("no source",))
    assert judgements_record([marks]) == 1

    event = SensorEvent.objects.get()
    assert (event.judge_version, event.hallucination_detected, event.retrieval_relevant) == ("rules-1", True, None)
    assert event.judge_reasons == ["no source"]
    assert set(TelemetryEvent.objects.values_list("hallucination_detected", flat=True)) == {True}


def test_judgement__before_capture__is_applied_with_it() -> None:
    run_id = factories.run()
    judgements_record([factories.judgement(run_id, context_utilized=True)])

    runs_capture(run_ids=[run_id])

    assert SensorEvent.objects.get().context_utilized is True


def test_judgement__of_a_later_version__is_the_one_on_the_row_and_history_stays() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])
    judgements_record([factories.judgement(run_id, "rules-1", hallucination_detected=True)])
    judgements_record([factories.judgement(run_id, "rules-2", hallucination_detected=False)])

    event = SensorEvent.objects.get()
    assert (event.judge_version, event.hallucination_detected) == ("rules-2", False)
    assert RunJudgement.objects.count() == 2


@pytest.mark.parametrize(("repeat", "mark"), [(1, False), (0, None)])
def test_judgement__repeat_or_one_that_could_not_tell__does_not_count(repeat: int, mark: bool | None) -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])
    judgements_record([factories.judgement(run_id, "rules-1", hallucination_detected=True)])
    judgements_record([factories.judgement(run_id, "rules-2", hallucination_detected=mark)], repeat=repeat)

    assert SensorEvent.objects.get().judge_version == "rules-1"
    assert RunJudgement.objects.count() == 2


def test_judgement__same_version_again__is_kept_once() -> None:
    run_id = factories.run()
    message = factories.judgement(run_id, context_utilized=True)

    assert [judgements_record([message]), judgements_record([message])] == [1, 0]


def test_marks_apply__nothing_waits__does_nothing() -> None:
    marks_apply()

    assert not SensorEvent.objects.exists()
