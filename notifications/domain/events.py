"""What can be told, and how severe it is."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Event(StrEnum):
    """Names that receivers rely on: they stand in the `type` of a webhook."""

    INCIDENT_OPENED = "incident.opened"
    VERSION_ROLLED_BACK = "version.rolled_back"
    CHANGE_APPLIED = "change.applied"
    APPROVAL_WAITING = "approval.waiting"
    APPROVAL_REMINDER = "approval.reminder"
    APPROVAL_EXPIRED = "approval.expired"
    GOLDEN_REFUSED = "golden.refused"
    CAMPAIGN_FINISHED = "campaign.finished"
    CAMPAIGN_OVER_BUDGET = "campaign.over_budget"
    CAMPAIGN_FAILED = "campaign.failed"
    TEST = "test"


CHOSEN = tuple(event for event in Event if event is not Event.TEST)
"""What a channel may choose among; a test message is sent to the one channel that is tested."""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def wanted(*, event: Event, severity: Severity, events: Collection[str], at_least: Severity) -> bool:
    """Whether a channel with these choices is told. No events chosen means all of them."""
    return (not events or event in events) and _RANK[severity] >= _RANK[at_least]
