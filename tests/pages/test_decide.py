"""Approving and rejecting through the pages: one service each, in the change log, enforced by the server."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from audit.models import AuditEntry
from goals.models import Campaign
from manager.models import Approval
from manager.services.approvals import approval_approve
from tests.access.people import client_of, person
from tests.manager.world import ALICE, approval_made, experiment_won
from tuner.selectors import active_version


def approve(client: Client, approval: Approval, **data: str) -> str:
    answer = client.post(reverse("pages:approval_approve", args=[approval.id]), data, follow=True)
    return answer.content.decode()


def reject(client: Client, approval: Approval, **data: str) -> str:
    answer = client.post(reverse("pages:approval_reject", args=[approval.id]), data, follow=True)
    return answer.content.decode()


def test_approve__meta_user__activates_and_is_logged(meta_user: Client, approval: Approval) -> None:
    text = approve(meta_user, approval)
    approval.refresh_from_db()
    assert (approval.status, approval.decided_by) == ("applied", "person:alice")
    assert f"version {active_version().version} is active" in text
    actions = AuditEntry.objects.filter(actor="alice", experiment=approval.experiment.slug)
    assert {"approval.approved", "parameters.activated"} <= set(actions.values_list("action", flat=True))


def test_approve__shown_in_the_change_log__with_its_maker(meta_user: Client, approval: Approval) -> None:
    approve(meta_user, approval)
    text = meta_user.get("/changes/").content.decode()
    assert "retrieval.min_tag_overlap 1 → 2 · v1 → v2" in text
    assert "alice" in text


def test_reject__reason__is_kept_and_logged(meta_user: Client, approval: Approval) -> None:
    text = reject(meta_user, approval, comment="too risky before the release")
    approval.refresh_from_db()
    assert (approval.status, approval.comment) == ("rejected", "too risky before the release")
    assert "is rejected; nothing changes" in text
    entry = AuditEntry.objects.get(action="approval.rejected")
    assert (entry.actor, entry.reason) == ("alice", "too risky before the release")


def test_reject__no_reason__is_asked_for_and_changes_nothing(meta_user: Client, approval: Approval) -> None:
    assert "a rejection needs a reason" in reject(meta_user, approval, comment="  ")
    approval.refresh_from_db()
    assert approval.status == "pending"


@pytest.mark.parametrize("who", ["viewer", "operator"])
@pytest.mark.parametrize("verb", ["approval_approve", "approval_reject"])
def test_decide__forged_by_a_lower_role__is_refused(
    request: pytest.FixtureRequest, approval: Approval, who: str, verb: str
) -> None:
    client: Client = request.getfixturevalue(who)
    answer = client.post(reverse(f"pages:{verb}", args=[approval.id]), {"comment": "forged"})
    approval.refresh_from_db()
    assert (answer.status_code, approval.status, active_version().version) == (403, "pending", 1)


def test_decide__viewer__sees_evidence_and_no_buttons(viewer: Client, approval: Approval) -> None:
    text = viewer.get("/approvals/").content.decode()
    assert "Evidence" in text
    assert "/approve/" not in text


def test_approve__by_get__is_not_possible(meta_user: Client, approval: Approval) -> None:
    assert meta_user.get(reverse("pages:approval_approve", args=[approval.id])).status_code == 405


def test_approve__without_csrf_token__is_refused(approval: Approval) -> None:
    client = client_of(person("alice", superuser=True), csrf=True)
    assert client.post(reverse("pages:approval_approve", args=[approval.id])).status_code == 403
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_approve__decided_before__says_by_whom(meta_user: Client, approval: Approval) -> None:
    approval_approve(approval_id=approval.id, actor=ALICE)
    assert "already" in approve(meta_user, approval)


def test_approve__base_moved__asks_golden_anew_in_the_background(
    meta_user: Client, campaign: Campaign, approval: Approval
) -> None:
    other = approval_made(experiment_won(campaign, slug="another", factor="retrieval.top_k", to_value=4))
    approval_approve(approval_id=other.id, actor=ALICE)
    text = approve(meta_user, approval)
    approval.refresh_from_db()
    assert approval.status == "approved"
    assert "asked anew in the background" in text
    assert OrmQ.objects.count() == 1


def test_decide__next_elsewhere__stays_on_this_site(meta_user: Client, approval: Approval) -> None:
    answer = meta_user.post(
        reverse("pages:approval_reject", args=[approval.id]), {"comment": "no", "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/approvals/"
