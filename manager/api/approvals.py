# ruff: noqa: ARG001 - ninja calls every route with `request`
"""What waits for a person, and that person's decision; and rollback by hand."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from contracts.change import AppliedChange
from contracts.doors import actor_of
from contracts.etags import TAGGED, TAKES_IF_MATCH, tagged, unchanged
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services import decisions
from manager.services.approvals import approval_by_id, approval_reject
from manager.services.safety import rollback_order

router = Router(tags=["approvals"])


class ApprovalOut(Schema):
    id: uuid.UUID
    kind: str
    campaign_id: uuid.UUID
    experiment: str
    status: str
    proposal: dict[str, Any]
    """`param`, `from`, `to`."""
    evidence: dict[str, Any]
    reasons: list[str]
    base_version: int
    content_hash: str
    """Of the change, its evidence and its base. Send it back as `seen` to approve exactly this."""
    policy_version: int | None = None
    """Of the policy under which a person is asked; null: asked before policies had versions."""
    proposed_by: str
    created_at: datetime
    expires_at: datetime
    decided_by: str
    decided_at: datetime | None
    comment: str
    applied_version: int | None
    outcome: str

    @staticmethod
    def resolve_experiment(approval: Approval) -> str:
        return approval.experiment.slug


class CommentIn(Schema, extra="forbid"):
    comment: str = Field("", max_length=5000)


class ApproveIn(CommentIn):
    seen: str = ""
    """`content_hash` of what the caller looked at; if the request was altered since, nothing happens (409)."""


class RollbackIn(Schema, extra="forbid"):
    reason: str = Field(max_length=5000)
    expected_active: int | None = None
    """The version to leave; if another one is active, nothing happens (409)."""


@router.get("/approvals", response=list[ApprovalOut], summary="Approval requests, newest first")
@paginate(sort=("created_at", "expires_at", "decided_at"))
def approvals(
    request: HttpRequest,
    status: ApprovalStatus | None = None,
    campaign: uuid.UUID | None = None,
    kind: str | None = None,
    experiment: QueryEx[str | None, P(description="its slug")] = None,
) -> QuerySet[Approval]:
    wanted = {"status": status, "campaign_id": campaign, "kind": kind, "experiment__slug": experiment}
    found = Approval.objects.select_related("experiment")
    return found.filter(**{name: value for name, value in wanted.items() if value})


@router.get(
    "/approvals/{uuid:approval_id}",
    response=ApprovalOut,
    summary="One request with its evidence",
    openapi_extra=TAGGED,
)
def approval(request: HttpRequest, response: HttpResponse, approval_id: uuid.UUID) -> ApprovalOut:
    return tagged(response, _shown(approval_id))


@router.post(
    "/approvals/{uuid:approval_id}/approve", response=ApprovalOut, summary="Approve", openapi_extra=TAKES_IF_MATCH
)
def approve(request: HttpRequest, response: HttpResponse, approval_id: uuid.UUID, body: ApproveIn) -> ApprovalOut:
    """`applied`: in force now. `approved`: the base has moved since; the golden set is asked anew in the background,
    then it is `applied` or `void`. 409: decided by somebody else, altered since it was seen, expired, or void because
    its factor has another value by now than the one that the change was tested from."""
    shown = _shown(approval_id)
    seen = body.seen or (shown.content_hash if "If-Match" in request.headers else "")
    with unchanged(request, lambda: shown):  # what was decided or altered meanwhile is refused by the service
        decisions.approval_decide(approval_id=approval_id, actor=actor_of(request), comment=body.comment, seen=seen)
    return tagged(response, _shown(approval_id))


@router.post(
    "/approvals/{uuid:approval_id}/reject",
    response=ApprovalOut,
    summary="Reject, with a reason",
    openapi_extra=TAKES_IF_MATCH,
)
def reject(request: HttpRequest, response: HttpResponse, approval_id: uuid.UUID, body: CommentIn) -> ApprovalOut:
    with unchanged(request, lambda: _shown(approval_id)):
        approval_reject(approval_id=approval_id, actor=actor_of(request), comment=body.comment)
    return tagged(response, _shown(approval_id))


def _shown(approval_id: uuid.UUID) -> ApprovalOut:
    return ApprovalOut.from_orm(approval_by_id(approval_id))


@router.post("/parameters/rollback", response=AppliedChange, tags=["parameters"], summary="Back to the last stable one")
def rollback(request: HttpRequest, body: RollbackIn) -> AppliedChange:
    return rollback_order(reason=body.reason, actor=actor_of(request), expected_active=body.expected_active)
