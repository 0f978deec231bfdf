"""Several campaigns at once: one experiment on a parameter, as many at once as policy allows, the urgent goal first."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.goal import GoalTranslation, Target
from experiments.models import Experiment
from goals.models import Campaign, LearningGoal
from kernel.errors import Conflict, InvalidInput
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine.advance import Worker, campaign_advance
from manager.models import Cycle, JournalEntry
from manager.services.campaigns import campaign_go_on, campaign_hold, campaigns_held
from manager.services.policy import policy_change
from manager.services.turns import factors_elsewhere
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load, experiment_won, goal

pytestmark = pytest.mark.django_db
TOP_K, OVERLAP = "retrieval.top_k", "retrieval.min_tag_overlap"


@pytest.fixture(autouse=True)
def dataset(db: None, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))


def wanting(metric: str, direction: str = "increase") -> GoalTranslation:
    target = Target.model_validate({"metric": metric, "direction": direction})
    return goal(text=f"{direction} {metric}").model_copy(update={"targets": (target,), "constraints": ()})


def tuning(campaign: Campaign, slug: str, *, factor: str, status: str = "planned") -> Experiment:
    """The campaign's cycle is at an experiment on `factor`, which stands at `status`."""
    experiment = experiment_won(campaign, slug=slug, factor=factor, to_value=2)
    Experiment.objects.filter(pk=experiment.pk).update(status=status)
    Cycle.objects.create(campaign=campaign, number=1, state=CycleState.TUNING, data={"experiment": slug})
    experiment.refresh_from_db()
    return experiment


def on(campaign: Campaign) -> str:
    return campaign_advance(campaign_id=campaign.id, worker=Worker("w", get_client(), parallel=1))


def told(campaign: Campaign) -> list[tuple[str, str]]:
    return list(JournalEntry.objects.filter(campaign=campaign).order_by("id").values_list("kind", "reason"))


# --- goals beside each other -----------------------------------------------------------------------------------------


def test_launch__goals_that_agree__run_side_by_side_on_one_data_set() -> None:
    first, second = campaign_make(), campaign_make(translation=wanting("mrr"))
    assert set(Campaign.objects.filter(status="running")) == {first, second}


def test_launch__target_that_contradicts_another_goal__is_refused_and_names_it() -> None:
    campaign_make(translation=wanting("memory_growth"))
    with pytest.raises(Conflict, match=r"campaign 1 .“increase memory_growth”.: memory_growth should decrease here"):
        campaign_make(translation=wanting("memory_growth", "decrease"))


def test_go_on__what_began_meanwhile_contradicts__is_refused() -> None:
    first = campaign_make(translation=wanting("memory_growth"))
    campaign_hold(campaign_id=first.id, actor=ALICE, reason="lunch")
    with pytest.raises(Conflict, match="campaign 1"):
        campaign_make(translation=wanting("memory_growth", "decrease"))
    Campaign.objects.filter(number=2).update(status="running")
    with pytest.raises(Conflict, match="campaign 2"):
        campaign_go_on(campaign_id=first.id, actor=ALICE, background=False)


# --- one parameter, one turn -----------------------------------------------------------------------------------------


def test_tuning__parameter_under_test_by_another_goal__is_refused_and_names_it() -> None:
    first, second = campaign_make(), campaign_make(translation=wanting("mrr"))
    contended = tuning(second, "second", factor=TOP_K)
    tuning(first, "first", factor=TOP_K, status="running")
    assert on(second) == "moved"
    contended.refresh_from_db()
    assert (contended.status, contended.decision) == ("rejected", "refused:conflict")
    assert "campaign 1 (“Raise recall”) is testing retrieval.top_k now" in contended.decision_reason
    assert factors_elsewhere(second) == {TOP_K: "campaign 1 (“Raise recall”)"}
    assert factors_elsewhere(first) == {}


def test_tuning__as_many_experiments_as_policy_allows__waits_and_says_for_whom_once() -> None:
    first, second = campaign_make(), campaign_make(translation=wanting("mrr"))
    tuning(first, "first", factor=TOP_K, status="running")
    waiting = tuning(second, "second", factor=OVERLAP)
    assert (on(second), on(second)) == ("held", "held")
    waiting.refresh_from_db()
    assert waiting.status == "planned"
    assert told(second) == [("held", "1 experiment at once: campaign 1 (“Raise recall”) comes first")]
    assert campaigns_held() == [second.id]


def test_tuning__experiment_of_a_paused_campaign__holds_nobody_up() -> None:
    first, second = campaign_make(), campaign_make(translation=wanting("mrr"))
    tuning(first, "first", factor=TOP_K, status="running")
    waiting = tuning(second, "second", factor=OVERLAP)
    campaign_hold(campaign_id=first.id, actor=ALICE, reason="lunch")
    assert on(second) == "moved"
    waiting.refresh_from_db()
    assert waiting.status != "planned"


def test_tuning__policy_allows_two__runs_beside_the_other() -> None:
    policy_change(actor=ALICE, reason="two at once", max_parallel_experiments=2)
    first, second = campaign_make(), campaign_make(translation=wanting("mrr"))
    tuning(first, "first", factor=TOP_K, status="running")
    tuning(second, "second", factor=OVERLAP)
    assert on(second) == "moved"


def test_tuning__two_that_wait__the_more_urgent_goal_comes_first() -> None:
    first, urgent = campaign_make(), campaign_make(translation=wanting("mrr"))
    LearningGoal.objects.filter(pk=urgent.goal_id).update(priority=1)
    tuning(first, "first", factor=TOP_K)
    tuning(urgent, "second", factor=OVERLAP)
    assert on(first) == "held"
    assert on(urgent) == "moved"
    assert on(first) == "moved"


def test_policy__no_experiment_at_once__is_refused() -> None:
    with pytest.raises(InvalidInput):
        policy_change(actor=ALICE, reason="none", max_parallel_experiments=0)
