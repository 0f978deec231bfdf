"""What people outside the site are told of, in the transaction of what happened, and reminders of what waits."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from contracts.actor import Actor, component
from contracts.goal import Autonomy
from goals.models import Campaign
from incidents.models import Incident
from kernel.errors import RuleViolated
from manager.domain.lifecycle import CycleState
from manager.engine import closing
from manager.engine.tuning import _rejected
from manager.models import Approval, JournalEntry
from manager.services.approvals import approval_approve, approval_reject, approvals_expire
from manager.services.campaigns import campaign_end
from manager.services.degradation import degradation_act
from manager.services.policy import policy_change
from manager.services.reminders import approvals_remind
from manager.services.safety import rollback_order
from manager.tasks import unattended_pick_up
from notifications.domain.addresses import networks_read
from notifications.models import Channel, Notice
from notifications.services.deliveries import deliveries_send
from notifications.wording import message_of
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.notifications.makers import channel_made
from tests.notifications.receivers import Answer, receiving
from tuner.domain.degradation import DegradationSignal
from tuner.selectors import active_version
from tuner.services import parameters_freeze, version_confirm_stable

MANAGER = component("manager")
STEP = "retrieval.min_tag_overlap 1 → 2"


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make(autonomy=Autonomy.SEMI_AUTO)


@pytest.fixture
def approval(campaign: Campaign) -> Approval:
    return approval_made(experiment_won(campaign))


def events() -> list[str]:
    return list(Notice.objects.order_by("id").values_list("event", flat=True))


def said(event: str, language: str = "en") -> str:
    return message_of(Notice.objects.get(event=event), language=language).title


def waited(approval: Approval, **given: float) -> None:
    Approval.objects.filter(id=approval.id).update(created_at=timezone.now() - timedelta(**given))


def test_approval__put_before_a_person__is_told_once_with_what_why_and_until(approval: Approval) -> None:
    approval_made(approval.experiment)
    assert events() == ["approval.waiting"]
    message = message_of(Notice.objects.get(), language="ru")
    assert message.title == f"Изменение ждёт вашего решения: {STEP}."
    assert "Срок истекает" in message.text
    assert message.link.endswith(f"/approvals/#approval-{approval.id}")


def test_approval__approved__tells_that_the_change_is_applied(approval: Approval, alice: Actor) -> None:
    approval_approve(approval_id=approval.id, actor=alice)
    assert events() == ["approval.waiting", "change.applied"]
    assert said("change.applied") == f"{STEP} is applied: version {active_version().version} is active."


def test_approval__refused_by_the_tuner__tells_nothing_of_it(approval: Approval, alice: Actor) -> None:
    parameters_freeze(actor=alice, reason="holidays")
    with pytest.raises(RuleViolated):
        approval_approve(approval_id=approval.id, actor=alice)
    assert events() == ["approval.waiting"]


def test_approval__nobody_decides_in_time__is_told_and_in_the_journal(approval: Approval) -> None:
    Approval.objects.filter(id=approval.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert approvals_expire(actor=MANAGER) == 1
    assert events() == ["approval.waiting", "approval.expired"]
    assert said("approval.expired").endswith(f"{STEP} is refused.")
    assert JournalEntry.objects.filter(key=f"approval-{approval.id}-refused").exists()


def test_remind__before_its_hours__reminds_nobody(approval: Approval) -> None:
    waited(approval, hours=23)
    assert approvals_remind() == 0


def test_remind__after_its_hours__once_then_once_a_day_in_journal_and_notifications(approval: Approval) -> None:
    waited(approval, hours=25)
    now = timezone.now()
    assert [approvals_remind(now=now), approvals_remind(now=now + timedelta(hours=23))] == [1, 0]
    assert approvals_remind(now=now + timedelta(hours=24, minutes=1)) == 1
    assert events() == ["approval.waiting", "approval.reminder", "approval.reminder"]
    texts = JournalEntry.objects.filter(kind="reminder").values_list("text", flat=True)
    assert list(texts) == [f"{STEP} still waits for a person"] * 2


def test_remind__decided_expired_or_switched_off__reminds_nobody(approval: Approval, alice: Actor) -> None:
    waited(approval, hours=25)
    assert approvals_remind(now=approval.expires_at + timedelta(seconds=1)) == 0
    policy_change(actor=alice, reason="quiet", approval_remind_hours=0)
    assert approvals_remind() == 0
    policy_change(actor=alice, reason="not so quiet", approval_remind_hours=1)
    approval_reject(approval_id=approval.id, actor=alice, comment="no")
    assert approvals_remind() == 0


def test_schedule__every_minute__reminds(approval: Approval) -> None:
    waited(approval, hours=25)
    unattended_pick_up()
    unattended_pick_up()
    assert events().count("approval.reminder") == 1


def test_golden__refuses_a_winner__is_told(campaign: Campaign) -> None:
    step = _rejected(experiment_won(campaign), "the golden gate refuses: recall falls", "golden")
    assert step.within is not None
    assert step.state == CycleState.IDLE
    step.within()
    assert said("golden.refused") == f"The golden set refused {STEP}, which a test had proved."


@pytest.mark.parametrize(("by", "told"), [("guard", True), ("golden", False)])
def test_refusal__by_others_or_for_a_moved_factor__is_not_told_as_goldens(
    campaign: Campaign, by: str, told: bool
) -> None:
    step = _rejected(experiment_won(campaign), "no", by, told=told)
    assert step.within is not None
    step.within()
    assert events() == []


@pytest.mark.parametrize(
    ("reason", "event"),
    [
        ("all 2 cycles are spent", "campaign.finished"),
        ("budget spent: 1,000 of 900 tokens", "campaign.over_budget"),
    ],
)
def test_campaign__ends__is_told_with_its_reason(campaign: Campaign, reason: str, event: str) -> None:
    closing.end(campaign, reason)
    assert events() == [event]
    assert Notice.objects.get().facts == {"number": campaign.number, "goal": "Raise recall", "reason": reason}


def test_campaign__stopped_by_a_person__is_told(campaign: Campaign, alice: Actor) -> None:
    campaign_end(campaign_id=campaign.id, actor=alice, reason="enough")
    assert Notice.objects.get().facts["reason"] == "stopped by person:alice: enough"


def test_rollback__by_itself__reaches_a_receiver_as_incident_and_as_rollback(
    approval: Approval, alice: Actor, settings: Any
) -> None:
    """The whole way: a broken rule, the rollback, the incident, the messages over HTTP, in two languages."""
    settings.SELFLEARN_NOTIFY_NETWORKS = networks_read("127.0.0.0/8")
    version_confirm_stable(version=1, actor=MANAGER, reason="as seeded")
    approval_approve(approval_id=approval.id, actor=alice)
    version = active_version()
    with receiving() as english, receiving() as russian:
        channel_made(english.url, name="en", events=["incident.opened", "version.rolled_back"])
        channel_made(russian.url, name="ru", language="ru", min_severity="warning")
        signal = DegradationSignal(
            rule="too_many_errors",
            metric="error_rate",
            message="errors .500 above .100",
            observed=0.5,
            limit=0.1,
            cycles=1,
        )
        assert degradation_act(version=version, signals=[signal], where="live traffic") is not None
        deliveries_send()
    assert active_version().version == 1
    titles = [json.loads(got.body)["data"]["title"] for got in english.got]
    assert titles == [
        f"Version {version.version} was rolled back; version 1 is active.",
        f"Incident: Version {version.version} was rolled back",
    ]
    assert {json.loads(got.body)["data"]["title"] for got in russian.got} == {
        f"Версия {version.version} откачена; действует версия 1.",
        f"Происшествие: Версия {version.version} откачена",
    }
    incident = Incident.objects.get()
    assert (incident.status, incident.subject) == ("open", f"version:{version.version}")
    assert json.loads(english.got[1].body)["data"]["facts"]["about"] == incident.subject


def test_rollback__receiver_hangs__is_done_at_once_all_the_same(
    approval: Approval, alice: Actor, settings: Any
) -> None:
    settings.SELFLEARN_NOTIFY_NETWORKS = networks_read("127.0.0.0/8")
    approval_approve(approval_id=approval.id, actor=alice)
    with receiving(Answer(hangs=True)) as stuck:
        channel_made(stuck.url)
        assert rollback_order(reason="users complain", actor=alice).version == 1
        assert not stuck.got
    assert Channel.objects.get().deliveries.count() == 0  # made later, by a worker
    assert said("version.rolled_back") == "Version 2 was rolled back; version 1 is active."
