"""An incident is open, may be acknowledged, and is resolved in the end."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class IncidentStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


INCIDENT = Lifecycle(
    "incident",
    {
        IncidentStatus.OPEN: frozenset({IncidentStatus.ACKNOWLEDGED, IncidentStatus.RESOLVED}),
        IncidentStatus.ACKNOWLEDGED: frozenset({IncidentStatus.RESOLVED}),
    },
)
