"""The engine around a step: leases, failures, repetitions. The steps here are made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from contracts.actor import Actor
from goals.models import Campaign
from kernel.errors import Conflict, InvalidInput, RuleViolated
from manager.domain.lifecycle import CycleState
from manager.engine import advance, closing
from manager.engine.context import Note, Step, StepContext
from manager.engine.lease import leased
from manager.models import Cycle, JournalEntry
from manager.services.campaigns import campaign_go_on, campaign_hold
from tests.manager.made_up import Action, cycle_of, plain, raising, step_on, stolen
from tests.manager.world import Sizes, campaign_make, dataset_load


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
    assert campaign.end_reason == "at its end, all 1 cycles are spent: the golden set is not the one that was sealed"
