"""What the Manager writes into the outbox of notifications, in the transaction of what happened."""

from __future__ import annotations

import uuid
from typing import Any

from contracts.actor import Actor
from contracts.change import AppliedChange
from experiments.models import Experiment
from goals.domain.budget import is_budget_spent
from goals.models import Campaign
from manager.models import Approval
from notifications.domain.events import Event, Severity
from notifications.services.outbox import notice_write


def tell_waiting(approval: Approval) -> None:
    _of_approval(Event.APPROVAL_WAITING, Severity.INFO, approval, key=f"approval-{approval.id}")


def tell_reminder(approval: Approval, *, number: int) -> None:
    _of_approval(Event.APPROVAL_REMINDER, Severity.WARNING, approval, key=f"approval-{approval.id}-reminder-{number}")


def tell_expired(approval: Approval) -> None:
    _of_approval(Event.APPROVAL_EXPIRED, Severity.WARNING, approval, key=f"approval-{approval.id}-expired")


def tell_applied(experiment: Experiment, applied: AppliedChange, *, reason: str) -> None:
    facts = {**_step(experiment), "version": applied.version, "reason": reason}
    notice_write(
        event=Event.CHANGE_APPLIED,
        severity=Severity.INFO,
        subject=f"experiment:{experiment.slug}",
        facts=facts,
        key=f"applied-{experiment.slug}-{applied.version}",
    )


def tell_rolled_back(change: AppliedChange, *, reason: str, actor: Actor) -> None:
    notice_write(
        event=Event.VERSION_ROLLED_BACK,
        severity=Severity.WARNING if actor.kind == "component" else Severity.INFO,
        subject=f"version:{change.previous_version}",
        facts={"version": change.previous_version, "active": change.version, "reason": reason, "by": actor.label},
    )


def tell_golden_refused(experiment: Experiment, *, reason: str) -> None:
    notice_write(
        event=Event.GOLDEN_REFUSED,
        severity=Severity.INFO,
        subject=f"experiment:{experiment.slug}",
        facts={**_step(experiment), "reason": reason},
        key=f"golden-{experiment.slug}",
    )


def tell_ended(campaign: Campaign, *, reason: str) -> None:
    spent = is_budget_spent(reason)
    _of_campaign(
        Event.CAMPAIGN_OVER_BUDGET if spent else Event.CAMPAIGN_FINISHED,
        Severity.WARNING if spent else Severity.INFO,
        campaign,
        reason,
        key=f"campaign-{campaign.id}-ended",
    )


def tell_failed(campaign: Campaign, *, reason: str) -> None:
    """Each time that it fails: a person lets it go on in between."""
    _of_campaign(Event.CAMPAIGN_FAILED, Severity.CRITICAL, campaign, reason, key=f"failed-{uuid.uuid4()}")


def _of_approval(event: Event, severity: Severity, approval: Approval, *, key: str) -> None:
    notice_write(
        event=event,
        severity=severity,
        subject=f"approval:{approval.id}",
        facts={
            **_step(approval.experiment),
            "kind": approval.kind,
            "reasons": list(approval.reasons),
            "since": approval.created_at.isoformat(),
            "until": approval.expires_at.isoformat(),
            "experiment": approval.experiment.slug,
        },
        key=key,
    )


def _of_campaign(event: Event, severity: Severity, campaign: Campaign, reason: str, *, key: str) -> None:
    facts = {"number": campaign.number, "goal": campaign.goal.text, "reason": reason}
    notice_write(event=event, severity=severity, subject=f"campaign:{campaign.number}", facts=facts, key=key)


def _step(experiment: Experiment) -> dict[str, Any]:
    return {"param": experiment.factor, "from": experiment.from_value, "to": experiment.to_value}
