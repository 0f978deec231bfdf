"""An approved change whose base has moved: the golden set is asked anew, on top of what is active now."""

from __future__ import annotations

import uuid

from contracts.actor import Actor, Role
from contracts.parameters import ParameterChange
from kernel.errors import Conflict, DomainError
from maas.client import MaasClient
from manager.domain.lifecycle import ApprovalStatus
from manager.engine.gate import refusal_on
from manager.models import Approval
from manager.services.approvals import altered, approval_apply, approval_by_id, approval_void
from tuner.selectors import active_version


def approval_recheck(*, approval_id: uuid.UUID, client: MaasClient, actor: Actor, parallel: int = 2) -> Approval:
    """Bring an approved change to its end: applied, or void with the reason. Safe to run twice.

    1. Nothing to do unless approved. 2. The row is not what was approved, or the factor no longer has the value that
    was shown → void. 3. The base is still active → apply. 4. Else golden decides on "active now" against "active now
    with the change". A base that moves while golden is asked raises `Conflict`: run it again.
    """
    actor.require(Role.META_USER)
    approval = approval_by_id(approval_id)
    if approval.kind != "apply" or approval.status != ApprovalStatus.APPROVED:
        return approval
    if altered(approval):
        told = "what it proposes was altered after its approval"
        return approval_void(approval_id=approval_id, actor=actor, reason=told)
    change = ParameterChange.from_mission_json(approval.proposal)
    base = active_version().version
    refusal = refusal_on(approval.experiment, change, base=base, client=client, parallel=parallel)
    if refusal:
        return approval_void(approval_id=approval_id, actor=actor, reason=refusal)
    try:
        return approval_apply(approval_id=approval_id, actor=actor, base=base)
    except Conflict:
        raise
    except DomainError as error:
        return approval_void(approval_id=approval_id, actor=actor, reason=f"the Tuner refuses: {error.message}")
