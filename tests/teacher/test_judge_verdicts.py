"""Which judge counts for a batch and in a verdict, and how steady a judge is."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from contracts.actor import component
from contracts.evaluation import Evaluation, HealthCheck
from experiments.models import ExperimentResult
from kernel.errors import InvalidInput
from sensor.models import LedgerEntry, RunJudgement, SensorEvent
from teacher.judges import (
    JUDGE_VERSION,
    Judging,
    batch_judge,
    judge_in_force,
    judge_steadiness,
    judging_begin,
)
from teacher.services import batch_measure, experiment_analyze
from tests.experiments.makers import experiment
from tests.teacher.events import BATCH, event, store
from tests.teacher.judge_runs import CONTEXT, LLM, VERSION, pairs, record, run
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


# --- which judge counts -----------------------------------------------------------------------------------------------


def test_choice__model_without_an_endpoint__is_a_sentence_that_says_what_to_do(settings: Settings) -> None:
    settings.SELFLEARN_LLM = "offline"

    with pytest.raises(InvalidInput, match="set SELFLEARN_LLM=openai, SELFLEARN_JUDGE_MODEL"):
        batch_judge(batch=BATCH, judging=LLM)


def test_choice__model_without_a_key__is_a_sentence_too(settings: Settings) -> None:
    settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", "keyless-model"
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "", ""

    with pytest.raises(InvalidInput, match="OPENAI_API_KEY is not set"):
        batch_judge(batch=BATCH, judging=LLM)


def test_force__another_judge__is_in_force_alone_and_its_marks_count(server: JudgeServer) -> None:
    pairs(2)
    batch_judge(batch=BATCH)
    batch_judge(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=2, usd_per_batch=100.0))

    assert judge_in_force(BATCH) == VERSION
    assert (
        batch_measure(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=2)).counts["hallucination_rate"] == 2
    )


def test_force__back_to_the_first_judge__counts_its_marks_again(server: JudgeServer) -> None:
    pairs(2)
    batch_judge(batch=BATCH)
    batch_judge(batch=BATCH, judging=LLM)

    found = batch_measure(batch=BATCH)

    assert judge_in_force(BATCH) == JUDGE_VERSION
    assert found.counts["hallucination_rate"] == 4
    assert RunJudgement.objects.filter(judge_version=JUDGE_VERSION).count() == 4


# --- verdicts ---------------------------------------------------------------------------------------------------------


def health_of(result: ExperimentResult) -> dict[str, HealthCheck]:
    return {item.name: item for item in Evaluation.model_validate(result.evaluation).health}


def experiment_runs(n: int = 80, *, metric: str = "retrieval_precision") -> None:
    """The baseline finds one wrong memory more; both answer right."""
    experiment(component("teacher"), metric=metric)
    for number in range(n):
        for arm, found in (("baseline", "a x"), ("variant", "a")):
            (row,) = store(
                event(found, "a", variant=arm, example_id=f"q{number:03d}", cluster=f"c{number}", context=CONTEXT,
                      answer="Anna moved to Kazan.")
            )  # fmt: skip
            LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)


def test_verdict__judged_by_a_model_on_a_sample__is_sound_and_names_the_judge(server: JudgeServer) -> None:
    experiment_runs()
    judging = Judging(judge="llm", sample_per_batch=120, usd_per_batch=100.0)
    judging_begin(batch=BATCH, judging=judging)

    result = experiment_analyze(slug="e-1", batch=BATCH, judging=judging)

    health = health_of(result)
    assert health["judge_version"].ok
    assert health["judge_version"].detail == f"120 of 160 runs were judged by {VERSION}, 0 could not be"
    assert health["missing_rate"].ok
    assert (result.judge_version, result.verdict) == (VERSION, "winner")


def test_verdict__judge_that_changed_since_the_experiment_began__is_blocked(server: JudgeServer) -> None:
    experiment_runs()
    judging_begin(batch=BATCH)

    result = experiment_analyze(slug="e-1", batch=BATCH, judging=LLM)

    assert result.verdict == "inconclusive"
    assert health_of(result)["judge_version"].detail == (
        f"the judge changed during the experiment: {JUDGE_VERSION} before {VERSION}"
    )


def test_verdict__prompt_that_changed_since_the_experiment_began__is_blocked(
    server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment_runs()
    judging_begin(batch=BATCH, judging=LLM)
    monkeypatch.setattr("teacher.judges.llm.version_of", lambda model: f"llm-1:{model}:v1-other")

    result = experiment_analyze(slug="e-1", batch=BATCH, judging=LLM)

    assert (result.verdict, health_of(result)["judge_version"].ok) == ("inconclusive", False)


def test_verdict__judgements_that_fail_in_one_arm_alone__block_it(server: JudgeServer) -> None:
    """Not by design: the judge tried, and could not tell of the variant."""
    experiment_runs(metric="hallucination_rate")
    judging_begin(batch=BATCH, judging=LLM)
    batch_judge(batch=BATCH, judging=LLM)
    variant = SensorEvent.objects.filter(variant="variant")
    lost = list(variant.values_list("pipeline_run_id", flat=True))
    RunJudgement.objects.filter(run_id__in=lost).update(hallucination_detected=None, context_utilized=None)
    variant.update(judge_version=None, hallucination_detected=None, context_utilized=None)

    result = experiment_analyze(slug="e-1", batch=BATCH, judging=LLM)

    assert (result.verdict, health_of(result)["missing_rate"].ok) == ("inconclusive", False)


# --- steadiness -------------------------------------------------------------------------------------------------------


def test_steadiness__same_marks_again__is_one(server: JudgeServer) -> None:
    pairs(3)
    for repeat in (0, 1):
        batch_judge(batch=BATCH, judging=LLM, repeat=repeat)

    found = judge_steadiness(batch=BATCH)

    assert (found.judge_version, found.runs, found.repeats, found.missing) == (VERSION, 6, 2, 0)
    assert found.pairs == {"hallucination_detected": 6, "context_utilized": 6, "retrieval_relevant": 0}
    assert found.equal == {"hallucination_detected": 1.0, "context_utilized": 1.0, "retrieval_relevant": None}


def test_steadiness__one_of_four_that_is_said_differently__is_three_quarters(server: JudgeServer) -> None:
    pairs(2)
    batch_judge(batch=BATCH, judging=LLM)
    batch_judge(batch=BATCH, judging=LLM, repeat=1)
    changed = RunJudgement.objects.filter(repeat=1).order_by("id").first()
    assert changed is not None
    RunJudgement.objects.filter(pk=changed.pk).update(hallucination_detected=not changed.hallucination_detected)

    assert judge_steadiness(batch=BATCH).equal["hallucination_detected"] == 0.75


def test_steadiness__judgement_that_failed__is_missing_not_equal(server: JudgeServer) -> None:
    pairs(1)
    batch_judge(batch=BATCH, judging=LLM)
    RunJudgement.objects.update(hallucination_detected=None, context_utilized=None)
    batch_judge(batch=BATCH, judging=LLM, repeat=1)

    found = judge_steadiness(batch=BATCH)

    assert (found.missing, found.equal["hallucination_detected"]) == (2, None)


def test_repeat__of_a_judge__touches_neither_marks_nor_the_judge_in_force(server: JudgeServer) -> None:
    row = run()
    batch_judge(batch=BATCH)
    before = SensorEvent.objects.get(pk=row.pk)

    batch_judge(batch=BATCH, judging=LLM, repeat=1)

    after = SensorEvent.objects.get(pk=row.pk)
    assert (after.judge_version, after.hallucination_detected) == (before.judge_version, before.hallucination_detected)
    assert judge_in_force(BATCH) == JUDGE_VERSION
    assert record(repeat=1).judged == 1


def test_steadiness__of_the_offline_rules__is_one() -> None:
    pairs(2)
    for repeat in (0, 1, 2):
        batch_judge(batch=BATCH, repeat=repeat)

    found = judge_steadiness(batch=BATCH)

    assert (found.repeats, found.pairs["hallucination_detected"]) == (3, 12)
    assert found.equal["hallucination_detected"] == 1.0
