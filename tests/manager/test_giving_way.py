"""Campaigns of background workers stand back for real users, and go on by themselves. Nobody sleeps here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from goals.models import Campaign
from maas.access import as_service
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import advance
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import Courtesy, Step, StepContext, Yielded
from manager.models import Cycle, JournalEntry
from manager.services.campaigns import campaigns_unattended
from manager.services.upkeep import schedule_change
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load

pytestmark = pytest.mark.django_db


def asked(seconds_ago: float) -> None:
    """A real user's request, so long ago."""
    with as_service() as cursor:
        cursor.execute("DELETE FROM pipeline_runs WHERE client_kind = 'user'")
        cursor.execute(
            "INSERT INTO pipeline_runs (id, user_id, user_query, status, created_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'NEW', now() - make_interval(secs => %s))",
            [seconds_ago],
        )


@pytest.fixture
def campaign(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """Its first step looks at traffic on its way, then moves on."""
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))

    def step(context: StepContext) -> Step:
        context.progress("emulating", 1, 2, 1.0)
        return Step(state=CycleState.EVALUATING)

    monkeypatch.setitem(advance.STEPS, CycleState.EMULATING, step)
    return campaign_make()


def on(campaign: Campaign, *, yields: bool = True) -> str:
    return campaign_advance(campaign_id=campaign.id, worker=Worker("w", get_client(), parallel=1, yields=yields))


def yielded(campaign: Campaign) -> int:
    return JournalEntry.objects.filter(campaign=campaign, kind="yields").count()


def test_background_step__a_real_user_asks__stands_back_with_its_lease_released(campaign: Campaign) -> None:
    asked(5)
    assert on(campaign) == "held"
    cycle = Cycle.objects.get(campaign=campaign)
    assert (cycle.state, cycle.lease_owner, cycle.error) == ("EMULATING", "", "")
    assert cycle.progress["yields_since"]
    assert Campaign.objects.get(pk=campaign.pk).status == "running"
    assert campaigns_unattended() == [campaign.id], "the minutely task takes it up again"


def test_background_step__still_asked__keeps_since_when_and_tells_it_once(campaign: Campaign) -> None:
    asked(5)
    on(campaign)
    since = Cycle.objects.get(campaign=campaign).progress["yields_since"]
    assert on(campaign) == "held"
    assert Cycle.objects.get(campaign=campaign).progress["yields_since"] == since
    assert yielded(campaign) == 1


def test_background_step__quiet_again__goes_on_where_it_was(campaign: Campaign) -> None:
    asked(5)
    on(campaign)
    asked(120)
    assert on(campaign) == "moved"
    cycle = Cycle.objects.get(campaign=campaign)
    assert (cycle.state, cycle.progress) == ("EVALUATING", {})


def test_background_step__a_real_user_asks_while_it_works__stops_at_the_next_look(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(context: StepContext) -> Step:
        asked(1)
        assert context.courtesy is not None
        context.courtesy._last = 0.0  # a second has passed
        context.progress("emulating", 1, 2, 1.0)
        pytest.fail("it went on beside a real user")

    monkeypatch.setitem(advance.STEPS, CycleState.EMULATING, step)
    assert on(campaign) == "held"


def test_foreground_step__a_real_user_asks__goes_on(campaign: Campaign) -> None:
    asked(5)
    assert on(campaign, yields=False) == "moved"
    assert yielded(campaign) == 0


def test_background_step__switched_off__goes_on(campaign: Campaign) -> None:
    schedule_change(actor=ALICE, reason="nights only are ours", yields=False)
    asked(5)
    assert on(campaign) == "moved"


def test_courtesy__within_a_second__looks_once() -> None:
    looked = Courtesy()
    looked.look(force=True)
    asked(1)
    looked.look()
    with pytest.raises(Yielded):
        looked.look(force=True)


def waited(campaign: Campaign, clock: pytest.MonkeyPatch, **since: float) -> None:
    """A person asks at the start and goes on asking; the clock of Python and that of the requests move on together."""
    asked(5)
    assert on(campaign) == "held"
    later = timezone.now() + timedelta(**since)
    clock.setattr(timezone, "now", lambda: later)
    asked(5 - timedelta(**since).total_seconds())


def patience(campaign: Campaign) -> list[tuple[str, str]]:
    return list(JournalEntry.objects.filter(campaign=campaign, kind="patience").values_list("text", "reason"))


def test_constant_traffic__within_the_patience__stands_still(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited(campaign, monkeypatch, hours=5, minutes=59)
    assert on(campaign) == "held"
    assert patience(campaign) == []


def test_constant_traffic__beyond_the_patience__goes_on_for_one_step_then_gives_way_again(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def step(context: StepContext) -> Step:
        seen.append((context.parallel, context.courtesy))
        context.progress("emulating", 1, 2, 1.0)
        return Step(state=CycleState.EVALUATING)

    monkeypatch.setitem(advance.STEPS, CycleState.EMULATING, step)
    waited(campaign, monkeypatch, hours=6, minutes=1)
    worker = Worker("w", get_client(), parallel=4, yields=True)
    assert campaign_advance(campaign_id=campaign.id, worker=worker) == "moved"
    assert seen == [(1, None)]
    assert patience(campaign) == [
        ("cycle 1 goes on for one step beside real users while emulating", "it had given way for more than 6 h")
    ]
    assert campaign_advance(campaign_id=campaign.id, worker=worker) == "held"
    cycle = Cycle.objects.get(campaign=campaign)
    assert (cycle.state, cycle.progress["yields_since"]) == ("EVALUATING", timezone.now().isoformat())
    assert (yielded(campaign), len(patience(campaign))) == (2, 1)


def test_constant_traffic__patience_without_end__stands_still(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_change(actor=ALICE, reason="people come first", patience_hours=0)
    waited(campaign, monkeypatch, days=40)
    assert on(campaign) == "held"
    assert patience(campaign) == []


def test_campaign_page__standing_back__says_so(campaign: Campaign, admin_client: Client) -> None:
    asked(5)
    on(campaign)
    assert "Gives way to real users since" in admin_client.get(f"/campaigns/{campaign.number}/").content.decode()
