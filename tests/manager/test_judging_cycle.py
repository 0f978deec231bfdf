"""A model as judge inside the loop: one judge for both arms, a change in between blocks, nothing passes unjudged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from contracts.evaluation import Evaluation
from contracts.experiment_spec import Assignment, ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.parameters import ParameterChange
from experiments.models import Experiment, ExperimentResult
from experiments.services import experiment_register
from goals.models import Campaign
from kernel.errors import Conflict
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import tuning
from manager.engine.context import StepContext
from manager.engine.gate import golden_gate
from manager.engine.lease import NoLease
from manager.engine.passes import monitor
from manager.models import Cycle
from manager.services.policy import policy_change
from sensor.models import RunJudgement, SensorEvent
from teacher.judges import JUDGE_VERSION, judgings_of
from teacher.judges.questions import version_of
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load, experiment_won
from tests.teacher.judge_server import JudgeServer
from tuner.selectors import active_version, version_values

pytestmark = pytest.mark.django_db
"""One thread runs the passes here, so a test's transaction holds all of it."""

MODEL, FACTOR = "judge-model", "retrieval.min_tag_overlap"
VERSION = version_of(MODEL)


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[JudgeServer]:
    """An endpoint for judge and student; what it answers the student's agents comes from the offline engine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", MODEL
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "k", running.url
        settings.SELFLEARN_PRICES = f'{{"{MODEL}": [0.1, 0.1]}}'
        yield running


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=54, golden=4))
    return campaign_make()


def planned(campaign: Campaign) -> Experiment:
    base = active_version().version
    change = ParameterChange(param=FACTOR, from_value=version_values(base)[FACTOR], to_value=2)
    spec = ExperimentSpec(
        experiment_id="planned",
        variants=(VariantSpec(name="baseline"), VariantSpec(name="variant", params={FACTOR: 2})),
        assignment=Assignment(mode="paired"),
        success_criteria=(
            SuccessCriterion(metric="retrieval_recall", direction="increase"),
            SuccessCriterion(metric="hallucination_rate", direction="no_large_rise", max_delta=0.3),
        ),
    )
    return experiment_register(
        spec=spec, change=change, metric="retrieval_recall", dataset=campaign.dataset, base_version=base, planned_n=54,
        seed=1, actor=ALICE, campaign_id=campaign.id, cycle=1,
    )  # fmt: skip


def context(campaign: Campaign) -> StepContext:
    cycle = Cycle.objects.create(campaign=campaign, number=1, state=CycleState.TUNING, data={"focus": {}})
    return StepContext(cycle=cycle, campaign=campaign, client=get_client(), lease=NoLease(), parallel=1)


def judge_check(result: ExperimentResult) -> tuple[bool, str]:
    (found,) = [item for item in Evaluation.model_validate(result.evaluation).health if item.name == "judge_version"]
    return found.ok, found.detail


def test_experiment__policy_of_a_model__judges_a_sample_of_pairs_by_one_judge(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="try it", judge="llm", judge_sample_per_batch=104)
    here = context(campaign)

    result = tuning._analyzed(here, tuning._run(here, planned(campaign)))

    assert result.judge_version == VERSION
    assert judge_check(result) == (True, f"104 of 108 runs were judged by {VERSION}, 0 could not be")
    judged = RunJudgement.objects.filter(judge_version=VERSION).values_list("run_id", flat=True)
    arms = SensorEvent.objects.filter(pipeline_run_id__in=list(judged)).values_list("example_id", "variant")
    assert len({example for example, _ in arms}) == 52
    by_metric = {item.metric: item.n for item in Evaluation.model_validate(result.evaluation).criteria}
    assert by_metric == {"retrieval_recall": 54, "hallucination_rate": 52}


def test_experiment__policy_changed_while_it_ran__verdict_is_blocked(campaign: Campaign) -> None:
    here = context(campaign)
    completed = tuning._run(here, planned(campaign))
    policy_change(actor=ALICE, reason="rules miss paraphrases", judge="llm")

    result = tuning._analyzed(here, completed)

    assert result.verdict == "inconclusive"
    assert judge_check(result) == (False, f"the judge changed during the experiment: {JUDGE_VERSION} before {VERSION}")


def test_monitor__policy_of_a_model__measures_by_its_marks_and_records_the_price(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="try it", judge="llm")

    found = monitor(context(campaign), split="golden", version=active_version().version)

    (row,) = judgings_of(next(iter(SensorEvent.objects.values_list("batch", flat=True))) or "")
    assert (row.judge_version, row.judged, row.missing) == (VERSION, 4, 0)
    assert found.counts["hallucination_rate"] == 4
    assert row.cost_usd > 0


def test_gate__no_money_for_the_judge__decides_nothing(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="try it", judge="llm", judge_usd_per_batch=0.0)

    with pytest.raises(Conflict, match="no golden answer was judged"):
        golden_gate(context(campaign), experiment_won(campaign))
