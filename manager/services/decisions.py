"""What every door does when a person approves: decide, and queue what is left to do."""

from __future__ import annotations

import uuid

from django_q.tasks import async_task

from contracts.actor import Actor
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.approvals import approval_approve
from manager.services.settling import activation_settle_enqueue

FINISH_TASK = "manager.tasks.approval_finish"


def approval_decide(*, approval_id: uuid.UUID, actor: Actor, comment: str = "", seen: str = "") -> Approval:
    """`approval_approve`; where the base has moved since the request, a worker asks golden anew and finishes it, and
    where the campaign has ended, a worker looks whether what is active now keeps what it promised.

    No transaction around both: what `approval_approve` records when it refuses must stay. Raises what it raises.
    """
    approval = approval_approve(approval_id=approval_id, actor=actor, comment=comment, seen=seen)
    if approval.kind == "apply" and approval.status == ApprovalStatus.APPROVED:
        approval_finish_enqueue(approval_id=approval_id)
    if approval.status == ApprovalStatus.APPLIED:
        activation_settle_enqueue(campaign=approval.campaign)
    return approval


def approval_finish_enqueue(*, approval_id: uuid.UUID) -> None:
    """Ask a worker to finish an approved change. Asked twice is harmless: it is applied once."""
    async_task(FINISH_TASK, str(approval_id), task_name=f"approval {approval_id}")
