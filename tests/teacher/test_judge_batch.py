"""Judging a batch by a model: marks, what is missing, the sample and the money."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from llm.errors import ModelUnavailable
from sensor.models import LedgerEntry, RunJudgement, SensorEvent
from teacher.aggregator import samples_read
from teacher.judges import (
    Judging,
    batch_judge,
    judging_spent,
    judgings_of,
)
from teacher.judges.llm import NO_MONEY
from teacher.judges.protocol import Bill, Case, Marks
from teacher.services import batch_measure
from tests.llm.server import error
from tests.teacher.events import BATCH, event, store
from tests.teacher.judge_runs import CONTEXT, LLM, VERSION, judged_arms, pairs, record, run
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


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
