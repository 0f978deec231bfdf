"""Approvals: a person decides, once, on what was shown; an approval of something else than that is void."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import ExperimentResult
from experiments.services import experiment_transition
from goals.models import Campaign
from kernel.errors import Conflict, DomainError, InvalidInput, NotAuthorised, NotFound, RuleViolated
from manager.domain.approvals import proposal_hash
from manager.domain.lifecycle import APPROVAL, ApprovalStatus
from manager.models import Approval, Report
from manager.reports.content import report_write
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from manager.services.telling import tell_applied, tell_expired
from tuner.selectors import active_version, factor_moved
from tuner.services import change_apply


def approval_by_id(approval_id: uuid.UUID) -> Approval:
    found = Approval.objects.select_related("experiment", "campaign", "campaign__goal").filter(id=approval_id).first()
    if found is None:
        raise NotFound(f"there is no approval {approval_id}")
    return found


def hash_of(approval: Approval) -> str:
    """Of what the row proposes now; `approval.content_hash` is of what was put before a person."""
    return proposal_hash(
        kind=approval.kind,
        experiment=approval.experiment.slug,
        change=approval.proposal,
        evidence=approval.evidence,
        reasons=approval.reasons,
        base_version=approval.base_version,
    )


def approval_approve(*, approval_id: uuid.UUID, actor: Actor, comment: str = "", seen: str = "") -> Approval:
    """Approve. A change whose base is still active is applied at once; the caller looks at `status`.

    1. Only a meta-user may, and under four eyes neither who set the goal nor who proposed the change
    (`NotAuthorised`). 2. Past its expiry it expires (`Conflict`). 3. What no longer is what was put before a person, or
    starts from a value that its factor has no more, becomes void (`Conflict`). 4. `seen`, the hash of what this person
    was shown, is not that of the request by now: `Conflict`, and it goes on waiting. 5. Compare-and-swap from pending:
    of two people at once the second gets `Conflict`. 6. The base version is still active → applied in the same
    transaction. Another version is active → it stays approved, and `manager.services.rechecks.approval_recheck` looks
    at the golden set anew before applying. What the Tuner refuses leaves the request pending and is in the change log.
    """
    approval = _decidable(approval_id, actor)
    own = {approval.campaign.goal.created_by: "set the goal", approval.proposed_by: "proposed the change"}
    if actor.label in own and policy_current().four_eyes:
        raise NotAuthorised(f"four eyes: whoever {own[actor.label]} may not be the one to approve it")
    try:
        with transaction.atomic():
            chain_lock()
            approval = approval_by_id(approval_id)
            void = _void_because(approval) if approval.status == ApprovalStatus.PENDING else ""
            if void:
                approval_void(approval_id=approval_id, actor=actor, reason=void)
            else:
                _approve(approval, actor, comment, seen)
    except RuleViolated as error:
        # The Tuner's own record of its refusal went with the transaction.
        approval_log(approval, "approval.refused", {"code": error.code, "message": error.message}, actor, comment)
        raise
    if void:
        raise Conflict(f"this request is void: {void}", details={"status": ApprovalStatus.VOID, "reason": void})
    return approval_by_id(approval_id)


def _approve(approval: Approval, actor: Actor, comment: str, seen: str) -> None:
    if seen and approval.status == ApprovalStatus.PENDING and seen != approval.content_hash:
        raise Conflict(
            "this request has been altered since you looked at it; look again", details={"seen": approval.content_hash}
        )
    _move(approval, ApprovalStatus.PENDING, ApprovalStatus.APPROVED, actor=actor, comment=comment)
    if approval.kind == "apply" and active_version().version == approval.base_version:
        approval_apply(approval_id=approval.id, actor=actor, base=approval.base_version)


def _void_because(approval: Approval) -> str:
    """Why nobody can approve this any more; empty when one can."""
    if altered(approval):
        return "what it proposes is not what was put before a person"
    if approval.kind != "apply":
        return ""
    change = ParameterChange.from_mission_json(approval.proposal)
    return factor_moved(change, base=active_version().version)


def altered(approval: Approval) -> bool:
    """Whether somebody changed the row past `approval_edit`: nothing unapproved rides along with an approval."""
    return hash_of(approval) != approval.content_hash


def approval_reject(*, approval_id: uuid.UUID, actor: Actor, comment: str) -> Approval:
    """Reject, with a reason. The experiment is closed as rejected."""
    if not comment.strip():
        raise InvalidInput("a rejection needs a reason", details={"field": "comment"})
    approval = _decidable(approval_id, actor)
    reason = f"rejected by {actor.label}: {comment}"
    with transaction.atomic():
        _move(approval, ApprovalStatus.PENDING, ApprovalStatus.REJECTED, actor=actor, comment=comment)
        experiment_transition(
            slug=approval.experiment.slug,
            target=ExperimentStatus.REJECTED,
            actor=actor,
            reason=reason,
            decision="refused:person",
            policy_version=policy_current().version,
            decision_reason=reason,
        )
        _journal(approval, "refused", reason)
    return approval_by_id(approval_id)


@transaction.atomic
def approval_apply(*, approval_id: uuid.UUID, actor: Actor, base: int) -> Approval:
    """Apply an approved change on top of version `base`, which must be the active one (`Conflict`). Raises what the
    Tuner raises, and `Conflict` when the row is not what was approved; nothing changes then."""
    chain_lock()
    approval = approval_by_id(approval_id)
    if altered(approval):
        raise Conflict("what this request proposes was altered after its approval")
    change = ParameterChange.from_mission_json(approval.proposal)
    applied = change_apply(
        proposal=ChangeProposal(
            changes=(change,),
            reason=approval.evidence.get("reason", "") or "approved",
            experiment=approval.experiment.slug,
            base_version=base,
            tested=True,
            evidence_at=ExperimentResult.objects.get(experiment_id=approval.experiment.slug).created_at,
            approval_id=approval.id,
            approved_by=approval.decided_by,
        ),
        actor=actor,
    )
    _move(approval, ApprovalStatus.APPROVED, ApprovalStatus.APPLIED, actor=actor)
    Approval.objects.filter(id=approval.id).update(
        applied_version=applied.version, outcome=f"applied as version {applied.version}"
    )
    reason = f"approved by {approval.decided_by}" + (f": {approval.comment}" if approval.comment else "")
    experiment_transition(
        slug=approval.experiment.slug,
        target=ExperimentStatus.APPLIED,
        actor=actor,
        reason=reason,
        decision="applied",
        policy_version=policy_current().version,
        decision_reason=f"applied as version {applied.version}: {reason}",
    )
    _journal(approval, "applied", f"{reason}; applied as version {applied.version}")
    tell_applied(approval.experiment, applied, reason=reason)
    return approval_by_id(approval_id)


@transaction.atomic
def approval_void(*, approval_id: uuid.UUID, actor: Actor, reason: str) -> Approval:
    """The approved thing no longer stands: say why, and close the experiment."""
    approval = approval_by_id(approval_id)
    _move(approval, ApprovalStatus(approval.status), ApprovalStatus.VOID, actor=actor)
    Approval.objects.filter(id=approval.id).update(outcome=reason)
    experiment_transition(
        slug=approval.experiment.slug,
        target=ExperimentStatus.REJECTED,
        actor=actor,
        reason=reason,
        decision="refused:void",
        policy_version=policy_current().version,
        decision_reason=reason,
    )
    _journal(approval, "refused", reason)
    return approval_by_id(approval_id)


def approvals_expire(*, actor: Actor) -> int:
    """Close what waited too long. Returns how many."""
    overdue = Approval.objects.filter(status=ApprovalStatus.PENDING, expires_at__lt=timezone.now())
    return sum(_expire(item, actor) for item in overdue.select_related("experiment", "campaign"))


def approvals_unfinished(*, after: timedelta = timedelta(minutes=2)) -> list[uuid.UUID]:
    """Changes that were approved longer ago than `after` and are neither applied nor void: their worker died."""
    left = Approval.objects.filter(kind="apply", status=ApprovalStatus.APPROVED, decided_at__lt=timezone.now() - after)
    return list(left.values_list("id", flat=True))


def _decidable(approval_id: uuid.UUID, actor: Actor) -> Approval:
    actor.require(Role.META_USER)
    approval = approval_by_id(approval_id)
    if approval.status == ApprovalStatus.PENDING and approval.expires_at < timezone.now():
        _expire(approval, actor)
        raise Conflict("this request has expired; the change must be tested again")
    return approval


@transaction.atomic
def _expire(approval: Approval, actor: Actor) -> bool:
    try:
        _move(approval, ApprovalStatus.PENDING, ApprovalStatus.EXPIRED, actor=actor)
    except DomainError:
        return False
    reason = f"nobody decided before {approval.expires_at:%Y-%m-%d}"
    experiment_transition(
        slug=approval.experiment.slug,
        target=ExperimentStatus.REJECTED,
        actor=actor,
        reason=reason,
        decision="refused:expired",
        policy_version=policy_current().version,
        decision_reason=reason,
    )
    _journal(approval, "refused", reason)
    tell_expired(approval)
    return True


def _move(
    approval: Approval, source: ApprovalStatus, target: ApprovalStatus, *, actor: Actor, comment: str | None = None
) -> None:
    """One compare-and-swap with its audit row; whoever comes second gets `Conflict`."""
    APPROVAL.check(source, target)
    chain_lock()  # before the row, as every writer of both
    values: dict[str, Any] = {"status": target}
    if target in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED):
        values |= {"decided_by": actor.label, "decided_at": timezone.now(), "comment": comment or ""}
    if Approval.objects.filter(id=approval.id, status=source).update(**values) != 1:
        now = Approval.objects.get(id=approval.id)
        raise Conflict(
            f"this request is {now.status} already" + (f", by {now.decided_by}" if now.decided_by else ""),
            details={"status": now.status},
        )
    approval_log(approval, f"approval.{target}", {"status": target}, actor, comment or "", before={"status": source})


def approval_log(
    approval: Approval,
    action: str,
    after: dict[str, Any],
    actor: Actor,
    reason: str,
    before: dict[str, Any] | None = None,
) -> None:
    entry_append(
        actor=actor,
        action=action,
        subject_type="approval",
        subject_id=str(approval.id),
        before=before,
        after={**after, **approval.proposal},
        reason=reason,
        experiment=approval.experiment.slug,
        campaign=str(approval.campaign_id),
        parameter=approval.experiment.factor,
    )


def _journal(approval: Approval, kind: str, reason: str) -> None:
    """Tell the journal, and the report where there is one already."""
    experiment = approval.experiment
    journal_write(
        campaign=approval.campaign,
        key=f"approval-{approval.id}-{kind}",
        kind=kind,
        text=f"{experiment.factor} {experiment.from_value} → {experiment.to_value} "
        + ("applied" if kind == "applied" else "refused"),
        reason=reason,
        cycle=experiment.cycle,
        experiment=experiment.slug,
    )
    if Report.objects.filter(campaign=approval.campaign).exists():
        report_write(campaign=Campaign.objects.select_related("goal").get(id=approval.campaign_id))
