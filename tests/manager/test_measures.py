"""The measures of Teacher and Manager, read from what a campaign left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from contracts.actor import component
from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange, ParameterValue
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.services import hypothesis_register, hypothesis_transition
from manager.measures import Standing
from manager.models import Cycle
from teacher.measures import Share
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load, experiment_won
from tuner.models import ParameterActivation
from tuner.selectors import active_version, version_values
from tuner.services import change_apply

pytestmark = pytest.mark.django_db
MANAGER = component("manager")
FACTOR, TOP_K = "retrieval.min_tag_overlap", "retrieval.top_k"


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make()


def changed(param: str, value: ParameterValue, *, by: object = MANAGER, experiment: str | None = None) -> int:
    base = active_version().version
    change = ParameterChange(param=param, from_value=version_values(base)[param], to_value=value)
    proposal = ChangeProposal(
        changes=(change,), reason="found", base_version=base, experiment=experiment, tested=True,
        approved_by="person:alice",
    )  # fmt: skip
    return change_apply(proposal=proposal, actor=by).version  # type: ignore[arg-type]


def test_measures__nothing_happened__are_absent_and_nothing_is_wrong() -> None:
    standing = Standing()
    assert standing.teacher().experiment_yield.value is None
    assert (standing.manager().sound, standing.manager().coverage.value) == (True, None)
    assert standing.trend("campaign") == []


def test_measures__one_winner_one_loser__are_a_yield_of_a_half(campaign: Campaign) -> None:
    experiment_won(campaign, slug="won")
    experiment_won(campaign, slug="lost", factor=TOP_K, to_value=4, gained=0)
    Experiment.objects.filter(slug="lost").update(decision="refused:verdict", status="rejected")
    ExperimentResult.objects.filter(experiment_id="lost").update(verdict="loser")
    found = Standing().teacher()
    assert (found.experiment_yield, found.decided, found.catch_rate) == (Share(1, 2), Share(2, 2), Share(1, 1))


def test_measures__experiment_that_was_rolled_back__was_found_late(campaign: Campaign) -> None:
    experiment_won(campaign)
    Experiment.objects.update(status="rolled_back", decision="rolled_back")
    assert Standing().teacher().catch_rate == Share(0, 1)


def test_measures__hypothesis_confirmed__tells_how_long_it_was_open(campaign: Campaign) -> None:
    hypothesis = hypothesis_register(
        campaign=campaign, factor=FACTOR, from_value=1, to_value=2, base_version=1, metric="retrieval_recall",
        direction="increase", actor=ALICE,
    )  # fmt: skip
    for source, target in (("planned", "running"), ("running", "confirmed")):
        hypothesis = hypothesis_transition(
            hypothesis_id=hypothesis.id, source=HypothesisStatus(source), target=HypothesisStatus(target),
            actor=ALICE, reason="measured",
        )  # fmt: skip
    resolution = Standing().teacher().resolution
    assert hypothesis.resolved_at is not None
    assert (resolution.n, resolution.value) == (1, hypothesis.resolved_at - hypothesis.created_at)


def test_measures__program_goes_back_unasked__is_unstable_and_a_conflict(campaign: Campaign) -> None:
    changed(FACTOR, 2)
    changed(FACTOR, 1)
    standing = Standing()
    assert standing.teacher().stability == Share(1, 2)
    assert standing.manager().conflicts == 1


def test_measures__person_goes_back__is_unstable_and_no_conflict(campaign: Campaign) -> None:
    changed(FACTOR, 2)
    changed(FACTOR, 1, by=ALICE)
    standing = Standing()
    assert (standing.teacher().stability, standing.manager().conflicts) == (Share(1, 2), 0)


def test_measures__ten_cycles_between__is_no_swing(campaign: Campaign) -> None:
    changed(FACTOR, 2)
    for number in range(1, 12):
        Cycle.objects.create(campaign=campaign, number=number, state="IDLE", finished_at=timezone.now())
    changed(FACTOR, 1)
    assert Standing().teacher().stability == Share(2, 2)


def test_measures__program_beyond_the_automatic_range__is_outside_policy(campaign: Campaign) -> None:
    changed(TOP_K, 6)
    assert Standing().manager().outside_policy == 1


def test_measures__person_beyond_the_automatic_range__is_not(campaign: Campaign) -> None:
    changed(TOP_K, 6, by=ALICE)
    assert Standing().manager().outside_policy == 0


def test_measures__change_that_followed_on_another_version__is_out_of_order(campaign: Campaign) -> None:
    version = changed(FACTOR, 2)
    assert Standing().manager().disorder == 0
    lost = Standing()
    lost.activations = [*ParameterActivation.objects.order_by("id")]
    lost.activations.append(
        ParameterActivation(previous=1, version=version, at=timezone.now(), action="activate", actor="x")
    )
    assert lost.manager().disorder == 1


def test_measures__goal_with_an_experiment__is_covered_and_timed(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    manager = Standing().manager()
    assert manager.coverage == Share(1, 1)
    assert (manager.to_experiment.n, manager.to_experiment.value) == (
        1, experiment.created_at - campaign.goal.created_at,
    )  # fmt: skip


def test_trend__by_campaign_and_month__has_a_row_for_each(campaign: Campaign) -> None:
    experiment_won(campaign)
    (row,) = Standing().trend("campaign")
    assert (row.name, row.number, row.finished) == (str(campaign.number), campaign.number, 1)
    (month,) = Standing().trend("month")
    assert (month.name, month.number) == (f"{timezone.now():%Y-%m}", None)
    assert month.measures.experiment_yield == Share(1, 1)
