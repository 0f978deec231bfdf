"""Goals and campaigns: roles, lifecycle, audit, and who wins a race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from audit.selectors import entries
from contracts.actor import Actor
from contracts.goal import Autonomy
from contracts.metric import METRICS
from goals import selectors, services
from goals.domain.lifecycle import CampaignStatus, GoalStatus
from goals.models import Campaign
from goals.translation import translate
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotAuthorised, NotFound, RuleViolated
from tests.goals.factories import make_campaign, make_goal
from tuner.registry import FACTORS

pytestmark = pytest.mark.django_db


def test_goal_create__a_sentence__keeps_its_formal_side_and_its_author(alice: Actor) -> None:
    goal = make_goal(alice)
    assert [target.metric for target in selectors.goal_targets(goal)] == ["retrieval_recall"]
    assert [constraint.kind for constraint in selectors.goal_constraints(goal)] == ["no_large_drop"]
    assert goal.autonomy == Autonomy.SEMI_AUTO
    assert goal.created_by == "person:alice"
    assert entries().filter(action="goal.create", subject_id=str(goal.pk)).count() == 1


def test_goal_create__operator__is_not_authorised(bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        make_goal(bob)


def test_goal_create__contradiction__is_refused_with_its_reasons(alice: Actor) -> None:
    with pytest.raises(RuleViolated) as refused:
        make_goal(alice, "cut cost by 20 %, cost unchanged")
    assert len(refused.value.details["conflicts"]) == 1


def test_goal_create__autonomy_in_the_sentence__is_kept_unless_overridden(alice: Actor) -> None:
    translation = translate("raise recall fully automatic", metrics=METRICS, factors=FACTORS)
    assert services.goal_create(translation=translation, actor=alice).autonomy == "full_auto"
    assert services.goal_create(translation=translation, actor=alice, autonomy=Autonomy.MANUAL).autonomy == "manual"


def test_goal_transition__achieved_goal__can_be_taken_up_again(alice: Actor) -> None:
    goal = make_goal(alice)
    for source, target in ((GoalStatus.ACTIVE, GoalStatus.ACHIEVED), (GoalStatus.ACHIEVED, GoalStatus.ACTIVE)):
        goal = services.goal_transition(goal_id=goal.pk, source=source, target=target, actor=alice, reason="measured")
    assert goal.status == GoalStatus.ACTIVE
    assert goal in selectors.active_goals()


def test_campaign_create__several__are_numbered_without_gaps(alice: Actor) -> None:
    goal = make_goal(alice)
    numbers = [make_campaign(alice, goal).number for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert selectors.campaign(str(numbers[1])).number == numbers[1]


def test_campaign_create__closed_goal__is_a_conflict(alice: Actor) -> None:
    goal = make_goal(alice)
    services.goal_transition(
        goal_id=goal.pk, source=GoalStatus.ACTIVE, target=GoalStatus.CLOSED, actor=alice, reason="given up"
    )
    with pytest.raises(Conflict):
        make_campaign(alice, goal)


@pytest.mark.parametrize("field", ["dataset", "max_cycles", "dialogues_per_cycle"])
def test_campaign_create__empty_size_or_dataset__names_the_field(alice: Actor, field: str) -> None:
    sizes: dict[str, Any] = {"dataset": "bundled", "max_cycles": 3, "dialogues_per_cycle": 30} | {
        field: "" if field == "dataset" else 0
    }
    with pytest.raises(InvalidInput) as refused:
        services.campaign_create(
            goal=make_goal(alice),
            dataset=sizes["dataset"],
            autonomy=Autonomy.MANUAL,
            max_cycles=sizes["max_cycles"],
            dialogues_per_cycle=sizes["dialogues_per_cycle"],
            seed=1,
            actor=alice,
        )
    assert refused.value.details["field"] == field


def test_campaign__from_start_to_finish__is_audited_at_every_step(alice: Actor, bob: Actor) -> None:
    campaign = make_campaign(alice)
    services.campaign_start(campaign_id=campaign.pk, actor=bob)
    services.campaign_pause(campaign_id=campaign.pk, actor=bob, reason="real traffic")
    services.campaign_resume(campaign_id=campaign.pk, actor=bob)
    services.campaign_record(campaign_id=campaign.pk, metrics_before={"retrieval_recall": 0.4}, start_version=1)
    done = services.campaign_finish(
        campaign_id=campaign.pk,
        actor=bob,
        reason="targets met",
        metrics_after={"retrieval_recall": 0.6},
        end_version=2,
    )
    assert (done.status, done.end_reason) == (CampaignStatus.COMPLETED, "targets met")
    assert done.started_at is not None
    assert done.finished_at is not None
    assert (done.metrics_before, done.metrics_after) == ({"retrieval_recall": 0.4}, {"retrieval_recall": 0.6})
    assert (done.start_version, done.end_version) == (1, 2)
    actions = {entry.action for entry in entries(campaign=str(campaign.pk))}
    assert actions == {"campaign.create", "campaign.running", "campaign.paused", "campaign.completed"}


def test_campaign_start__viewer__is_not_authorised(alice: Actor, charlie: Actor) -> None:
    campaign = make_campaign(alice)
    with pytest.raises(NotAuthorised):
        services.campaign_start(campaign_id=campaign.pk, actor=charlie)


def test_campaign_resume__after_failure__clears_its_end(alice: Actor) -> None:
    campaign = make_campaign(alice)
    services.campaign_start(campaign_id=campaign.pk, actor=alice)
    services.campaign_finish(campaign_id=campaign.pk, actor=alice, reason="no model", status=CampaignStatus.FAILED)
    again = services.campaign_resume(campaign_id=campaign.pk, actor=alice)
    assert (again.status, again.finished_at, again.end_reason) == (CampaignStatus.RUNNING, None, "")


@pytest.mark.parametrize("final", [CampaignStatus.COMPLETED, CampaignStatus.STOPPED])
def test_campaign_transition__from_a_final_state__is_illegal(alice: Actor, final: CampaignStatus) -> None:
    campaign = make_campaign(alice)
    services.campaign_start(campaign_id=campaign.pk, actor=alice)
    services.campaign_finish(campaign_id=campaign.pk, actor=alice, reason="over", status=final)
    with pytest.raises(IllegalTransition):
        services.campaign_resume(campaign_id=campaign.pk, actor=alice)


def test_campaign_transition__stale_source__is_a_conflict_and_leaves_no_audit_row(alice: Actor) -> None:
    campaign = make_campaign(alice)
    services.campaign_stop(campaign_id=campaign.pk, actor=alice, reason="changed my mind")
    before = entries(campaign=str(campaign.pk)).count()
    with pytest.raises(Conflict) as refused:
        services.campaign_start(campaign_id=campaign.pk, actor=alice)
    assert refused.value.details["actual"] == "stopped"
    assert entries(campaign=str(campaign.pk)).count() == before


def test_campaign__unknown_id__is_not_found(alice: Actor) -> None:
    for unknown in ("999999", "not-a-uuid", "5e1f1ea2-0000-4000-8000-5e1f1ea20000"):
        with pytest.raises(NotFound):
            selectors.campaign(unknown)


def test_campaign_status__unknown_to_the_database__is_refused(alice: Actor) -> None:
    campaign = make_campaign(alice)
    with pytest.raises(IntegrityError, match="campaign_status_is_known"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(status="thinking")


def spend(what: str, tokens: int, usd: str) -> services.Spend:
    return services.Spend(what=what, tokens=tokens, cost_usd=Decimal(usd))


def test_campaign_spend__told_twice__is_counted_once(alice: Actor) -> None:
    campaign = make_campaign(alice)
    runs = [spend("run:a", 10, "0.001"), spend("run:b", 5, "0.002")]
    for told in (runs, runs[1:], [spend("run:c", 1, "0")]):
        services.campaign_spend_record(campaign_id=campaign.pk, spends=told)
    campaign.refresh_from_db()
    assert (campaign.tokens, campaign.cost_usd) == (16, Decimal("0.003"))


def test_campaign_spend__judging_that_went_on__counts_its_latest_sum(alice: Actor) -> None:
    campaign = make_campaign(alice)
    for usd in ("0.01", "0.04"):
        services.campaign_spend_record(campaign_id=campaign.pk, spends=[spend("judge:batch", 0, usd)])
    campaign.refresh_from_db()
    assert campaign.cost_usd == Decimal("0.04")


def test_campaign_spend__run_of_another_campaign__stays_on_its_bill(alice: Actor) -> None:
    first, second = make_campaign(alice), make_campaign(alice)
    for campaign in (first, second):
        services.campaign_spend_record(campaign_id=campaign.pk, spends=[spend("run:shared", 7, "0.01")])
        campaign.refresh_from_db()
    assert (first.tokens, second.tokens) == (7, 0)


def test_campaign_spend__negative__is_refused(alice: Actor) -> None:
    with pytest.raises(InvalidInput):
        services.campaign_spend_record(campaign_id=make_campaign(alice).pk, spends=[spend("run:a", -1, "0")])


@pytest.mark.django_db(transaction=True)
def test_campaign_start__two_at_once__one_wins_and_one_conflicts(alice: Actor, transactional_db: None) -> None:
    campaign = make_campaign(alice)
    barrier = Barrier(2)

    def start(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            return services.campaign_start(campaign_id=campaign.pk, actor=alice).status
        except Conflict:
            return "conflict"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(start, range(2)))
    assert outcomes == ["conflict", "running"]
    assert entries(campaign=str(campaign.pk)).filter(action="campaign.running").count() == 1


@pytest.mark.django_db(transaction=True)
def test_campaign_create__four_at_once__get_four_numbers(alice: Actor, transactional_db: None) -> None:
    goal = make_goal(alice)
    barrier = Barrier(4)

    def create(_: int) -> int:
        try:
            barrier.wait(timeout=30)
            return make_campaign(alice, goal).number
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(create, range(4)))
    assert numbers == list(range(numbers[0], numbers[0] + 4))
