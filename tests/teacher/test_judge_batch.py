"""Judging a batch by a model: the sample, the money, what is missing, which judge counts, and how steady it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pytest_django import Settings

from contracts.actor import component
from contracts.evaluation import Evaluation, HealthCheck
from experiments.models import ExperimentResult
from kernel.errors import InvalidInput
from llm.errors import ModelUnavailable
from sensor.models import LedgerEntry, RunJudgement, SensorEvent
from teacher.aggregator import samples_read
from teacher.judges import (
    JUDGE_VERSION,
    Judging,
    batch_judge,
    judge_in_force,
    judge_steadiness,
    judging_begin,
    judging_spent,
    judgings_of,
)
from teacher.judges.llm import NO_MONEY
from teacher.judges.protocol import Bill, Case, Marks
from teacher.judges.questions import version_of
from teacher.models import BatchJudging
from teacher.services import batch_measure, experiment_analyze
from tests.experiments.makers import experiment
from tests.llm.server import completion, error
from tests.teacher.events import BATCH, event, store
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db

MODEL = "judge-model"
VERSION = version_of(MODEL)
LLM = Judging(judge="llm", sample_per_batch=1000, usd_per_batch=100.0)
CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n## Question\nWhere does Anna live?"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[JudgeServer]:
    """The product's own settings, with an endpoint that answers."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", MODEL
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "k", running.url
        settings.SELFLEARN_PRICES = f'{{"{MODEL}": [1.0, 1.0]}}'
        yield running


def run(answer: str | None = "Anna moved to Kazan.", **columns: Any) -> SensorEvent:
    """A recorded run with the ledger entry that a judgement needs to find it."""
    (row,) = store(event("a", "a", **{"answer": answer, "context": CONTEXT, **columns}))
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)
    return row


def pairs(n: int, *, category: str = "factual", batch: str = BATCH) -> None:
    """`n` examples under both arms, each with an answer of its own."""
    for number in range(n):
        for arm in ("baseline", "variant"):
            run(
                f"Anna moved to Kazan {number} {arm}.", variant=arm, example_id=f"{category}-{number:03d}",
                cluster=f"{category}-{number}", category=category, batch=batch,
            )  # fmt: skip


def record(repeat: int = 0) -> BatchJudging:
    return BatchJudging.objects.get(batch=BATCH, judge_version=VERSION, repeat=repeat)


def judged_arms() -> dict[str, set[str]]:
    """Example → arms that have a judgement."""
    said = set(RunJudgement.objects.filter(judge_version=VERSION).values_list("run_id", flat=True))
    found: dict[str, set[str]] = {}
    for row in SensorEvent.objects.filter(pipeline_run_id__in=said):
        found.setdefault(row.example_id or "", set()).add(row.variant or "")
    return found


# --- marks and missing ------------------------------------------------------------------------------------------------


def test_judge__by_a_model__marks_runs_and_tells_what_it_did(server: JudgeServer) -> None:
    right, wrong = run(), run("Anna lives in Lisbon.")

    assert batch_judge(batch=BATCH, judging=LLM) == 2

    marks = {row.pk: row for row in SensorEvent.objects.all()}
    assert [marks[row.pk].hallucination_detected for row in (right, wrong)] == [False, True]
    assert marks[right.pk].judge_version == VERSION
    found = record()
    assert (found.runs, found.chosen, found.judged, found.missing, found.calls, found.cached) == (2, 2, 2, 0, 4, 0)
    assert (found.in_force, found.sampled, found.stopped) == (True, True, "")
    assert float(found.cost_usd) == pytest.approx(4 * 0.0011)


def test_judge__again__asks_nothing(server: JudgeServer) -> None:
    run()
    batch_judge(batch=BATCH, judging=LLM)
    calls = len(server.requests)

    assert batch_judge(batch=BATCH, judging=LLM) == 0
    assert len(server.requests) == calls


def test_judge__same_answers_in_another_batch__come_from_what_is_kept(server: JudgeServer) -> None:
    run()
    batch_judge(batch=BATCH, judging=LLM)
    calls = len(server.requests)
    run(batch="other")

    batch_judge(batch="other", judging=LLM)

    (found,) = judgings_of("other")
    assert len(server.requests) == calls
    assert (found.calls, found.cached, float(found.cost_usd)) == (0, 2, 0.0)


def test_judge__failure__is_missing_in_metrics_never_a_pass(server: JudgeServer) -> None:
    row = run()
    server.faults.extend([error(400, "no"), error(400, "no")])

    found = batch_measure(batch=BATCH, judging=LLM)

    assert (found.metrics["hallucination_rate"], found.counts["hallucination_rate"], found.n) == (None, 0, 1)
    (sample,) = samples_read(batch=BATCH)
    assert (sample.metrics["hallucination_rate"], sample.metrics["context_utilization"]) == (None, None)
    said = RunJudgement.objects.get(run_id=row.pipeline_run_id)
    assert (said.hallucination_detected, said.context_utilized, said.retrieval_relevant) == (None, None, None)
    assert said.reasons[0].startswith("not judged: ")
    assert record().missing == 1


def test_judge__failed_run__is_not_asked_about(server: JudgeServer) -> None:
    run(status="FAILED", answer=None)

    assert batch_judge(batch=BATCH, judging=LLM) == 0
    assert server.requests == []


def test_judge__run_without_ids__has_a_judged_relevance_and_no_precision(server: JudgeServer) -> None:
    (row,) = store(event("a", None, answer="Anna moved to Kazan.", context=CONTEXT, query="Where does Anna live?",
                         example_id=None, should_retrieve=None))  # fmt: skip
    LedgerEntry.objects.create(run_id=row.pipeline_run_id, stage="run", occurred_at=row.started_at)

    found = batch_measure(batch=BATCH, judging=LLM)

    assert SensorEvent.objects.get(pk=row.pk).retrieval_relevant is True
    assert (found.metrics["retrieval_precision"], found.metrics["hallucination_rate"]) == (None, 0.0)


# --- sample and money -------------------------------------------------------------------------------------------------


def test_sample__both_arms_of_an_example__are_judged_together(server: JudgeServer) -> None:
    pairs(10)
    pairs(4, category="temporal")

    batch_judge(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=11, usd_per_batch=100.0))

    found = judged_arms()
    assert len(found) == 5
    assert set(map(frozenset, found.values())) == {frozenset({"baseline", "variant"})}
    assert {name.split("-")[0] for name in found} == {"factual", "temporal"}
    assert (record().runs, record().chosen, record().judged) == (28, 10, 10)


def test_sample__what_is_left_out__is_not_missing(server: JudgeServer) -> None:
    pairs(6)

    found = batch_measure(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=4, usd_per_batch=100.0))

    samples = samples_read(batch=BATCH)
    assert [item.metrics.get("hallucination_rate", "left out") for item in samples].count("left out") == 8
    assert found.counts["hallucination_rate"] == 4
    assert None not in [item.metrics.get("hallucination_rate", 0.0) for item in samples]


def test_money__spent__stops_between_examples_and_says_so(server: JudgeServer) -> None:
    pairs(30)

    batch_judge(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=1000, usd_per_batch=0.05))

    found = record()
    assert found.calls == len(server.requests)
    assert float(found.cost_usd) == pytest.approx(0.0011 * len(server.requests))
    assert found.stopped == "the money for this batch is spent"
    assert 0 < found.judged < 60
    assert float(found.cost_usd) <= 0.05
    assert set(map(frozenset, judged_arms().values())) == {frozenset({"baseline", "variant"})}


class HalfPaid:
    """A judge whose money is spent between the arms of its first example."""

    version, samples, purse = "half-paid", True, None

    def judge(self, cases: Sequence[Case]) -> list[Marks]:
        paid = Marks(True, False, (), bill=Bill(calls=2, cost_usd=0.25))
        return [paid if number == 0 else Marks(None, None, ("",), failure=NO_MONEY) for number, _ in enumerate(cases)]


def test_money__spent_between_the_arms__leaves_both_out_and_counts_what_was_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs(1)
    monkeypatch.setattr("teacher.judges.orchestrator.judge_of", lambda *_, **__: HalfPaid())

    assert batch_judge(batch=BATCH, judging=LLM) == 0

    (found,) = judgings_of(BATCH)
    assert (found.judged, found.missing, found.calls, float(found.cost_usd)) == (0, 0, 2, 0.25)
    assert RunJudgement.objects.count() == 0


def test_money__spent__is_spent_for_the_next_call_too(server: JudgeServer) -> None:
    pairs(30)
    judging = Judging(judge="llm", sample_per_batch=1000, usd_per_batch=0.05)
    for _ in range(4):
        batch_judge(batch=BATCH, judging=judging)

    assert float(judging_spent(batches=[BATCH])) <= 0.05


def test_money__more_of_it__goes_on_where_it_stopped(server: JudgeServer) -> None:
    pairs(8)
    batch_judge(batch=BATCH, judging=Judging(judge="llm", sample_per_batch=1000, usd_per_batch=0.02))
    first = record().judged

    batch_judge(batch=BATCH, judging=LLM)

    assert 0 < first < 16
    assert (record().judged, record().stopped) == (16, "")


def test_money__none__judges_nothing(server: JudgeServer) -> None:
    pairs(2)

    batch_judge(batch=BATCH, judging=Judging(judge="llm", usd_per_batch=0.0))

    assert (server.requests, record().judged) == ([], 0)


def test_outage__of_the_model__is_an_error_and_the_rest_follows_later(server: JudgeServer) -> None:
    pairs(10)
    server.faults.extend([error(401, "wrong key")] * 1000)

    with pytest.raises(ModelUnavailable, match=r"the model that judges cannot be asked .* 0 answers of batch-1"):
        batch_judge(batch=BATCH, judging=LLM)

    assert record().stopped.startswith("the model that judges cannot be asked (not judged: The endpoint refuses")
    assert (record().judged, record().missing) == (0, 0)
    server.faults.clear()
    batch_judge(batch=BATCH, judging=LLM)
    assert (record().judged, record().missing, record().stopped) == (20, 0, "")


def test_refusals__of_cases__are_missing_and_no_outage(server: JudgeServer) -> None:
    pairs(5)
    server.faults.extend([error(400, "content policy")] * 1000)

    assert batch_judge(batch=BATCH, judging=LLM) == 10
    assert (record().judged, record().missing, record().stopped) == (0, 10, "")


def test_progress__of_judging__tells_done_and_planned(server: JudgeServer) -> None:
    pairs(8)
    told: list[tuple[int, int]] = []

    batch_judge(batch=BATCH, judging=LLM, on_progress=lambda done, planned: told.append((done, planned)))

    assert [item for item in told if item[0]] == [(8, 16), (16, 16)]


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


def test_judge__answer_that_no_json_can_be_read_from__is_missing_for_its_run_alone(server: JudgeServer) -> None:
    run("Anna moved to Kazan one.")
    run("Anna moved to Kazan two.")
    server.faults.extend([completion("no")] * 3)

    batch_judge(batch=BATCH, judging=LLM)

    assert record().judged + record().missing == 2
