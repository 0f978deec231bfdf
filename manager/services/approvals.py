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
from experiments.models import Experiment, ExperimentResult
from experiments.services import experiment_transition
from goals.models import Campaign
from kernel.errors import Conflict, DomainError, InvalidInput, NotAuthorised, NotFound, RuleViolated
from manager.domain.lifecycle import APPROVAL, ApprovalStatus
from manager.models import Approval, Report
from manager.reports.content import report_write
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from tuner.selectors import active_version
from tuner.services import change_apply


def approval_by_id(approval_id: uuid.UUID) -> Approval:
    found = Approval.objects.select_related("experiment", "campaign", "campaign__goal").filter(id=approval_id).first()
    if found is None:
        raise NotFound(f"there is no approval {approval_id}")
    return found


def approval_request(
    *, experiment: Experiment, kind: str, reasons: list[str], evidence: dict[str, Any], proposed_by: str
) -> Approval:
    """Put a decision before the meta-user. Asking twice for the same finds the first request."""
    if experiment.campaign is None:
        raise InvalidInput("an experiment without a campaign has nobody to ask")
    change = ParameterChange(param=experiment.factor, from_value=experiment.from_value, to_value=experiment.to_value)
    approval, _ = Approval.objects.get_or_create(
        experiment=experiment,
        kind=kind,
        defaults={
            "campaign": experiment.campaign,
            "proposal": change.to_mission_json(),
            "reasons": reasons,
            "evidence": evidence,
            "base_version": experiment.base_version,
            "proposed_by": proposed_by,
            "expires_at": timezone.now() + timedelta(days=policy_current().approval_days),
        },
    )
    return approval


def approval_approve(*, approval_id: uuid.UUID, actor: Actor, comment: str = "") -> Approval:
    """Approve. A change whose base is still active is applied at once; the caller looks at `status`.

    1. Only a meta-user may, and under four eyes neither who set the goal nor who proposed the change
    (`NotAuthorised`). 2. Past its expiry it expires (`Conflict`). 3. Compare-and-swap from pending: of two people at
    once the second gets `Conflict`.
    4. The base version is still active → applied in the same transaction. Another version is active → it stays
    approved, and `manager.services.rechecks.approval_recheck` looks at the golden set anew before applying.
    What the Tuner refuses leaves the request pending and is in the change log.
    """
    approval = _decidable(approval_id, actor)
    own = {approval.campaign.goal.created_by: "set the goal", approval.proposed_by: "proposed the change"}
    if actor.label in own and policy_current().four_eyes:
        raise NotAuthorised(f"four eyes: whoever {own[actor.label]} may not be the one to approve it")
    try:
        with transaction.atomic():
            _move(approval, ApprovalStatus.PENDING, ApprovalStatus.APPROVED, actor=actor, comment=comment)
            if approval.kind == "apply" and active_version().version == approval.base_version:
                approval_apply(approval_id=approval_id, actor=actor, base=approval.base_version)
    except RuleViolated as error:
        # The Tuner's own record of its refusal went with the transaction.
        _log(approval, "approval.refused", {"code": error.code, "message": error.message}, actor, comment)
        raise
    return approval_by_id(approval_id)


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
            decision_reason=reason,
        )
        _journal(approval, "refused", reason)
    return approval_by_id(approval_id)


@transaction.atomic
def approval_apply(*, approval_id: uuid.UUID, actor: Actor, base: int) -> Approval:
    """Apply an approved change on top of version `base`, which must be the active one (`Conflict`). Raises what the
    Tuner raises; nothing changes then."""
    approval = approval_by_id(approval_id)
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
        decision_reason=f"applied as version {applied.version}: {reason}",
    )
    _journal(approval, "applied", f"{reason}; applied as version {applied.version}")
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
        decision_reason=reason,
    )
    _journal(approval, "refused", reason)
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
    _log(approval, f"approval.{target}", {"status": target}, actor, comment or "", before={"status": source})


def _log(
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
