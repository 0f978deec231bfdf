"""The Teacher's verbs: judge and measure a batch, one final verdict per experiment, and its replay."""

from __future__ import annotations

import random
from typing import Any

import pytest

from contracts.actor import component
from contracts.evaluation import Evaluation
from contracts.recommendation import Recommendation
from experiments.models import EvaluationPass, ExperimentResult
from experiments.services import experiment_bind_arms
from hypotheses.domain.lifecycle import HypothesisStatus
from kernel.errors import NotFound
from sensor.models import LedgerEntry, RunJudgement, SensorEvent
from sensor.services import ground_truth_record, runs_capture
from teacher.aggregator import metrics_aggregate
from teacher.judges import JUDGE_VERSION, batch_judge
from teacher.services import OUTCOMES, batch_measure, experiment_analyze, verdict_replay
from tests.experiments.makers import experiment
from tests.sensor import factories
from tests.teacher.events import BATCH, event, store

pytestmark = pytest.mark.django_db

TEACHER = component("teacher")
CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n## Question\nWhere does Anna live?"


def judged_row(found: str, expected: str, answer: str, **columns: Any) -> SensorEvent:
    """A recorded run with the ledger entry that a judgement needs to find it."""
    (row,) = store(event(found, expected, answer=answer, context=CONTEXT, **columns))
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)
    return row


def marks(row: SensorEvent) -> tuple[bool | None, bool | None]:
    fresh = SensorEvent.objects.get(pk=row.pk)
    return fresh.context_utilized, fresh.hallucination_detected


# --- judging a batch --------------------------------------------------------------------------------------------------


def test_judge__right_ids_with_a_wrong_answer__hallucination_rises_and_ids_stay() -> None:
    row = judged_row("a", "a", "Anna lives in Lisbon.")

    found = batch_measure(batch=BATCH)

    assert marks(row) == (False, True)
    assert (found.metrics["retrieval_precision"], found.metrics["retrieval_recall"]) == (1.0, 1.0)
    assert (found.metrics["hallucination_rate"], found.metrics["context_utilization"]) == (1.0, 0.0)


def test_judge__wrong_ids_with_a_right_answer__ids_stay_wrong() -> None:
    row = judged_row("x", "a", "Anna moved to Kazan.", key_facts=["Kazan"])

    found = batch_measure(batch=BATCH)

    assert marks(row) == (True, False)
    assert (found.metrics["retrieval_precision"], found.metrics["retrieval_recall"]) == (0.0, 0.0)


def test_judge__failed_run__has_no_marks_and_is_counted_as_failed() -> None:
    row = judged_row("", "a", "", status="FAILED")

    found = batch_measure(batch=BATCH)

    assert marks(row) == (None, None)
    assert (found.metrics["error_rate"], found.metrics["hallucination_rate"]) == (1.0, None)


def test_judge__abstention_where_nothing_right_was_found__does_not_count_against_the_context() -> None:
    judged_row("x", "a", "I have no memory of that.")

    found = batch_measure(batch=BATCH)

    assert (found.metrics["hallucination_rate"], found.metrics["context_utilization"]) == (0.0, None)


def test_judge__again__judges_nothing_and_keeps_one_mark() -> None:
    judged_row("a", "a", "Anna moved to Kazan.")

    assert [batch_judge(batch=BATCH), batch_judge(batch=BATCH)] == [1, 0]
    assert RunJudgement.objects.get().judge_version == JUDGE_VERSION


def test_judge__another_batch__is_left_alone() -> None:
    row = judged_row("a", "a", "Anna moved to Kazan.", batch="other")

    assert batch_judge(batch=BATCH) == 0
    assert marks(row) == (None, None)


def test_measure__run_recorded_by_the_sensor__is_judged_and_measured() -> None:
    wanted, other = factories.memory(), factories.memory()
    run_id = factories.run(found=(other, wanted), final_answer="In Kazan.", final_context_payload=CONTEXT)
    runs_capture(run_ids=[run_id])
    ground_truth_record([factories.truth(run_id, expected_memory_ids=(wanted,), key_facts=("Kazan",))])

    metrics = batch_measure(batch="batch-1").metrics

    assert (metrics["retrieval_precision"], metrics["retrieval_recall"], metrics["mrr"]) == (0.5, 1.0, 0.5)
    assert (metrics["hallucination_rate"], metrics["context_utilization"]) == (0.0, 1.0)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def runs_of_both_arms(*, n: int = 80, gain: float = 0.5, category: str = "factual", prefix: str = "q") -> None:
    """`n` examples under both arms: the baseline finds one of two memories found, the variant mostly the one alone."""
    chance = random.Random(5)
    rows = []
    for number in range(n):
        better = chance.random() < gain
        for arm, found in (("baseline", "a x"), ("variant", "a" if better else "a x")):
            rows.append(
                event(
                    found, "a", variant=arm, example_id=f"{prefix}{number:03d}", cluster=f"c{prefix}{number}",
                    category=category, answer="I have no memory of that.", context=CONTEXT, judge_version=JUDGE_VERSION,
                    hallucination_detected=False, context_utilized=True,
                )
            )  # fmt: skip
    store(*rows)


def analyzed(**more: Any) -> ExperimentResult:
    return experiment_analyze(slug="e-1", batch=BATCH, **more)


def test_analyze__clear_gain__is_a_winner_with_an_action_for_the_tuner() -> None:
    experiment(TEACHER)
    runs_of_both_arms()

    result = analyzed()

    assert result.verdict == "winner"
    assert result.metrics_variant["retrieval_precision"] > result.metrics_baseline["retrieval_precision"] == 0.5
    told = Recommendation.from_mission_json(result.recommendation)
    assert told.action == "update_params"
    assert [change.to_mission_json() for change in told.changes] == [{"param": "retrieval.top_k", "from": 3, "to": 2}]
    assert result.by_category["differences"]["factual"]["n"] == 80
    assert result.judge_version == JUDGE_VERSION
    assert Evaluation.model_validate(result.evaluation).n == 80


def test_analyze__no_difference__keeps_what_is_active() -> None:
    experiment(TEACHER)
    runs_of_both_arms(gain=0.0)

    result = analyzed()

    assert (result.verdict, result.recommendation["action"]) == ("inconclusive", "keep")


def test_analyze__too_few_examples__is_inconclusive_however_large_the_gain() -> None:
    experiment(TEACHER)
    runs_of_both_arms(n=30, gain=1.0)

    assert analyzed().verdict == "inconclusive"


def test_analyze__again_after_more_runs__returns_the_stored_result() -> None:
    experiment(TEACHER)
    runs_of_both_arms(gain=0.0)
    first = analyzed()
    runs_of_both_arms(gain=1.0, prefix="later")

    second = analyzed()

    assert (second.pk, second.verdict, second.samples_hash) == (first.pk, first.verdict, first.samples_hash)
    assert ExperimentResult.objects.count() == 1


def test_analyze__goal_of_one_category__is_tested_on_its_questions_alone() -> None:
    experiment(TEACHER)
    runs_of_both_arms(n=60, gain=1.0, category="temporal", prefix="t")
    runs_of_both_arms(n=60, gain=0.0, prefix="f")

    result = analyzed(category="temporal")

    goal = Evaluation.model_validate(result.evaluation).criteria[0]
    assert goal.n == 60
    assert goal.estimate == pytest.approx(0.5)
    assert set(result.by_category["differences"]) == {"temporal"}


def test_analyze__unknown_experiment__is_not_found() -> None:
    with pytest.raises(NotFound):
        experiment_analyze(slug="nothing", batch=BATCH)


def test_outcomes__every_verdict__says_something_of_its_hypothesis() -> None:
    assert set(OUTCOMES.values()) == {
        HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED, HypothesisStatus.INCONCLUSIVE,
    }  # fmt: skip


# --- soundness --------------------------------------------------------------------------------------------------------


def blocked_by(name: str) -> str:
    """The verdict on a clear gain, when the check named fails."""
    result = analyzed()
    found = {item.name: item for item in Evaluation.model_validate(result.evaluation).health}
    assert not found[name].ok
    return result.verdict


def test_analyze__run_under_other_parameters_than_its_arms__blocks_the_verdict() -> None:
    experiment(TEACHER)
    experiment_bind_arms(slug="e-1", arm_versions={"baseline": 7, "variant": 8})
    runs_of_both_arms()
    SensorEvent.objects.filter(variant="baseline").update(parameter_version=7)
    SensorEvent.objects.filter(variant="variant").update(parameter_version=8)
    SensorEvent.objects.filter(variant="variant", example_id="q000").update(parameter_version=7)

    assert blocked_by("arm_parameters") == "inconclusive"


def test_analyze__example_that_was_recorded_in_neither_arm__blocks_the_verdict() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    EvaluationPass.objects.create(
        batch=BATCH, dataset="d", split="validation", purpose="experiment", arms={}, planned=162
    )

    assert blocked_by("complete_record") == "inconclusive"


def test_analyze__all_recorded_under_its_arms__is_sound() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    EvaluationPass.objects.create(
        batch=BATCH, dataset="d", split="validation", purpose="experiment", arms={}, planned=160
    )

    assert analyzed().verdict == "winner"


def test_replay__blocked_verdict__comes_out_the_same_without_the_runs() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    EvaluationPass.objects.create(
        batch=BATCH, dataset="d", split="validation", purpose="experiment", arms={}, planned=162
    )
    blocked_by("complete_record")
    SensorEvent.objects.all().delete()

    assert verdict_replay(slug="e-1").identical is True


# --- replay -----------------------------------------------------------------------------------------------------------


def replayed_after(**change: Any) -> tuple[bool, str]:
    experiment(TEACHER)
    runs_of_both_arms()
    analyzed()
    ExperimentResult.objects.update(**change)
    found = verdict_replay(slug="e-1")
    return found.identical, found.difference


def test_replay__stored_verdict__comes_out_the_same_bytes() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    analyzed()
    SensorEvent.objects.all().delete()  # the stored samples are enough

    assert verdict_replay(slug="e-1").identical is True


def test_replay__altered_sample__is_named() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    result = analyzed()
    result.samples[0]["metrics"]["retrieval_precision"] = 0.99
    result.save()

    found = verdict_replay(slug="e-1")

    assert found.identical is False
    assert "samples are not the ones" in found.difference


def test_replay__altered_verdict__says_where_they_part() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    result = analyzed()
    result.evaluation["verdict"] = "loser"
    result.save()

    assert verdict_replay(slug="e-1").difference == "verdict: loser → winner"


def test_replay__result_of_another_engine__says_which() -> None:
    identical, difference = replayed_after(engine_version="0.9", evaluation={})

    assert identical is False
    assert "(engine 0.9 → " in difference


def test_replay__changes_nothing_and_measures_nothing_anew() -> None:
    experiment(TEACHER)
    runs_of_both_arms()
    analyzed()
    before = list(ExperimentResult.objects.values()), metrics_aggregate(batch=BATCH)

    verdict_replay(slug="e-1")

    assert (list(ExperimentResult.objects.values()), metrics_aggregate(batch=BATCH)) == before


def test_replay__no_stored_verdict__is_not_found() -> None:
    with pytest.raises(NotFound, match="no stored verdict"):
        verdict_replay(slug="e-1")
