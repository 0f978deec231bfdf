"""Simulated users that cannot be believed stop the cycle that would have learnt from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.domain.policy import Act
from emulator.drivers import Scene, Worded
from emulator.drivers.offline import OfflineDriver
from emulator.library import bundled_scenarios
from emulator.models import EmulationBatch, EmulationDialogue
from experiments.bundled import BUNDLED, golden_stories
from goals.models import Campaign
from incidents.models import Incident
from kernel.errors import InvalidInput, RuleViolated
from manager.engine import advance
from manager.engine.simulator import is_golden
from manager.models import JournalEntry
from manager.services.campaigns import campaign_go_on
from manager.services.policy import policy_change
from tests.manager.made_up import cycle_of, step_on
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "maas"])


class Mumbles(OfflineDriver):
    """Leaves out what it has to say."""

    def word(self, act: Act, scene: Scene) -> Worded | None:
        said = super().word(act, scene)
        return Worded("Well, you know how it is.") if act.text in (said.text if said else "") else said


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """One that plays bundled dialogues; what they are compared with later is not loaded."""
    monkeypatch.setattr(advance, "dataset_refuse_empty", lambda _: None)
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    made = campaign_make(cycles=1, dialogues=2)
    Campaign.objects.filter(pk=made.pk).update(dataset=BUNDLED)
    return made


@pytest.fixture
def mumbling(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("emulator.services.play.driver_of", lambda *_: Mumbles())
    return monkeypatch


@pytest.mark.usefixtures("mumbling")
def test_emulating__simulator_lies__fails_the_cycle_with_incident_and_journal_note(campaign: Campaign) -> None:
    with pytest.raises(RuleViolated, match="2 of 2 dialogues of simulated users are invalid"):
        step_on(campaign)
    cycle = cycle_of(campaign)
    campaign.refresh_from_db()
    assert (cycle.state, cycle.resume_state, campaign.status) == ("FAILED", "EMULATING", "failed")
    assert "the policy allows 10%" in cycle.error
    assert Incident.objects.get().kind == "simulator"
    assert "simulated users" in JournalEntry.objects.get(campaign=campaign, kind="failed").reason


def test_emulating__simulator_mended_and_resumed__plays_anew_and_keeps_the_refused(
    campaign: Campaign, mumbling: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuleViolated):
        step_on(campaign)
    mumbling.undo()
    mumbling.setattr(advance, "dataset_refuse_empty", lambda _: None)
    campaign_go_on(campaign_id=campaign.id, actor=ALICE, background=False)
    assert step_on(campaign) == "moved"
    refused, played = EmulationBatch.objects.order_by("created_at")
    assert cycle_of(campaign).data["train_batch"] == played.batch != refused.batch
    assert EmulationDialogue.objects.filter(batch=refused, is_valid=False).count() == 2


@pytest.mark.usefixtures("mumbling")
def test_emulating__policy_that_allows_it__goes_on(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="try it", max_invalid_dialogues=1.0)
    assert step_on(campaign) == "moved"


def test_policy_change__share_above_one__is_refused(db: None) -> None:
    with pytest.raises(InvalidInput):
        policy_change(actor=ALICE, reason="a slip", max_invalid_dialogues=1.5)


def test_is_golden__sentence_of_a_golden_story__is_known_whatever_stands_around_it() -> None:
    story = golden_stories()[0]
    told = max((turn.text for thread in story.threads for turn in thread.turns if turn.events), key=len)
    assert is_golden(f"Well, anyway. {told}")


def test_is_golden__all_that_the_train_stories_say__is_not() -> None:
    texts = [turn.text for story in bundled_scenarios("train") for thread in story.threads for turn in thread.turns]
    assert not [text for text in texts if is_golden(text)]
