# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Memories that are put up for review, and proposals to set some aside: look, decide, undo."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.pagination import paginate

from contracts.doors import actor_of
from contracts.maas import FlaggedMemory, MergeRecord
from kernel.errors import InvalidInput
from maas.client.memories import memories_flagged, merges
from manager.domain.lifecycle import PruningStatus
from manager.models import PruningProposal
from manager.services import pruning as service

router = Router(tags=["memories"])
_ID = "7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10"


class ProposedMemory(Schema):
    memory_id: uuid.UUID
    user_id: uuid.UUID
    score: float | None = Field(description="used/retrieved × helpful/used when it was proposed, 0–1.")
    reasons: list[dict[str, Any]] = Field(
        description="Each with a `code` (`low`, `disliked`, `same`, `unused`) and its numbers; empty: a person chose.",
        examples=[[{"code": "low", "days": 41, "retrieved": 12, "score": 0.02}]],
    )


class PruningOut(Schema):
    id: uuid.UUID
    status: PruningStatus
    memories: list[ProposedMemory]
    evidence: dict[str, Any] = Field(description="How many were looked at, and how many were left out and why.")
    content_hash: str = Field(description="Of the memories. Send it back as `seen` to approve exactly these.")
    pruned: list[uuid.UUID] = Field(description="What is set aside, or was until it was undone.")
    proposed_by: str
    reason: str
    created_at: datetime
    expires_at: datetime
    decided_by: str
    decided_at: datetime | None
    comment: str
    applied_at: datetime | None
    ended_at: datetime | None = Field(description="When it was undone, or erased for good.")


class PruningProposeIn(Schema, extra="forbid"):
    memory_ids: list[uuid.UUID] | None = Field(
        default=None, min_length=1, max_length=service.MOST, description="Without them: all that are flagged.",
        examples=[[_ID]],
    )  # fmt: skip
    reason: str = Field(min_length=1, max_length=2000, examples=["These repeat one another."])


class PruningApproveIn(Schema, extra="forbid"):
    comment: str = Field(default="", max_length=2000)
    seen: str = Field(default="", description="`content_hash` of what the caller looked at.")
    keep: list[uuid.UUID] = Field(default=[], description="Of these memories: what stays, for 180 days at least.")


class PruningReasonIn(Schema, extra="forbid"):
    reason: str = Field(min_length=1, max_length=2000, examples=["They are still needed."])


@router.get("/memories/flagged", response=list[FlaggedMemory], summary="Memories that are put up for review")
@paginate(key="memory_id")
def flagged(request: HttpRequest) -> list[FlaggedMemory]:
    """The worst score first, 1,000 at most. Deep cycles flag: a score below 0.1 for 30 days, answers rated badly, the
    double of another memory, or never found in a year."""
    return memories_flagged(limit=1000)


@router.post("/memories/{uuid:memory_id}/keep", response={204: None}, summary="Keep a memory that is put up for review")
def keep(request: HttpRequest, memory_id: uuid.UUID, body: PruningReasonIn) -> Status[None]:
    """Needs the role operator. It is not put up again for 180 days."""
    service.memory_keep(memory_id=memory_id, actor=actor_of(request), reason=body.reason)
    return Status(204, None)


@router.get("/memories/merges", response=list[MergeRecord], summary="Memories that were merged, and refused merges")
@paginate(key="id")
def merges_list(request: HttpRequest) -> list[MergeRecord]:
    """The newest first, 1,000 at most. Macro cycles merge what says the same, and refuse where a question would miss
    something."""
    return merges(limit=1000)


@router.post("/memories/merges/{uuid:merge_id}/undo", response=MergeRecord, summary="Undo a merge")
def merge_end(request: HttpRequest, merge_id: uuid.UUID, body: PruningReasonIn) -> MergeRecord:
    """Needs the role meta-user. The memory that was set aside is found again; the two are not merged again."""
    return service.memory_merge_undo(merge_id=merge_id, actor=actor_of(request), reason=body.reason)


@router.get("/prunings", response=list[PruningOut], summary="Proposals to set memories aside, newest first")
@paginate(sort=("created_at", "decided_at"))
def prunings(request: HttpRequest, status: PruningStatus | None = None) -> QuerySet[PruningProposal]:
    found = PruningProposal.objects.all()
    return found.filter(status=status) if status else found


@router.post("/prunings", response={201: PruningOut}, summary="Propose memories to be set aside")
def propose(request: HttpRequest, body: PruningProposeIn) -> Status[PruningProposal]:
    """Needs the role operator. Those that a question of a data set expects, and those that wait already, are left out;
    422 when nothing is left."""
    made = service.pruning_propose(actor=actor_of(request), reason=body.reason, memory_ids=body.memory_ids)
    if made is None:
        raise InvalidInput("no memory is put up for review now")
    return Status(201, made)


@router.get("/prunings/{uuid:pruning_id}", response=PruningOut, summary="One proposal")
def pruning(request: HttpRequest, pruning_id: uuid.UUID) -> PruningProposal:
    return service.pruning_get(pruning_id)


@router.post("/prunings/{uuid:pruning_id}/approve", response=PruningOut, summary="Approve: the memories are set aside")
def approve(request: HttpRequest, pruning_id: uuid.UUID, body: PruningApproveIn) -> PruningProposal:
    """Needs the role meta-user. 409: decided already, expired, not what was seen, or an experiment that runs searches
    these people's memories. What is set aside is hidden, not deleted."""
    return service.pruning_approve(
        proposal_id=pruning_id, actor=actor_of(request), comment=body.comment, seen=body.seen, keep=body.keep
    )


@router.post("/prunings/{uuid:pruning_id}/reject", response=PruningOut, summary="Reject: all of them are kept")
def reject(request: HttpRequest, pruning_id: uuid.UUID, body: PruningReasonIn) -> PruningProposal:
    """Needs the role meta-user. None of them is proposed again for 180 days."""
    return service.pruning_reject(proposal_id=pruning_id, actor=actor_of(request), comment=body.reason)


@router.post("/prunings/{uuid:pruning_id}/undo", response=PruningOut, summary="Bring back what was set aside")
def undo(request: HttpRequest, pruning_id: uuid.UUID, body: PruningReasonIn) -> PruningProposal:
    """Needs the role meta-user. Possible until it is erased, which is at least 30 days."""
    return service.pruning_undo(proposal_id=pruning_id, actor=actor_of(request), reason=body.reason)


@router.post("/prunings/{uuid:pruning_id}/erase", response=PruningOut, summary="Delete for good what was set aside")
def erase(request: HttpRequest, pruning_id: uuid.UUID, body: PruningReasonIn) -> PruningProposal:
    """Needs the role meta-user. 409 within 30 days of the pruning. It cannot be undone."""
    return service.pruning_erase(proposal_id=pruning_id, actor=actor_of(request), reason=body.reason)
