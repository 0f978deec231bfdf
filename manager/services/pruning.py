"""Pruning of memories: proposed by upkeep or a person, decided by a meta-user, done by the student, undoable.

The Manager holds the decision, never the memories: what is hidden and brought back is the student's work, through its
client, and each call may be repeated.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from contracts.maas import FlaggedMemory, MergeRecord
from experiments.expected import memories_expected, users_under_test
from kernel.canonical import stable_hash
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from maas.client.memories import (
    memories_bring_back,
    memories_erase,
    memories_flagged,
    memories_keep,
    memories_set_aside,
    memories_shown,
    merge_undo,
)
from manager.domain.lifecycle import PRUNING, PruningStatus
from manager.models import PruningProposal
from manager.services.policy import policy_current

MOST = 100
"""Memories in one proposal of upkeep: as many as a person can look through."""
UNDO_DAYS = 30
"""For so long after pruning nothing can be erased for good; undone it can be until it is erased."""


@transaction.atomic
def pruning_propose(
    *, actor: Actor, reason: str, memory_ids: Sequence[uuid.UUID] | None = None
) -> PruningProposal | None:
    """Put memories before a person; without `memory_ids` those that are flagged, the worst `MOST`.

    Left out are those that a question of a data set expects, and those that wait in another proposal. Returns None when
    upkeep finds nothing to propose. Raises `NotAuthorised` below operator, `InvalidInput` when of named memories none
    can be proposed or `reason` is empty.
    """
    actor.require(Role.OPERATOR)
    if not reason.strip():
        raise InvalidInput("say why these memories should go", details={"field": "reason"})
    found = memories_flagged() if memory_ids is None else _standing(memory_ids)
    expected, waiting = memories_expected(), _waiting()
    rows = [item for item in found if item.memory_id not in expected and str(item.memory_id) not in waiting][:MOST]
    evidence = {
        "looked_at": len(found),
        "expected_by_questions": sum(item.memory_id in expected for item in found),
        "in_another_proposal": sum(str(item.memory_id) in waiting for item in found),
    }
    if not rows:
        if memory_ids is None:
            return None
        raise InvalidInput("none of these can be pruned: questions expect them, or they wait already", details=evidence)
    memories = [
        {"memory_id": str(row.memory_id), "user_id": str(row.user_id), "score": row.score, "reasons": row.reasons}
        for row in rows
    ]
    chain_lock()
    proposal = PruningProposal.objects.create(
        memories=memories,
        evidence=evidence,
        content_hash=stable_hash(memories),
        proposed_by=actor.label,
        reason=reason,
        expires_at=timezone.now() + timedelta(days=policy_current().approval_days),
    )
    _audit(proposal, actor, "proposed", reason, {"memories": [row["memory_id"] for row in memories]})
    return proposal


def pruning_approve(
    *, proposal_id: uuid.UUID, actor: Actor, comment: str = "", seen: str = "", keep: Collection[uuid.UUID] = ()
) -> PruningProposal:
    """Approve; the memories are set aside at once, but those in `keep`, which are not proposed again for a while.

    Raises `NotAuthorised` below meta-user, or for the proposer under four eyes; `Conflict` when it was decided already,
    has expired, is not what the person has seen, or a running experiment searches memories of these people.
    """
    actor.require(Role.META_USER)
    proposal = pruning_get(proposal_id)
    if policy_current().four_eyes and proposal.proposed_by == actor.label:
        raise NotAuthorised("four eyes: whoever proposed it may not be the one to approve it")
    if proposal.status == PruningStatus.PENDING and proposal.expires_at < timezone.now():
        _move(proposal, PruningStatus.EXPIRED, actor, "nobody decided in time")
        raise Conflict("this proposal has expired")
    if (seen and seen != proposal.content_hash) or stable_hash(proposal.memories) != proposal.content_hash:
        raise Conflict("this proposal is not what you have seen; look again")
    _untested(proposal)
    chosen = [row["memory_id"] for row in proposal.memories if uuid.UUID(row["memory_id"]) not in set(keep)]
    if not chosen:
        raise InvalidInput("nothing is left to prune; reject the proposal instead", details={"field": "keep"})
    decided = {"decided_by": actor.label, "decided_at": timezone.now(), "comment": comment, "pruned": chosen}
    _move(proposal, PruningStatus.APPROVED, actor, comment, decided)
    return pruning_apply(proposal_id=proposal_id, actor=actor)


def pruning_apply(*, proposal_id: uuid.UUID, actor: Actor) -> PruningProposal:
    """Have the student set aside what was approved. Done again after a kill it comes to the same."""
    proposal = pruning_get(proposal_id)
    PRUNING.check(PruningStatus(proposal.status), PruningStatus.APPLIED)
    chosen = set(proposal.pruned)
    rows = [row for row in proposal.memories if row["memory_id"] in chosen]
    pairs = [(uuid.UUID(row["memory_id"]), uuid.UUID(row["user_id"])) for row in rows]
    gone = memories_set_aside(pairs=pairs, decision=decision_of(proposal))
    kept = [uuid.UUID(row["memory_id"]) for row in proposal.memories if row["memory_id"] not in chosen]
    if kept:
        memories_keep(memory_ids=kept, by=proposal.decided_by)
    done = {"pruned": [str(memory) for memory in gone], "applied_at": timezone.now()}
    _move(proposal, PruningStatus.APPLIED, actor, proposal.comment, done)
    return pruning_get(proposal_id)


def pruning_reject(*, proposal_id: uuid.UUID, actor: Actor, comment: str) -> PruningProposal:
    """Keep them all, with a reason: none is proposed again for a while. Raises as `pruning_approve`, and
    `InvalidInput` without a reason."""
    actor.require(Role.META_USER)
    if not comment.strip():
        raise InvalidInput("a rejection needs a reason", details={"field": "comment"})
    proposal = pruning_get(proposal_id)
    decided = {"decided_by": actor.label, "decided_at": timezone.now(), "comment": comment}
    _move(proposal, PruningStatus.REJECTED, actor, comment, decided)
    memories_keep(memory_ids=[uuid.UUID(row["memory_id"]) for row in proposal.memories], by=actor.label)
    return pruning_get(proposal_id)


def pruning_undo(*, proposal_id: uuid.UUID, actor: Actor, reason: str) -> PruningProposal:
    """Bring back what was pruned, as it was. Raises `NotAuthorised` below meta-user, `IllegalTransition` when it was
    not applied or is undone or erased already, `Conflict` while an experiment searches these people's memories."""
    actor.require(Role.META_USER)
    proposal = pruning_get(proposal_id)
    PRUNING.check(PruningStatus(proposal.status), PruningStatus.UNDONE)
    _untested(proposal)
    with transaction.atomic():
        _move(proposal, PruningStatus.UNDONE, actor, reason, {"ended_at": timezone.now()})
        memories_bring_back(decision=decision_of(proposal))
    memories_keep(memory_ids=[uuid.UUID(memory) for memory in proposal.pruned], by=actor.label)
    return pruning_get(proposal_id)


def pruning_erase(*, proposal_id: uuid.UUID, actor: Actor, reason: str) -> PruningProposal:
    """Delete for good what was pruned at least `UNDO_DAYS` ago. By hand only. Raises as `pruning_undo`, and `Conflict`
    before that time."""
    actor.require(Role.META_USER)
    proposal = pruning_get(proposal_id)
    PRUNING.check(PruningStatus(proposal.status), PruningStatus.ERASED)
    if proposal.applied_at is None or timezone.now() - proposal.applied_at < timedelta(days=UNDO_DAYS):
        raise Conflict(f"it can be undone for {UNDO_DAYS} days, and is not erased before that")
    with transaction.atomic():
        _move(proposal, PruningStatus.ERASED, actor, reason, {"ended_at": timezone.now()})
        memories_erase(decision=decision_of(proposal))
    return pruning_get(proposal_id)


def memory_keep(*, memory_id: uuid.UUID, actor: Actor, reason: str = "") -> None:
    """A person says to keep one memory; it is not put up for review for a while. Raises `NotAuthorised` below operator,
    `NotFound`."""
    actor.require(Role.OPERATOR)
    if not memories_keep(memory_ids=[memory_id], by=actor.label):
        raise NotFound(f"there is no memory {memory_id}", details={"memory": str(memory_id)})
    entry_append(actor=actor, action="memory.kept", subject_type="memory", subject_id=str(memory_id), reason=reason)


def memory_merge_undo(*, merge_id: uuid.UUID, actor: Actor, reason: str) -> MergeRecord:
    """Bring back what a merge set aside; the two are not merged again. Raises `NotAuthorised` below meta-user,
    `NotFound`."""
    actor.require(Role.META_USER)
    found = merge_undo(merge_id=merge_id)
    after = {"kept": str(found.kept), "dropped": str(found.dropped)}
    entry_append(
        actor=actor, action="merge.undone", subject_type="memory_merge", subject_id=str(merge_id), after=after,
        reason=reason,
    )  # fmt: skip
    return found


def pruning_get(proposal_id: uuid.UUID) -> PruningProposal:
    found = PruningProposal.objects.filter(id=proposal_id).first()
    if found is None:
        raise NotFound(f"there is no pruning proposal {proposal_id}", details={"proposal": str(proposal_id)})
    return found


def prunings_tend(*, actor: Actor) -> int:
    """Finish what was approved and not done (its worker died), and close what waited too long. Returns how many."""
    now = timezone.now()
    late = Q(status=PruningStatus.PENDING, expires_at__lt=now)
    left = Q(status=PruningStatus.APPROVED, decided_at__lt=now - timedelta(minutes=2))
    found = list(PruningProposal.objects.filter(late | left))
    for proposal in found:
        if proposal.status == PruningStatus.PENDING:
            _move(proposal, PruningStatus.EXPIRED, actor, "nobody decided in time")
        else:
            pruning_apply(proposal_id=proposal.id, actor=actor)
    return len(found)


def decision_of(proposal: PruningProposal) -> str:
    """The name under which the student hides these memories."""
    return f"prune:{proposal.id}"


def _standing(memory_ids: Sequence[uuid.UUID]) -> list[FlaggedMemory]:
    return [item for item in memories_shown(memory_ids=memory_ids) if item.set_aside_at is None]


def _waiting() -> set[str]:
    rows = PruningProposal.objects.filter(status__in=[PruningStatus.PENDING, PruningStatus.APPROVED])
    return {row["memory_id"] for memories in rows.values_list("memories", flat=True) for row in memories}


def _untested(proposal: PruningProposal) -> None:
    """Both arms of an experiment must search the same memories to its end."""
    users = users_under_test()
    if any(uuid.UUID(row["user_id"]) in users for row in proposal.memories):
        raise Conflict("an experiment that runs searches memories of these people; decide when it has ended")


def _move(
    proposal: PruningProposal,
    target: PruningStatus,
    actor: Actor,
    reason: str,
    values: dict[str, Any] | None = None,
) -> None:
    """One compare-and-swap with its audit row; whoever comes second gets `Conflict`."""
    source = PruningStatus(proposal.status)
    PRUNING.check(source, target)
    with transaction.atomic():
        chain_lock()  # before the row, as every writer of both
        moved = PruningProposal.objects.filter(id=proposal.id, status=source).update(status=target, **(values or {}))
        if moved != 1:
            now = pruning_get(proposal.id)
            raise Conflict(f"this proposal is {now.status} already", details={"status": now.status})
        _audit(proposal, actor, str(target), reason, {"status": target, "memories": (values or {}).get("pruned", [])})


def _audit(proposal: PruningProposal, actor: Actor, action: str, reason: str, after: dict[str, Any]) -> None:
    entry_append(
        actor=actor,
        action=f"pruning.{action}",
        subject_type="pruning_proposal",
        subject_id=str(proposal.id),
        after=after,
        reason=reason,
    )
