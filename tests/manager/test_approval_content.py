"""An approval is of what was shown: altered, moved or too late, it is void or refused, whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from audit.selectors import chain_verify
from contracts.actor import Actor, Role
from contracts.goal import Autonomy
from experiments.models import Experiment
from goals.models import Campaign
from kernel.errors import Conflict, NotAuthorised
from maas.client import get_client
from manager.models import Approval
from manager.services.approval_requests import approval_edit, approval_request
from manager.services.approvals import approval_apply, approval_approve, approval_reject, approvals_expire, hash_of
from manager.services.rechecks import approval_recheck
from tests.access.people import client_of, person
from tests.manager.world import ALICE, Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.tuner.factories import next_step
from tuner.selectors import active_version
from tuner.services import change_apply

FACTOR, OTHER = "retrieval.min_tag_overlap", "context.max_tokens"
ALTERED = {"reason": "recall rises", "golden": "golden was looked at again"}


def waiting(tmp_path: Path) -> Approval:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return approval_made(experiment_won(campaign_make(autonomy=Autonomy.SEMI_AUTO)))


@pytest.fixture
def approval(db: None, tmp_path: Path) -> Approval:
    return waiting(tmp_path)


def edit(approval: Approval, actor: Actor = ALICE) -> Approval:
    return approval_edit(
        approval_id=approval.id, evidence=ALTERED, reasons=["a person must decide"], actor=actor, reason="looked again"
    )


def approved_on_a_moved_base(approval: Approval) -> Approval:
    change_apply(proposal=next_step(OTHER, 4400), actor=ALICE)
    return approval_approve(approval_id=approval.id, actor=ALICE)


def logged(approval: Approval) -> list[str]:
    rows = AuditEntry.objects.filter(subject_type="approval", subject_id=str(approval.id))
    return list(rows.order_by("id").values_list("action", flat=True))


# --- the content ------------------------------------------------------------------------------------------------------


def test_request__made__has_the_hash_of_its_row_as_the_database_gives_it_back(approval: Approval) -> None:
    stored = Approval.objects.select_related("experiment").get()
    assert len(stored.content_hash) == 64
    assert hash_of(stored) == stored.content_hash == approval.content_hash


@pytest.mark.parametrize(
    "altered",
    [
        {"proposal": {"param": FACTOR, "from": 1, "to": 3}},
        {"evidence": ALTERED},
        {"base_version": 7},
        {"reasons": []},
        {"kind": "start"},
    ],
)
def test_approve__row_altered_past_the_service__is_void_and_changes_nothing(
    approval: Approval, altered: dict[str, object]
) -> None:
    Approval.objects.filter(id=approval.id).update(**altered)
    with pytest.raises(Conflict, match="is void: what it proposes is not what was put before a person"):
        approval_approve(approval_id=approval.id, actor=ALICE)
    approval.refresh_from_db()
    assert (approval.status, active_version().version) == ("void", 1)
    assert Experiment.objects.get(slug=approval.experiment.slug).decision == "refused:void"
    assert logged(approval) == ["approval.void"]


def test_approve__factor_has_another_value_by_now__is_void_at_once(approval: Approval) -> None:
    change_apply(proposal=next_step(FACTOR, 0), actor=ALICE)
    with pytest.raises(Conflict, match="is 0 now, not 1 as it was when the change was tested"):
        approval_approve(approval_id=approval.id, actor=ALICE)
    approval.refresh_from_db()
    assert (approval.status, active_version().version) == ("void", 2)
    with pytest.raises(Conflict, match="void already"):
        approval_approve(approval_id=approval.id, actor=ALICE)


def test_approve__another_factor_moved__stays_approved_until_golden_was_asked(approval: Approval) -> None:
    assert approved_on_a_moved_base(approval).status == "approved"


# --- edits ------------------------------------------------------------------------------------------------------------


def test_edit__waiting__goes_on_waiting_and_what_was_seen_before_cannot_be_approved(approval: Approval) -> None:
    after = edit(approval)
    assert (after.status, after.content_hash != approval.content_hash) == ("pending", True)
    entry = AuditEntry.objects.get(action="approval.edited")
    assert (entry.before, (entry.after or {})["content_hash"]) == (
        {"content_hash": approval.content_hash}, after.content_hash,
    )  # fmt: skip
    with pytest.raises(Conflict, match="altered since you looked"):
        approval_approve(approval_id=approval.id, actor=ALICE, seen=approval.content_hash)
    assert approval_approve(approval_id=approval.id, actor=ALICE, seen=after.content_hash).status == "applied"


def test_edit__to_what_stands__writes_nothing(approval: Approval) -> None:
    same = approval_edit(
        approval_id=approval.id, evidence=approval.evidence, reasons=approval.reasons, actor=ALICE, reason="again"
    )
    assert same.content_hash == approval.content_hash
    assert logged(approval) == []


def test_edit__approved_and_not_applied__is_void(approval: Approval) -> None:
    approved_on_a_moved_base(approval)
    after = edit(approval)
    assert after.status == "void"
    assert after.outcome == "what was approved was altered afterwards, by person:alice: looked again"
    assert logged(approval) == ["approval.approved", "approval.void"]


@pytest.mark.parametrize("end", ["applied", "rejected"])
def test_edit__decided__is_refused(approval: Approval, end: str) -> None:
    if end == "applied":
        approval_approve(approval_id=approval.id, actor=ALICE)
    else:
        approval_reject(approval_id=approval.id, actor=ALICE, comment="no")
    with pytest.raises(Conflict, match=f"{end} already"):
        edit(approval)


def test_edit__by_a_viewer__is_refused(approval: Approval, charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        edit(approval, charlie)


def test_request__asked_again_with_other_evidence__is_one_request_with_what_is_known_now(approval: Approval) -> None:
    again = approval_request(
        experiment=approval.experiment, kind="apply", reasons=["a person must decide"], evidence=ALTERED,
        proposed_by="component:teacher",
    )  # fmt: skip
    assert (again.id, again.evidence, again.status) == (approval.id, ALTERED, "pending")
    assert logged(approval) == ["approval.edited"]


def test_apply__altered_after_its_approval__is_refused_and_then_void(approval: Approval) -> None:
    approved_on_a_moved_base(approval)
    Approval.objects.filter(id=approval.id).update(proposal={"param": FACTOR, "from": 1, "to": 3})
    with pytest.raises(Conflict, match="altered after its approval"):
        approval_apply(approval_id=approval.id, actor=ALICE, base=2)
    done = approval_recheck(approval_id=approval.id, client=get_client(), actor=ALICE)
    assert (done.status, active_version().version) == ("void", 2)


# --- doors ------------------------------------------------------------------------------------------------------------


def test_page__approved_after_an_edit__says_so_and_goes_on_waiting(approval: Approval) -> None:
    browser: Client = client_of(person("alice", Role.META_USER))
    assert f'name="seen" value="{approval.content_hash}"' in browser.get("/approvals/").content.decode()
    edit(approval)
    address = reverse("pages:approval_approve", args=[approval.id])
    told = browser.post(address, {"seen": approval.content_hash, "next": "/approvals/"}, follow=True).content.decode()
    assert "altered since you looked" in told
    approval.refresh_from_db()
    assert (approval.status, active_version().version) == ("pending", 1)


def test_api__approved_after_an_edit__is_409(approval: Approval) -> None:
    browser: Client = client_of(person("alice", Role.META_USER))
    seen = browser.get(f"/api/v1/approvals/{approval.id}").json()["content_hash"]
    edit(approval)
    answer = browser.post(f"/api/v1/approvals/{approval.id}/approve", {"seen": seen}, content_type="application/json")
    assert answer.status_code == 409
    assert "altered since" in answer.json()["error"]["message"]


# --- at once ----------------------------------------------------------------------------------------------------------


def together(*acts: Callable[[], object]) -> list[str]:
    """Each in a thread and a connection of its own, begun at once; what each came to."""
    barrier, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int) -> None:
        try:
            barrier.wait()
            done = acts[number]()
            outcomes[number] = done.status if isinstance(done, Approval) else str(done)
        except Conflict:
            outcomes[number] = "conflict"
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain_verify().ok
    return outcomes


def approving(approval: Approval, name: str, seen: str = "") -> Callable[[], Approval]:
    actor = Actor(kind="person", name=name, role=Role.META_USER)
    return lambda: approval_approve(approval_id=approval.id, actor=actor, seen=seen)


@pytest.mark.django_db(transaction=True)
def test_approve__while_it_is_edited__applies_what_was_seen_or_nothing(tmp_path: Path) -> None:
    approval = waiting(tmp_path)
    outcomes = together(approving(approval, "anna", approval.content_hash), lambda: edit(approval))
    approval.refresh_from_db()
    assert (outcomes, approval.status, active_version().version) in (
        (["applied", "conflict"], "applied", 2),
        (["conflict", "pending"], "pending", 1),
    )


@pytest.mark.django_db(transaction=True)
def test_approve__four_people_at_once__applies_once(tmp_path: Path) -> None:
    approval = waiting(tmp_path)
    outcomes = together(*(approving(approval, name, approval.content_hash) for name in "abcd"))
    assert sorted(outcomes) == ["applied", "conflict", "conflict", "conflict"]
    assert active_version().version == 2
    assert logged(approval) == ["approval.approved", "approval.applied"]


@pytest.mark.django_db(transaction=True)
def test_approve__overdue_by_two_people_while_it_expires__expires_once(tmp_path: Path) -> None:
    approval = waiting(tmp_path)
    Approval.objects.filter(id=approval.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    outcomes = together(
        approving(approval, "anna"), approving(approval, "boris"), lambda: approvals_expire(actor=ALICE)
    )
    approval.refresh_from_db()
    assert (outcomes[:2], approval.status, active_version().version) == (["conflict"] * 2, "expired", 1)
    assert logged(approval) == ["approval.expired"]


@pytest.mark.django_db(transaction=True)
def test_approve__while_its_factor_moves__never_lands_on_another_value(tmp_path: Path) -> None:
    approval = waiting(tmp_path)
    moved = next_step(FACTOR, 0)
    outcomes = together(approving(approval, "anna"), lambda: change_apply(proposal=moved, actor=ALICE).version)
    approval.refresh_from_db()
    assert (outcomes, approval.status) in ((["applied", "conflict"], "applied"), (["conflict", "2"], "void"))
    assert active_version().version == 2


def test_campaign__of_the_request__is_untouched_by_a_void_one(approval: Approval) -> None:
    Approval.objects.filter(id=approval.id).update(evidence=ALTERED)
    with pytest.raises(Conflict):
        approval_approve(approval_id=approval.id, actor=ALICE)
    assert Campaign.objects.get(id=approval.campaign_id).status == "running"
