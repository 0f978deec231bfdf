"""The ledger's level decides about automatic application, not about the verdict."""

from __future__ import annotations

import pytest
from django.test import Client

from contracts.actor import Actor
from contracts.goal import Autonomy
from experiments.models import DiscoveryEntry, ExperimentResult
from goals.models import Campaign
from manager.domain.lifecycle import CycleState
from manager.domain.policy import Leeway, decide
from manager.models import Approval
from manager.services.approvals import approval_approve
from teacher.services import verdict_replay
from tests.manager.test_gate import campaign, cycle_at, step_on
from tests.manager.world import experiment_won
from tests.pages.conftest import meta_user

__all__ = ["campaign", "meta_user"]
pytestmark = pytest.mark.django_db
WHY = "among so many tries such a p may be chance"


def test_decide__above_the_level__asks_at_full_autonomy_too() -> None:
    decision = decide(leeway=Leeway(Autonomy.FULL_AUTO), violations=[], above_level=WHY)
    assert (decision.kind, decision.reasons) == ("ask", (WHY,))


def test_tuning__winner_above_the_level__stays_a_winner_and_waits_for_a_person(campaign: Campaign) -> None:
    experiment = experiment_won(campaign, gained=6)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    approval = Approval.objects.get(experiment=experiment)
    assert (approval.status, approval.reasons[0].endswith(WHY)) == ("pending", True)
    assert ExperimentResult.objects.get(experiment_id=experiment.slug).verdict == "winner"
    assert verdict_replay(slug=experiment.slug).identical


def test_tuning__above_the_level_and_approved__is_applied(campaign: Campaign, alice: Actor) -> None:
    experiment = experiment_won(campaign, gained=6)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    approval_approve(approval_id=Approval.objects.get(experiment=experiment).id, actor=alice)
    experiment.refresh_from_db()
    assert experiment.status == "applied"


def test_tuning__step_repeated_after_a_kill__enters_the_ledger_once(campaign: Campaign) -> None:
    experiment = experiment_won(campaign, gained=6)
    cycle = cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    type(cycle).objects.filter(id=cycle.id).update(state="TUNING", finished_at=None, outcome="")
    step_on(campaign)
    assert DiscoveryEntry.objects.filter(experiment=experiment.slug).count() == 1


def test_ledger_route__after_a_verdict__tells_level_spent_and_left(campaign: Campaign, meta_user: Client) -> None:
    experiment = experiment_won(campaign, gained=6)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    entry = DiscoveryEntry.objects.get()
    (stream,) = meta_user.get("/api/v1/experiments/ledger").json()["streams"]
    assert (stream["stream"], stream["tested"], stream["discoveries"]) == ("small-world/validation", 1, 0)
    assert (stream["spent"], stream["left"]) == (entry.spent, entry.left)
    assert stream["entries"][0]["experiment"] == experiment.slug
    assert meta_user.get("/api/v1/experiments/ledger?dataset=other").json() == {"streams": []}


def test_pages__after_a_verdict__show_the_level(campaign: Campaign, meta_user: Client) -> None:
    experiment = experiment_won(campaign, gained=6)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    assert b"p 0.031 is above the level 0.0055" in meta_user.get(f"/experiments/{experiment.slug}/").content
    assert b"level spent" in meta_user.get("/experiments/").content
