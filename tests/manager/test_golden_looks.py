"""Deciding looks at the golden set are counted by data set and by campaign; beyond the budget a person decides."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Actor
from experiments.golden import golden_examples, golden_seal
from experiments.golden_editing import golden_example_retire
from experiments.models import EvaluationPass, ExperimentResult
from experiments.selectors import golden_look_number, golden_look_of, golden_looks
from goals.models import Campaign
from manager.domain.lifecycle import CycleState
from manager.models import Approval
from manager.reports.content import content
from manager.reports.markdown import render
from manager.services.approvals import approval_approve
from manager.services.policy import policy_change
from tests.manager.test_gate import campaign, cycle_at, looks, step_on
from tests.manager.world import ALICE, experiment_won
from tuner.selectors import active_version

__all__ = ["campaign"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "why"),
    [("golden_budget", "its budget is spent, renew it"), ("golden_looks_per_campaign", "which is all it may")],
)
def test_tuning__looks_at_golden_spent__waits_for_a_person_without_a_look(
    campaign: Campaign, field: str, why: str
) -> None:
    policy_change(actor=ALICE, reason="test", **{field: 0})
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    approval = Approval.objects.get(experiment=experiment)
    assert (experiment.status, approval.status, looks()) == ("analyzed", "pending", [])
    assert why in approval.reasons[0]
    assert ExperimentResult.objects.get(experiment_id=experiment.slug).golden["passed"] is None
    assert active_version().version == 1


def test_tuning__looks_spent_and_approved_by_a_person__is_applied(campaign: Campaign, alice: Actor) -> None:
    policy_change(actor=ALICE, reason="test", golden_looks_per_campaign=0)
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    approval_approve(approval_id=Approval.objects.get(experiment=experiment).id, actor=alice)
    experiment.refresh_from_db()
    assert (experiment.status, looks()) == ("applied", [])


def test_tuning__looks_of_another_campaign__do_not_count_against_this_one(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="test", golden_looks_per_campaign=1)
    common: dict[str, Any] = {
        "dataset": campaign.dataset,
        "split": "golden",
        "purpose": "gate",
        "arms": {},
        "planned": 1,
    }
    EvaluationPass.objects.create(batch="of-nobody", **common)
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert experiment.decision == "applied"
    assert golden_looks(dataset=campaign.dataset, campaign_id=campaign.id) == 1
    assert golden_looks(dataset=campaign.dataset) == 2


def test_report__of_a_campaign_that_looked__says_which_look_of_how_many(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    campaign.refresh_from_db()
    report = content(campaign)
    assert report["golden_looks"] == {"used": 1, "allowed": 20}
    assert report["experiments"][0]["golden_look"] == 1
    assert "Deciding looks at the golden set: 1 of 20." in render(report)
    assert "- golden gate: look 1: the golden set agrees" in render(report)


def test_golden_look_number__second_look_of_a_campaign__is_two(campaign: Campaign) -> None:
    common: dict[str, Any] = {"dataset": "d", "split": "golden", "arms": {}, "planned": 1, "campaign": campaign}
    for name, purpose in (("one", "gate"), ("watched", "monitor"), ("two", "gate")):
        EvaluationPass.objects.create(batch=name, experiment=name, purpose=purpose, **common)
    look = golden_look_of("two")
    assert look is not None
    assert golden_look_number(look) == 2
    assert golden_look_of("watched") is None


def test_tuning__golden_set_sealed_anew_while_the_campaign_runs__is_asked_as_it_was(campaign: Campaign) -> None:
    golden_example_retire(dataset=campaign.dataset, example="golden/q3", reason="ambiguous", actor=ALICE)
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    look = golden_look_of(experiment.slug)
    assert look is not None
    assert (look.planned, len(golden_examples(dataset=campaign.dataset))) == (2 * 12, 11)
    assert look.golden_hash == golden_seal(dataset=campaign.dataset, at=campaign.started_at).content_hash
