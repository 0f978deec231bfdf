"""How much the system has changed by itself within a day."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from audit.models import AuditEntry
from manager.services.policy import policy_current

DAY = timedelta(hours=24)


def changes_by_itself() -> int:
    """Versions that the system made active within the last 24 hours without a person's approval."""
    rows = AuditEntry.objects.filter(
        action="parameters.activated", actor_kind="component", at__gte=timezone.now() - DAY
    ).exclude(after__has_key="approved_by")
    return rows.values("subject_id").distinct().count()


def enough_today() -> str:
    """Why a person decides on the next change, whatever it is; empty while the day's limit is not reached."""
    most, done = policy_current().changes_per_day, changes_by_itself()
    if done < most:
        return ""
    return f"{done} changes were applied without a person within 24 hours, and the policy allows {most}"
