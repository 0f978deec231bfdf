"""From a sentence to a campaign, and what people may do to one; policy and rollbacks by hand."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.goal import Autonomy, Budget
from experiments.models import Experiment
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign, LearningGoal
from goals.services import campaign_record
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound, RuleViolated
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import advance
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import Step, StepContext
from manager.foreground import campaign_follow
from manager.models import Approval, Cycle, JournalEntry
from manager.services.campaigns import (
    CYCLES,
    DIALOGUES,
    CampaignWish,
    campaign_begin,
    campaign_hold,
    campaign_launch,
    campaign_plan,
    campaign_unfinished,
    goal_understand,
)
from manager.services.policy import policy_change, policy_current
from manager.services.safety import rollback_order
from tests.manager.world import DATASET, Sizes, approval_made, campaign_make, dataset_load, experiment_won, goal
from tuner.selectors import active_version, version_values


@pytest.fixture
def dataset(db: None, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))


# --- planning --------------------------------------------------------------------------------------------------------


def test_plan__nothing_wished__takes_the_goals_own_and_the_defaults(dataset: None, alice: Actor) -> None:
    campaign = campaign_plan(translation=goal(), wish=CampaignWish(dataset=DATASET), actor=alice)
    assert (campaign.autonomy, campaign.max_cycles, campaign.dialogues_per_cycle) == ("semi_auto", CYCLES, DIALOGUES)
    assert campaign.status == "planned"


def test_plan__budget_in_the_goal__counts_until_a_wish_overrides_it(dataset: None, alice: Actor) -> None:
    translation = goal().model_copy(update={"budget": Budget(cycles=4)})
    assert campaign_plan(translation=translation, wish=CampaignWish(DATASET), actor=alice).max_cycles == 4
    assert campaign_plan(translation=translation, wish=CampaignWish(DATASET, cycles=2), actor=alice).max_cycles == 2


def test_plan__unknown_data_set__stores_nothing(dataset: None, alice: Actor) -> None:
    with pytest.raises(NotFound):
        campaign_plan(translation=goal(), wish=CampaignWish(dataset="nowhere"), actor=alice)
    assert LearningGoal.objects.count() == 0


def test_plan__goal_that_contradicts_itself__stores_nothing(dataset: None, alice: Actor) -> None:
    translation = goal().model_copy(update={"conflicts": ("up and down at once",)})
    with pytest.raises(RuleViolated, match="contradicts itself"):
        campaign_plan(translation=translation, wish=CampaignWish(dataset=DATASET), actor=alice)
    assert LearningGoal.objects.count() == 0


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_plan__below_meta_user__is_refused(dataset: None, cast: dict[str, Actor], name: str) -> None:
    with pytest.raises(NotAuthorised):
        campaign_plan(translation=goal(), wish=CampaignWish(dataset=DATASET), actor=cast[name])


def test_understand__no_words__is_invalid_input() -> None:
    with pytest.raises(InvalidInput):
        goal_understand("  ")


def test_launch__another_one_pursues_the_same_on_the_data_set__is_refused(dataset: None) -> None:
    campaign_make()
    with pytest.raises(Conflict, match=r"campaign 1 \(“Raise recall”\): it pursues the same targets on small-world"):
        campaign_make()


def test_begin__goal_that_is_pursued__is_refused_and_leaves_nothing(dataset: None, alice: Actor) -> None:
    campaign_make()
    before = Campaign.objects.count(), LearningGoal.objects.count()
    with pytest.raises(Conflict, match="pursues the same"):
        campaign_begin(translation=goal(), wish=CampaignWish(dataset=DATASET), actor=alice)
    assert (Campaign.objects.count(), LearningGoal.objects.count()) == before


def test_begin__data_set_without_golden_questions__is_refused_and_leaves_nothing(
    db: None, tmp_path: Path, alice: Actor
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=0))
    with pytest.raises(InvalidInput, match="no golden questions"):
        campaign_begin(translation=goal(), wish=CampaignWish(dataset=DATASET), actor=alice)
    assert not LearningGoal.objects.exists()


def test_unfinished__failed_one_with_the_same_goal__is_found_and_an_ended_one_is_not(dataset: None) -> None:
    campaign = campaign_make()
    Campaign.objects.update(status=CampaignStatus.RUNNING)
    assert campaign_unfinished(text="Raise recall", dataset=DATASET) == campaign
    Cycle.objects.create(campaign=campaign, number=1, lease_until=timezone.now() + timedelta(seconds=30))
    assert campaign_unfinished(text="Raise recall", dataset=DATASET) == campaign  # its worker may be dead: one waits
    assert campaign_unfinished(text="Raise precision", dataset=DATASET) is None
    Campaign.objects.update(status=CampaignStatus.PAUSED)
    assert campaign_unfinished(text="Raise recall", dataset=DATASET) is None


def test_pause__by_a_viewer__is_refused(dataset: None, charlie: Actor) -> None:
    campaign = campaign_make()
    with pytest.raises(NotAuthorised):
        campaign_hold(campaign_id=campaign.id, actor=charlie, reason="curious")
    campaign.refresh_from_db()
    assert campaign.status == "running"


@pytest.mark.django_db(transaction=True)
def test_launch__two_at_once_on_one_data_set__one_wins(tmp_path: Path, alice: Actor) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    wish = CampaignWish(dataset=DATASET)
    planned = [campaign_plan(translation=goal(), wish=wish, actor=alice) for _ in range(2)]
    barrier, outcomes = threading.Barrier(2), []

    def launch(campaign: Campaign) -> None:
        try:
            barrier.wait()
            outcomes.append(campaign_launch(campaign_id=campaign.id, actor=alice, background=False).status)
        except Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    people = [threading.Thread(target=launch, args=[campaign]) for campaign in planned]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["conflict", "running"]


# --- approvals answered on the way -----------------------------------------------------------------------------------


def ending(_: StepContext) -> Step:
    return Step(state=CycleState.EVALUATING, finish="done", finish_text="done", end_campaign="tested enough")


@pytest.fixture
def short(dataset: None, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """A campaign whose first step ends it."""
    monkeypatch.setattr(advance, "STEPS", {CycleState.EMULATING: ending})
    return campaign_make(autonomy=Autonomy.SEMI_AUTO)


def test_follow__approving_in_a_persons_name__applies_what_waits(short: Campaign, alice: Actor) -> None:
    approval_made(experiment_won(short))
    answered = campaign_follow(campaign_id=short.id, client=get_client(), approve_as=alice)
    assert [(item.factor, item.status, item.outcome) for item in answered] == [
        ("retrieval.min_tag_overlap", "applied", "applied as version 2")
    ]
    assert Approval.objects.get().decided_by == "person:alice"


def test_follow__nobody_approves__leaves_what_waits(short: Campaign) -> None:
    approval_made(experiment_won(short))
    assert campaign_follow(campaign_id=short.id, client=get_client()) == []
    assert (Approval.objects.get().status, active_version().version) == ("pending", 1)


# --- locks -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_pause__while_a_step_commits__waits_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bob: Actor
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make()
    errors: list[Exception] = []

    def pause() -> None:
        try:
            campaign_hold(campaign_id=campaign.id, actor=bob, reason="lunch")
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    person = threading.Thread(target=pause)

    def within() -> None:
        person.start()
        while not somebody_waits():
            assert person.is_alive()
        campaign_record(campaign_id=campaign.id, start_version=1)

    steps = {CycleState.EMULATING: lambda _: Step(state=CycleState.EVALUATING, within=within)}
    monkeypatch.setattr(advance, "STEPS", steps)
    assert campaign_advance(campaign_id=campaign.id, worker=Worker(name="w", client=get_client())) == "moved"
    person.join()
    campaign.refresh_from_db()
    assert (errors, campaign.status, campaign.start_version) == ([], "paused", 1)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


# --- policy ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_policy_change__by_a_meta_user__is_stored_and_logged(alice: Actor) -> None:
    policy_change(actor=alice, reason="be strict", golden_mode="strict")
    assert policy_current().golden_mode == "strict"
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.before, entry.after, entry.reason) == (
        {"golden_mode": "directional"},
        {"golden_mode": "strict"},
        "be strict",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "word"),
    [({"golden_mode": "never"}, "never"), ({"golden_budget": -1}, "0"), ({"hurry": True}, "hurry")],
)
def test_policy_change__wrong_value_or_field__is_refused(alice: Actor, values: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        policy_change(actor=alice, reason="try", **values)
    assert not AuditEntry.objects.filter(action="policy.changed").exists()


@pytest.mark.django_db
def test_policy_change__by_an_operator_or_without_reason__is_refused(alice: Actor, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        policy_change(actor=bob, reason="try", golden_budget=1)
    with pytest.raises(InvalidInput, match="reason"):
        policy_change(actor=alice, reason=" ", golden_budget=1)


# --- rollback by hand ------------------------------------------------------------------------------------------------


@pytest.fixture
def applied(dataset: None, alice: Actor) -> Experiment:
    """An approved change that is active now."""
    from manager.services.approvals import approval_approve

    experiment = experiment_won(campaign_make(autonomy=Autonomy.SEMI_AUTO))
    approval_approve(approval_id=approval_made(experiment).id, actor=alice)
    experiment.refresh_from_db()
    return experiment


def test_rollback__by_a_meta_user__goes_back_and_says_so(applied: Experiment, alice: Actor) -> None:
    change = rollback_order(reason="users complain", actor=alice)
    applied.refresh_from_db()
    assert version_values(active_version().version)[applied.factor] == applied.from_value
    assert (applied.status, applied.decision) == ("rolled_back", "rolled_back")
    entry = JournalEntry.objects.get(kind="rolled_back")
    assert (entry.reason, entry.experiment) == ("users complain", applied.slug)
    assert change.previous_version == 2


def test_rollback__by_an_operator_or_without_reason__is_refused(applied: Experiment, alice: Actor, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        rollback_order(reason="users complain", actor=bob)
    with pytest.raises(InvalidInput, match="needs a reason"):
        rollback_order(reason="  ", actor=alice)
    assert active_version().version == 2


def test_rollback__overtaken__is_a_conflict(applied: Experiment, alice: Actor) -> None:
    with pytest.raises(Conflict):
        rollback_order(reason="users complain", actor=alice, expected_active=1)
    assert active_version().version == 2
