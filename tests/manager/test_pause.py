"""People who pause and stop, and campaigns that nobody is at work on. The steps here are made up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.actor import Actor
from experiments.models import Experiment
from goals.models import Campaign
from manager.domain.lifecycle import CycleState
from manager.engine import advance
from manager.engine.context import Step, StepContext
from manager.engine.lease import leased
from manager.foreground import learn_json
from manager.models import Approval, Cycle, JournalEntry
from manager.reports.content import report_write
from manager.services.approval_requests import approval_request
from manager.services.campaigns import campaign_end, campaign_go_on, campaign_hold, campaigns_unattended
from manager.tasks import campaign_step, unattended_pick_up
from tests.manager.made_up import Action, cycle_of, plain, step_on
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make(cycles=1)


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[CycleState, Action]]:
    """What each state does; a test puts its own in."""
    made: dict[CycleState, Action] = dict.fromkeys(advance.STEPS, plain)
    monkeypatch.setattr(advance, "STEPS", made)
    yield made


# --- pause, stop, pick up --------------------------------------------------------------------------------------------


def test_pause__waits_and_goes_on_where_it_was(campaign: Campaign, bob: Actor) -> None:
    step_on(campaign)
    campaign_hold(campaign_id=campaign.id, actor=bob, reason="lunch")
    assert (step_on(campaign), cycle_of(campaign).state) == ("waiting", "PAUSED")
    campaign_go_on(campaign_id=campaign.id, actor=bob, background=False)
    assert (step_on(campaign), cycle_of(campaign).state) == ("moved", "ANALYZING")


def test_pause__in_the_middle_of_a_step__the_step_ends_and_the_cycle_rests(
    campaign: Campaign, steps: dict[CycleState, Action], bob: Actor
) -> None:
    def paused_meanwhile(context: StepContext) -> Step:
        campaign_hold(campaign_id=campaign.id, actor=bob, reason="lunch")
        return plain(context)

    steps[CycleState.EMULATING] = paused_meanwhile
    assert step_on(campaign) == "moved"
    assert (cycle_of(campaign).state, cycle_of(campaign).resume_state) == ("PAUSED", "EVALUATING")
    assert JournalEntry.objects.get().text == "did EMULATING"


def test_stop__of_a_paused_campaign__ends_its_cycle(campaign: Campaign, bob: Actor) -> None:
    step_on(campaign)
    campaign_hold(campaign_id=campaign.id, actor=bob, reason="lunch")
    campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
    assert (cycle_of(campaign).state, cycle_of(campaign).outcome) == ("IDLE", "stopped")


def test_stop__experiment_under_way__frees_its_factor_for_others(campaign: Campaign, bob: Actor) -> None:
    running = experiment_won(campaign)
    Experiment.objects.filter(id=running.id).update(status="running")
    campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
    running.refresh_from_db()
    assert (running.status, running.decision) == ("rejected", "refused:stopped")
    assert running.decision_reason == "the campaign was stopped: enough"


def test_stop__start_waits_for_a_person__is_asked_no_more(campaign: Campaign, bob: Actor) -> None:
    planned = experiment_won(campaign)
    Experiment.objects.filter(id=planned.id).update(status="planned")
    approval_request(experiment=planned, kind="start", reasons=["manual"], evidence={}, proposed_by="teacher")
    campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
    assert (Approval.objects.get().status, Experiment.objects.get().status) == ("void", "rejected")


def test_stop__tested_change_waits_for_a_person__goes_on_waiting(campaign: Campaign, bob: Actor) -> None:
    approval_made(experiment_won(campaign))
    campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
    assert (Approval.objects.get().status, Experiment.objects.get().status) == ("pending", "analyzed")


def test_stop__in_the_middle_of_a_step__ends_the_cycle_and_drops_the_step(
    campaign: Campaign, steps: dict[CycleState, Action], bob: Actor
) -> None:
    def stopped_meanwhile(context: StepContext) -> Step:
        campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
        return plain(context)

    steps[CycleState.EMULATING] = stopped_meanwhile
    assert step_on(campaign) == "busy"
    assert step_on(campaign) == "ended"
    cycle = cycle_of(campaign)
    assert (cycle.outcome, cycle.outcome_text, JournalEntry.objects.count()) == ("stopped", "enough", 0)


def test_learn_json__campaign_stopped_before_its_first_report__is_told(campaign: Campaign, bob: Actor) -> None:
    campaign_end(campaign_id=campaign.id, actor=bob, reason="enough")
    campaign.refresh_from_db()
    report_write(campaign=campaign)
    told = learn_json(campaign, [])
    assert (told["status"], told["versions"], told["verdicts"]) == ("stopped", [], [])


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr("manager.services.campaigns.async_task", lambda _task, key, **_: names.append(key))
    return names


def test_unattended_pick_up__nobody_at_work__queues_the_campaign(campaign: Campaign, queued: list[str]) -> None:
    assert unattended_pick_up() == 1
    assert queued == [str(campaign.id)]


def test_unattended_pick_up__somebody_at_work__leaves_it(campaign: Campaign, queued: list[str]) -> None:
    cycle = Cycle.objects.create(campaign=campaign, number=1, state="EMULATING")
    with leased(cycle.id, "w1"):
        assert campaigns_unattended() == []
        assert unattended_pick_up() == 0
    assert queued == []


def test_campaign_step__moved__queues_the_next(campaign: Campaign, queued: list[str]) -> None:
    assert campaign_step(str(campaign.id)) == "moved"
    assert queued == [str(campaign.id)]


def test_campaign_step__unknown_campaign__is_an_error(db: None) -> None:
    with pytest.raises(Campaign.DoesNotExist):
        campaign_step(str(uuid.uuid4()))
