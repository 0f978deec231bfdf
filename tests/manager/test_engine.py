"""The engine around a step: leases, failures, repetitions, pause and stop. The steps here are made up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from contracts.actor import Actor
from goals.models import Campaign
from kernel.errors import Conflict, InvalidInput, RuleViolated
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import advance, closing
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import Note, Step, StepContext
from manager.engine.lease import leased
from manager.foreground import learn_json
from manager.models import Cycle, JournalEntry
from manager.reports.content import report_write
from manager.services.campaigns import campaign_end, campaign_go_on, campaign_hold, campaigns_unattended
from manager.tasks import campaign_step, unattended_pick_up
from tests.manager.world import Sizes, campaign_make, dataset_load

Action = Callable[[StepContext], Step]
NEXT = {
    CycleState.EMULATING: CycleState.EVALUATING,
    CycleState.EVALUATING: CycleState.ANALYZING,
    CycleState.ANALYZING: CycleState.TUNING,
}


def plain(context: StepContext) -> Step:
    """Goes on to the next state and says that it did."""
    state = CycleState(context.cycle.state)
    note = Note("did", f"did {state}")
    if state is CycleState.TUNING:
        return Step(state=CycleState.IDLE, notes=(note,), finish="done", finish_text="done")
    return Step(state=NEXT[state], data={str(state): "done"}, notes=(note,))


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


def worker(name: str = "w1") -> Worker:
    return Worker(name=name, client=get_client())


def step_on(campaign: Campaign, name: str = "w1") -> str:
    return campaign_advance(campaign_id=campaign.id, worker=worker(name))


def cycle_of(campaign: Campaign) -> Cycle:
    return campaign.cycles.get()


def stolen(context: StepContext) -> None:
    Cycle.objects.filter(id=context.cycle.id).update(lease_owner="thief")


def raising(error: Exception, *, before: Callable[[StepContext], Any] = lambda _: None) -> Action:
    def act(context: StepContext) -> Step:
        before(context)
        raise error

    return act


# --- the round -------------------------------------------------------------------------------------------------------


def test_advance__new_campaign__makes_a_cycle_and_goes_state_by_state(campaign: Campaign) -> None:
    seen = []
    for _ in range(4):
        assert step_on(campaign) == "moved"
        seen.append(cycle_of(campaign).state)
    assert seen == ["EVALUATING", "ANALYZING", "TUNING", "IDLE"]
    assert (cycle_of(campaign).outcome, cycle_of(campaign).lease_owner) == ("done", "")


def test_advance__each_step__tells_its_story_once_in_order(campaign: Campaign) -> None:
    for _ in range(4):
        step_on(campaign)
    told = list(JournalEntry.objects.filter(campaign=campaign).order_by("id").values_list("text", flat=True))
    assert told == ["did EMULATING", "did EVALUATING", "did ANALYZING", "did TUNING"]


def test_advance__data_of_steps__is_kept_together(campaign: Campaign) -> None:
    for _ in range(3):
        step_on(campaign)
    assert set(cycle_of(campaign).data) == {"EMULATING", "EVALUATING", "ANALYZING"}


def test_advance__illegal_next_state__commits_nothing(campaign: Campaign, steps: dict[CycleState, Action]) -> None:
    steps[CycleState.EMULATING] = lambda _: Step(state=CycleState.TUNING, notes=(Note("did", "jumped"),))
    assert step_on(campaign) == "moved"
    assert (cycle_of(campaign).state, JournalEntry.objects.count()) == ("EMULATING", 0)


def test_advance__data_set_without_golden_questions__says_so_before_anything_runs(
    db: None, tmp_path: Path, steps: dict[CycleState, Action]
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1), name="whole")
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=0), name="half")
    campaign = campaign_make(dataset="half")
    with pytest.raises(InvalidInput, match="'half' has no golden questions"):
        step_on(campaign)
    campaign.refresh_from_db()
    assert campaign.status == "failed"


# --- leases ----------------------------------------------------------------------------------------------------------


def test_leased__held_by_another__gives_none(campaign: Campaign) -> None:
    cycle = Cycle.objects.create(campaign=campaign, number=1, state="EMULATING")
    with leased(cycle.id, "w1") as first, leased(cycle.id, "w2") as second:
        assert first is not None
        assert second is None


def test_leased__left__is_free_again(campaign: Campaign) -> None:
    cycle = Cycle.objects.create(campaign=campaign, number=1, state="EMULATING")
    with pytest.raises(RuntimeError), leased(cycle.id, "w1"):
        raise RuntimeError
    with leased(cycle.id, "w2") as lease:
        assert lease is not None


def test_leased__run_out__is_taken_over(campaign: Campaign) -> None:
    cycle = Cycle.objects.create(
        campaign=campaign,
        number=1,
        state="EMULATING",
        lease_owner="dead",
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    with leased(cycle.id, "w2") as lease:
        assert lease is not None
    assert cycle_of(campaign).lease_owner == ""


def test_advance__cycle_held_by_another__is_busy(campaign: Campaign) -> None:
    Cycle.objects.create(
        campaign=campaign,
        number=1,
        state="EMULATING",
        lease_owner="w9",
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    assert step_on(campaign) == "busy"
    assert cycle_of(campaign).state == "EMULATING"


def test_advance__lease_lost_in_the_step__commits_nothing_and_is_busy(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    def slow(context: StepContext) -> Step:
        stolen(context)
        return plain(context)

    steps[CycleState.EMULATING] = slow
    assert step_on(campaign) == "busy"
    assert (cycle_of(campaign).state, JournalEntry.objects.count()) == ("EMULATING", 0)
    assert cycle_of(campaign).lease_owner == "thief"


def test_advance__step_fails_after_its_lease_was_lost__marks_nothing(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    steps[CycleState.EMULATING] = raising(Conflict("moved by the other worker"), before=stolen)
    assert step_on(campaign) == "busy"
    campaign.refresh_from_db()
    assert (campaign.status, cycle_of(campaign).state) == ("running", "EMULATING")


def test_advance__lease_lost_at_the_commit__undoes_what_the_step_wrote_within(
    campaign: Campaign, steps: dict[CycleState, Action], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def late(context: StepContext) -> Step:
        monkeypatch.setattr(context.lease, "beat", lambda *_, **__: stolen(context))
        return Step(state=CycleState.EVALUATING, within=lambda: written.append("within"))

    steps[CycleState.EMULATING] = late
    assert step_on(campaign) == "busy"
    assert (written, cycle_of(campaign).state) == ([], "EMULATING")


# --- failures --------------------------------------------------------------------------------------------------------


def test_advance__step_fails__marks_cycle_and_campaign_with_the_reason(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    step_on(campaign)
    steps[CycleState.EVALUATING] = raising(RuleViolated("no such thing"))
    with pytest.raises(RuleViolated):
        step_on(campaign)
    campaign.refresh_from_db()
    cycle = cycle_of(campaign)
    assert (cycle.state, cycle.resume_state, cycle.error) == ("FAILED", "EVALUATING", "no such thing")
    assert (campaign.status, campaign.end_reason) == ("failed", "cycle 1, EVALUATING: no such thing")
    assert JournalEntry.objects.get(kind="failed").reason == "no such thing"


def test_advance__failed_campaign__is_ended_until_resumed(
    campaign: Campaign, steps: dict[CycleState, Action], bob: Actor
) -> None:
    step_on(campaign)
    steps[CycleState.EVALUATING] = raising(RuleViolated("no such thing"))
    with pytest.raises(RuleViolated):
        step_on(campaign)
    assert step_on(campaign) == "ended"
    steps[CycleState.EVALUATING] = plain
    campaign_go_on(campaign_id=campaign.id, actor=bob, background=False)
    assert step_on(campaign) == "moved"
    cycle = cycle_of(campaign)
    assert (cycle.state, cycle.error, cycle.data["EMULATING"]) == ("ANALYZING", "", "done")


def test_advance__unexpected_error__is_named_and_marked(campaign: Campaign, steps: dict[CycleState, Action]) -> None:
    steps[CycleState.EMULATING] = raising(KeyError("oops"))
    with pytest.raises(KeyError):
        step_on(campaign)
    assert cycle_of(campaign).error == "unexpected KeyError: 'oops'"


def test_advance__unexpected_error_at_the_commit__is_marked_too(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    def within() -> None:
        raise KeyError("oops")

    steps[CycleState.EMULATING] = lambda _: Step(state=CycleState.EVALUATING, within=within)
    with pytest.raises(KeyError):
        step_on(campaign)
    campaign.refresh_from_db()
    assert (campaign.status, cycle_of(campaign).resume_state) == ("failed", "EMULATING")


def test_advance__database_gone__marks_nothing_and_frees_the_cycle(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    steps[CycleState.EMULATING] = raising(OperationalError("server closed the connection"))
    with pytest.raises(OperationalError):
        step_on(campaign)
    campaign.refresh_from_db()
    assert (campaign.status, cycle_of(campaign).state) == ("running", "EMULATING")
    steps[CycleState.EMULATING] = plain
    assert step_on(campaign, "w2") == "moved"


def test_advance__step_fails_while_the_campaign_is_paused__keeps_it_paused_and_the_reason(
    campaign: Campaign, steps: dict[CycleState, Action], bob: Actor
) -> None:
    def pause(_: StepContext) -> None:
        campaign_hold(campaign_id=campaign.id, actor=bob, reason="lunch")

    steps[CycleState.EMULATING] = raising(RuleViolated("no such thing"), before=pause)
    with pytest.raises(RuleViolated, match="no such thing"):
        step_on(campaign)
    campaign.refresh_from_db()
    assert (campaign.status, cycle_of(campaign).error) == ("paused", "no such thing")


def test_advance__world_moved_at_the_commit__repeats_the_step_and_tells_it_once(
    campaign: Campaign, steps: dict[CycleState, Action]
) -> None:
    tries: list[int] = []

    def within() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Conflict("version 2 is active now")

    steps[CycleState.EMULATING] = lambda _: Step(
        state=CycleState.EVALUATING, within=within, notes=(Note("did", "once"),)
    )
    assert (step_on(campaign), cycle_of(campaign).state) == ("moved", "EMULATING")
    assert (step_on(campaign), cycle_of(campaign).state) == ("moved", "EVALUATING")
    assert (len(tries), JournalEntry.objects.filter(text="once").count()) == (2, 1)


def test_advance__commit_refused_again_and_again__gives_up(campaign: Campaign, steps: dict[CycleState, Action]) -> None:
    def within() -> None:
        raise Conflict("never")

    steps[CycleState.EMULATING] = lambda _: Step(state=CycleState.EVALUATING, within=within)
    for _ in range(advance.MOST_REPEATS):
        assert step_on(campaign) == "moved"
    with pytest.raises(Conflict):
        step_on(campaign)
    campaign.refresh_from_db()
    assert campaign.status == "failed"


def test_advance__same_step_committed_before__writes_no_second_entry(campaign: Campaign) -> None:
    step_on(campaign)
    Cycle.objects.update(state=CycleState.EMULATING)  # as if a worker had died between its commit and anything else
    step_on(campaign)
    assert JournalEntry.objects.filter(text="did EMULATING").count() == 1


def test_advance__closing_fails__the_campaign_has_failed_with_the_reason(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, bob: Actor
) -> None:
    for _ in range(4):
        step_on(campaign)
    monkeypatch.setattr(closing, "settle", raising(Conflict("the golden set is not the one that was sealed")))
    with pytest.raises(Conflict):
        step_on(campaign)
    campaign.refresh_from_db()
    assert campaign.status == "failed"
    assert campaign.end_reason == "after the last cycle: the golden set is not the one that was sealed"


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
