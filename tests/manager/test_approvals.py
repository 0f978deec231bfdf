"""A person decides, once, on what was shown."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from contracts.goal import Autonomy
from experiments.models import Experiment
from goals.models import Campaign
from kernel.errors import Conflict, InvalidInput, NotAuthorised, RuleViolated
from manager.models import Approval, JournalEntry
from manager.services.approvals import (
    approval_approve,
    approval_reject,
    approvals_expire,
    approvals_unfinished,
)
from manager.services.policy import policy_change
from manager.tasks import unattended_pick_up
from tests.manager.world import ALICE, Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tuner.selectors import active_version, version_values
from tuner.services import parameters_freeze

FACTOR = "retrieval.min_tag_overlap"


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make(autonomy=Autonomy.SEMI_AUTO)


@pytest.fixture
def approval(campaign: Campaign) -> Approval:
    return approval_made(experiment_won(campaign))


def statuses(approval: Approval) -> tuple[str, str]:
    approval.refresh_from_db()
    return approval.status, Experiment.objects.get(slug=approval.experiment.slug).status


def logged(approval: Approval) -> list[str]:
    rows = AuditEntry.objects.filter(experiment=approval.experiment.slug, action__startswith="approval.")
    return list(rows.order_by("id").values_list("action", flat=True))


def test_approve__base_unmoved__applies_at_once(approval: Approval, alice: Actor) -> None:
    done = approval_approve(approval_id=approval.id, actor=alice, comment="looks right")
    active = active_version()
    assert statuses(done) == ("applied", "applied")
    assert (done.applied_version, version_values(active.version)[FACTOR]) == (active.version, 2)
    assert done.decided_by == "person:alice"


def test_approve__applied__is_in_change_log_and_journal(approval: Approval, alice: Actor) -> None:
    approval_approve(approval_id=approval.id, actor=alice, comment="looks right")
    assert logged(approval) == ["approval.approved", "approval.applied"]
    change = AuditEntry.objects.get(action="parameters.activated", experiment=approval.experiment.slug)
    assert (change.actor, change.parameter, (change.after or {})["approved_by"]) == ("alice", FACTOR, "person:alice")
    entry = JournalEntry.objects.get(campaign=approval.campaign, kind="applied")
    assert entry.reason == "approved by person:alice: looks right; applied as version 2"


def test_approve__tuner_refuses__leaves_the_request_pending_and_a_record(approval: Approval, alice: Actor) -> None:
    parameters_freeze(actor=ALICE, reason="holiday")
    with pytest.raises(RuleViolated, match="frozen"):
        approval_approve(approval_id=approval.id, actor=alice)
    assert statuses(approval) == ("pending", "analyzed")
    assert active_version().version == 1
    assert logged(approval) == ["approval.refused"]


def test_approve__after_reject__is_refused(approval: Approval, alice: Actor) -> None:
    approval_reject(approval_id=approval.id, actor=alice, comment="too early")
    with pytest.raises(Conflict, match="rejected already, by person:alice"):
        approval_approve(approval_id=approval.id, actor=alice)
    assert active_version().version == 1


def test_approve__twice__is_refused_and_applied_once(approval: Approval, alice: Actor) -> None:
    approval_approve(approval_id=approval.id, actor=alice)
    with pytest.raises(Conflict, match="applied already"):
        approval_approve(approval_id=approval.id, actor=alice)
    assert active_version().version == 2


def test_reject__with_reason__closes_request_and_experiment(approval: Approval, alice: Actor) -> None:
    done = approval_reject(approval_id=approval.id, actor=alice, comment="too early")
    assert statuses(done) == ("rejected", "rejected")
    experiment = Experiment.objects.get(slug=approval.experiment.slug)
    assert (experiment.decision, experiment.decision_reason) == (
        "refused:person",
        "rejected by person:alice: too early",
    )
    assert logged(approval) == ["approval.rejected"]
    assert AuditEntry.objects.get(action="approval.rejected").reason == "too early"
    assert JournalEntry.objects.get(campaign=approval.campaign, kind="refused").reason.endswith("too early")


@pytest.mark.parametrize("comment", ["", "  \n"])
def test_reject__without_reason__is_refused(approval: Approval, alice: Actor, comment: str) -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        approval_reject(approval_id=approval.id, actor=alice, comment=comment)
    assert statuses(approval) == ("pending", "analyzed")


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_decide__below_meta_user__is_refused(approval: Approval, cast: dict[str, Actor], name: str) -> None:
    with pytest.raises(NotAuthorised):
        approval_approve(approval_id=approval.id, actor=cast[name])
    with pytest.raises(NotAuthorised):
        approval_reject(approval_id=approval.id, actor=cast[name], comment="no")
    assert statuses(approval) == ("pending", "analyzed")
    assert logged(approval) == []


def test_approve__four_eyes_and_own_goal__is_refused(approval: Approval, alice: Actor) -> None:
    policy_change(actor=alice, reason="two people decide", four_eyes=True)
    with pytest.raises(NotAuthorised, match="four eyes"):
        approval_approve(approval_id=approval.id, actor=alice)
    assert statuses(approval) == ("pending", "analyzed")


def test_approve__four_eyes_and_another_person__applies(approval: Approval, alice: Actor) -> None:
    policy_change(actor=alice, reason="two people decide", four_eyes=True)
    dora = Actor(kind="person", name="dora", role=Role.META_USER)
    assert approval_approve(approval_id=approval.id, actor=dora).status == "applied"


def test_approve__four_eyes_and_own_proposal__is_refused(approval: Approval, alice: Actor) -> None:
    policy_change(actor=alice, reason="two people decide", four_eyes=True)
    dora = Actor(kind="person", name="dora", role=Role.META_USER)
    Approval.objects.filter(id=approval.id).update(proposed_by=dora.label)
    with pytest.raises(NotAuthorised, match="proposed the change"):
        approval_approve(approval_id=approval.id, actor=dora)
    assert statuses(approval) == ("pending", "analyzed")


def overdue(approval: Approval) -> None:
    Approval.objects.filter(id=approval.id).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_approve__past_its_time__expires_and_is_refused(approval: Approval, alice: Actor) -> None:
    overdue(approval)
    with pytest.raises(Conflict, match="has expired"):
        approval_approve(approval_id=approval.id, actor=alice)
    assert statuses(approval) == ("expired", "rejected")
    assert logged(approval) == ["approval.expired"]


def test_approvals_expire__overdue_and_not__closes_the_overdue_only(
    campaign: Campaign, approval: Approval, alice: Actor
) -> None:
    other = approval_made(experiment_won(campaign, slug="another", factor="retrieval.top_k", to_value=4))
    overdue(approval)
    assert approvals_expire(actor=alice) == 1
    assert (statuses(approval)[0], statuses(other)[0]) == ("expired", "pending")


def test_approval_request__asked_twice__is_one(approval: Approval) -> None:
    assert approval_made(approval.experiment).id == approval.id


def test_unattended_pick_up__approved_but_never_finished__is_queued_again(
    approval: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    Approval.objects.filter(id=approval.id).update(status="approved", decided_at=long_ago)
    queued: list[str] = []
    monkeypatch.setattr("manager.services.decisions.async_task", lambda _task, key, **_: queued.append(key))
    monkeypatch.setattr("manager.services.campaigns.async_task", lambda *_, **__: None)
    assert approvals_unfinished() == [approval.id]
    unattended_pick_up()
    assert queued == [str(approval.id)]


@pytest.mark.django_db(transaction=True)
def test_approve__two_people_at_once__one_wins_and_the_other_is_told(tmp_path: Path, alice: Actor) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    approval = approval_made(experiment_won(campaign_make(autonomy=Autonomy.SEMI_AUTO)))
    barrier, outcomes = threading.Barrier(2), []

    def decide(name: str) -> None:
        try:
            barrier.wait()
            actor = Actor(kind="person", name=name, role=Role.META_USER)
            outcomes.append(approval_approve(approval_id=approval.id, actor=actor).status)
        except Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    people = [threading.Thread(target=decide, args=[name]) for name in ("anna", "boris")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["applied", "conflict"]
    assert active_version().version == 2
    assert logged(approval) == ["approval.approved", "approval.applied"]
