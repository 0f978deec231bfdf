"""Which state of a goal and of a campaign may follow which."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class GoalStatus(StrEnum):
    ACTIVE = "active"
    ACHIEVED = "achieved"
    CLOSED = "closed"


GOAL_LIFECYCLE = Lifecycle(
    "a goal",
    {
        GoalStatus.ACTIVE: frozenset({GoalStatus.ACHIEVED, GoalStatus.CLOSED}),
        # What was reached can be lost again: the goal is then worked on anew.
        GoalStatus.ACHIEVED: frozenset({GoalStatus.ACTIVE, GoalStatus.CLOSED}),
    },
)


class CampaignStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


CAMPAIGN_LIFECYCLE = Lifecycle(
    "a campaign",
    {
        CampaignStatus.PLANNED: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED, CampaignStatus.FAILED}),
        CampaignStatus.RUNNING: frozenset(
            {CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.STOPPED, CampaignStatus.FAILED}
        ),
        CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED, CampaignStatus.FAILED}),
        # A failure is not the end: after its cause is mended the campaign goes on from its last committed step.
        CampaignStatus.FAILED: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED}),
    },
)

ENDED = frozenset({CampaignStatus.COMPLETED, CampaignStatus.STOPPED, CampaignStatus.FAILED})
"""A campaign in one of these has `finished_at`, all others have none; the database checks it."""
