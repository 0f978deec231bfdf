"""Putting a decision before a person, and altering what was put before them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import chain_lock
from contracts.actor import Actor, Role, component
from contracts.parameters import ParameterChange
from experiments.models import Experiment
from kernel.errors import Conflict, InvalidInput
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.approvals import approval_by_id, approval_log, approval_void, hash_of
from manager.services.policy import policy_current
from manager.services.telling import tell_waiting

MANAGER = component("manager")
_OPEN = (ApprovalStatus.PENDING, ApprovalStatus.APPROVED)


@transaction.atomic
def approval_request(
    *, experiment: Experiment, kind: str, reasons: list[str], evidence: dict[str, Any], proposed_by: str
) -> Approval:
    """Put a decision before the meta-user. Asking twice for the same finding finds the first request; asking again with
    other evidence alters it, as `approval_edit` does."""
    if experiment.campaign is None:
        raise InvalidInput("an experiment without a campaign has nobody to ask")
    change = ParameterChange(param=experiment.factor, from_value=experiment.from_value, to_value=experiment.to_value)
    policy = policy_current()
    approval, made = Approval.objects.get_or_create(
        experiment=experiment,
        kind=kind,
        defaults={
            "campaign": experiment.campaign,
            "proposal": change.to_mission_json(),
            "reasons": reasons,
            "evidence": evidence,
            "base_version": experiment.base_version,
            "policy_version": policy.version,
            "proposed_by": proposed_by,
            "expires_at": timezone.now() + timedelta(days=policy.approval_days),
        },
    )
    if made:
        approval.refresh_from_db()  # the hash is over what the database gives back
        approval.content_hash = hash_of(approval)
        approval.save(update_fields=["content_hash"])
        tell_waiting(approval)
    elif approval.status in _OPEN:
        approval = approval_edit(
            approval_id=approval.id, evidence=evidence, reasons=reasons, actor=MANAGER, reason="asked again"
        )
    return approval


@transaction.atomic
def approval_edit(
    *, approval_id: uuid.UUID, evidence: dict[str, Any], reasons: list[str], actor: Actor, reason: str
) -> Approval:
    """Alter the evidence of a request and why a person is asked. The change itself is never altered: another value is
    another experiment.

    Waiting, it goes on waiting under another hash: who approves what they saw before gets `Conflict`. Approved and not
    yet applied, the approval was of something else, so the request is void. Decided otherwise: `Conflict`. To what
    stands already changes nothing.
    """
    actor.require(Role.OPERATOR)
    chain_lock()
    approval = approval_by_id(approval_id)
    if approval.status not in _OPEN:
        raise Conflict(f"this request is {approval.status} already", details={"status": approval.status})
    before = approval.content_hash
    Approval.objects.filter(id=approval.id).update(evidence=evidence, reasons=reasons)
    approval = approval_by_id(approval_id)
    after = hash_of(approval)
    if after == before:
        return approval
    if approval.status == ApprovalStatus.APPROVED:
        told = f"what was approved was altered afterwards, by {actor.label}: {reason}"
        return approval_void(approval_id=approval_id, actor=actor, reason=told)
    Approval.objects.filter(id=approval.id).update(content_hash=after)
    approval_log(approval, "approval.edited", {"content_hash": after}, actor, reason, before={"content_hash": before})
    return approval_by_id(approval_id)
