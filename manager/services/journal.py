"""The journal of a campaign: what was decided and why, one sentence each."""

from __future__ import annotations

from typing import Any

from goals.models import Campaign
from manager.models import JournalEntry
from manager.services.policy import policy_current


def journal_write(
    *,
    campaign: Campaign,
    key: str,
    kind: str,
    text: str,
    reason: str = "",
    cycle: int | None = None,
    experiment: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Write one entry under the policy in force; the same key again changes nothing, so a step that is repeated tells
    its story once."""
    JournalEntry.objects.get_or_create(
        campaign=campaign,
        key=key,
        defaults={
            "cycle_number": cycle,
            "kind": kind,
            "text": text,
            "reason": reason,
            "experiment": experiment,
            "data": data or {},
            "policy_version": policy_current().version,
        },
    )
