"""Looks before the end: planned at the start, remembered, frozen by a final verdict, replayed alike."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from contracts.actor import component
from contracts.experiment_spec import Assignment, ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.parameters import ParameterChange, ParameterValue
from experiments.models import EvaluationPass, Experiment, ExperimentResult
from experiments.selectors import experiment_by_slug
from experiments.services import experiment_register
from goals.models import Campaign
from kernel.errors import InvalidInput
from manager.domain.lifecycle import CycleState
from manager.engine import running
from manager.engine.context import StepContext
from manager.engine.passes import run_pass
from manager.models import Cycle, JournalEntry
from manager.services.policy import policy_change
from sensor.models import SensorEvent
from teacher.services import experiment_analyze, verdict_replay
from tests.manager.test_gate import context_of, cycle_at, looks, step_on
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load
from tests.pages.conftest import meta_user
from tuner.selectors import active_version, version_values

__all__ = ["meta_user"]
pytestmark = pytest.mark.django_db
FACTOR, QUESTIONS = "retrieval.min_tag_overlap", 150


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=QUESTIONS, golden=2))
    return campaign_make()


def planned(campaign: Campaign, *, looks: int = 3, to_value: ParameterValue = 2, hours: float = 0.0) -> Experiment:
    """An experiment on recall that is to look so often; min_tag_overlap 2 finds what 1 drowns in this world."""
    policy_change(actor=ALICE, reason="test", looks_per_experiment=looks, experiment_hours=hours)
    base = active_version().version
    spec = ExperimentSpec(
        experiment_id="looking",
        variants=(VariantSpec(name="baseline"), VariantSpec(name="variant", params={FACTOR: to_value})),
        assignment=Assignment(mode="paired"),
        success_criteria=(SuccessCriterion(metric="retrieval_recall", direction="increase"),),
    )
    return experiment_register(
        spec=spec,
        change=ParameterChange(param=FACTOR, from_value=version_values(base)[FACTOR], to_value=to_value),
        metric="retrieval_recall",
        dataset=campaign.dataset,
        base_version=base,
        planned_n=QUESTIONS,
        seed=1,
        actor=component("teacher"),
        campaign_id=campaign.id,
        cycle=1,
    )


def context(campaign: Campaign, experiment: Experiment) -> StepContext:
    return context_of(campaign, cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug))


def ran() -> int:
    return SensorEvent.objects.filter(experiment="looking", split="validation").count()


def finished(campaign: Campaign, experiment: Experiment) -> ExperimentResult:
    where = context(campaign, experiment)
    running.run(where, running.start(where, experiment))
    return experiment_analyze(slug=experiment.slug, batch=running.batch_of(experiment))


def test_run__winner_at_the_first_look__freezes_and_does_not_run_the_rest(campaign: Campaign) -> None:
    result = finished(campaign, planned(campaign))
    experiment = experiment_by_slug("looking")
    assert (experiment.look_sizes, [row["n"] for row in experiment.looks]) == ([50, 100, 150], [50])
    assert (result.verdict, result.looks, result.horizon) == ("winner", [50], 150)
    assert (ran(), looks()) == (100, [])
    assert "50 of 150 questions were enough; 200 runs, about $" in experiment.ended_early
    row = EvaluationPass.objects.get(batch="looking-validation")
    assert (row.done, row.planned, row.finished_at is not None) == (100, 300, True)


def test_page__of_an_experiment_that_looked__tells_each_look_and_why_it_ended(
    campaign: Campaign, meta_user: Client
) -> None:
    finished(campaign, planned(campaign))
    content = meta_user.get("/experiments/looking/").content.decode()
    assert "Look 1 at 50 of 150: winner, p " in content
    assert "50 of 150 questions were enough" in content


def test_page__of_an_experiment_that_looked__draws_each_estimate_with_its_boundary(
    campaign: Campaign, meta_user: Client
) -> None:
    result = finished(campaign, planned(campaign, to_value=1))
    figure = meta_user.get("/experiments/looking/looks.json").json()
    upper, lower, estimate = figure["data"]
    assert upper["x"] == lower["x"] == estimate["x"] == [50, 100, 150]
    assert [-one for one in lower["y"]] == upper["y"]
    last = result.evaluation["criteria"][0]
    assert estimate["y"][-1] == last["estimate"]
    assert upper["y"][-1] == pytest.approx((last["high"] - last["low"]) / 2)
    assert upper["y"][0] > upper["y"][1] > upper["y"][2]
    page = meta_user.get("/experiments/looking/").content.decode()
    assert page.count("<td>inconclusive</td>") == 3


def test_page__of_an_experiment_with_one_look__says_why_there_is_no_course(
    campaign: Campaign, meta_user: Client
) -> None:
    finished(campaign, planned(campaign, looks=1))
    assert "One look was planned" in meta_user.get("/experiments/looking/").content.decode()


def test_run__nothing_to_find__goes_on_to_the_end(campaign: Campaign) -> None:
    result = finished(campaign, planned(campaign, to_value=1))
    experiment = experiment_by_slug("looking")
    assert [row["verdict"] for row in experiment.looks] == ["inconclusive"] * 2
    assert (result.verdict, result.looks, result.horizon) == ("inconclusive", [50, 100, 150], 150)
    assert (ran(), experiment.ended_early) == (300, "")


@pytest.mark.parametrize("to_value", [1, 2])
def test_replay__of_a_verdict_with_looks__is_identical(campaign: Campaign, to_value: int) -> None:
    finished(campaign, planned(campaign, to_value=to_value))
    assert verdict_replay(slug="looking").identical


def test_replay__of_a_verdict_whose_looks_were_altered__is_not_identical(campaign: Campaign) -> None:
    finished(campaign, planned(campaign))
    ExperimentResult.objects.update(looks=[], horizon=None)
    assert not verdict_replay(slug="looking").identical


def test_run__one_look_by_policy__is_the_whole_sample_without_looks(campaign: Campaign) -> None:
    result = finished(campaign, planned(campaign, looks=1))
    assert (result.looks, result.horizon, ran()) == ([], None, 300)


def test_run__worker_killed_between_two_looks__goes_on_with_the_same_looks(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = context(campaign, experiment := planned(campaign, to_value=1))
    experiment = running.start(where, experiment)
    whole = run_pass

    def killed(context: StepContext, **given: object) -> None:
        if given["upto"] == 100:
            raise KeyboardInterrupt
        whole(context, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "run_pass", killed)
    with pytest.raises(KeyboardInterrupt):
        running.run(where, experiment)
    first = experiment_by_slug("looking").looks
    policy_change(actor=ALICE, reason="test", looks_per_experiment=1)
    monkeypatch.setattr(running, "run_pass", whole)
    running.run(where, experiment_by_slug("looking"))
    experiment = experiment_by_slug("looking")
    assert (len(first), experiment.looks[:1], experiment.look_sizes) == (1, first, [50, 100, 150])
    assert [row["n"] for row in experiment.looks] == [50, 100]
    assert ran() == 300


def test_run__time_is_over__closes_as_inconclusive_with_the_reason(campaign: Campaign) -> None:
    where = context(campaign, experiment := planned(campaign, looks=1, hours=1.0))
    running.start(where, experiment)
    Experiment.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    running.run(where, experiment_by_slug("looking"))
    result = experiment_analyze(slug="looking", batch="looking-validation")
    assert (experiment_by_slug("looking").status, result.verdict) == ("completed", "inconclusive")
    assert "blocked by time_limit: it was not through by" in result.notes
    assert verdict_replay(slug="looking").identical


def test_tuning__decided_at_a_look__is_told_in_the_journal_and_applied(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="test", golden_mode="not_worse")
    experiment = planned(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    assert JournalEntry.objects.get(kind="ended_early").reason.startswith("winner at look 1 of 3")
    assert experiment_by_slug("looking").decision == "applied"
    assert Cycle.objects.get().outcome == "applied"


@pytest.mark.parametrize(("field", "value"), [("looks_per_experiment", 0), ("looks_per_experiment", 21),
                                              ("experiment_hours", -1.0)])  # fmt: skip
def test_policy__looks_or_hours_out_of_range__are_refused(db: None, field: str, value: float) -> None:
    with pytest.raises(InvalidInput):
        policy_change(actor=ALICE, reason="test", **{field: value})
