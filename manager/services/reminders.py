"""Reminding people of decisions that wait."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from manager.services.telling import tell_reminder

AGAIN = timedelta(hours=24)


def approvals_remind(*, now: datetime | None = None) -> int:
    """Remind of each request that has waited for the policy's hours, then once a day until it is decided or expires.
    Returns how many. With 0 hours nobody is reminded.

    Compare-and-swap: of two workers at once one reminds. Journal and notification stand in the same transaction.
    """
    hours = policy_current().approval_remind_hours
    if not hours:
        return 0
    now = now or timezone.now()
    due = Q(reminded_at__isnull=True, created_at__lte=now - timedelta(hours=hours)) | Q(reminded_at__lte=now - AGAIN)
    waiting = Approval.objects.filter(due, status=ApprovalStatus.PENDING, expires_at__gt=now)
    rows = waiting.select_related("experiment", "campaign").order_by("created_at")
    return sum(_remind(approval, now) for approval in rows)


@transaction.atomic
def _remind(approval: Approval, now: datetime) -> bool:
    held = Approval.objects.filter(
        id=approval.id, status=ApprovalStatus.PENDING, reminded_at=approval.reminded_at
    )  # a NULL compares as IS NULL
    if held.update(reminded_at=now, reminders=F("reminders") + 1) != 1:
        return False
    number, experiment = approval.reminders + 1, approval.experiment
    journal_write(
        campaign=approval.campaign,
        key=f"approval-{approval.id}-reminder-{number}",
        kind="reminder",
        text=f"{experiment.factor} {experiment.from_value} → {experiment.to_value} still waits for a person",
        reason=f"nobody has decided since {approval.created_at:%Y-%m-%d %H:%M} UTC; it expires on "
        f"{approval.expires_at:%Y-%m-%d}",
        cycle=experiment.cycle,
        experiment=experiment.slug,
    )
    tell_reminder(approval, number=number)
    return True
