"""Reads of goals and campaigns."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Avg, QuerySet

from contracts.goal import Budget, Constraint, Target
from goals.domain.budget import Taken
from goals.domain.lifecycle import CampaignStatus, GoalStatus
from goals.models import Campaign, CampaignSpend, LearningGoal
from kernel.errors import NotFound


def goal(goal_id: int) -> LearningGoal:
    """Raises `NotFound`."""
    found = LearningGoal.objects.filter(pk=goal_id).first()
    if found is None:
        raise NotFound(f"there is no goal {goal_id}", details={"goal": goal_id})
    return found


def active_goals() -> QuerySet[LearningGoal]:
    """Goals that are worked on, most urgent first."""
    return LearningGoal.objects.filter(status=GoalStatus.ACTIVE).order_by("priority", "id")


def goal_targets(goal: LearningGoal) -> tuple[Target, ...]:
    """The formal targets in order of priority."""
    return tuple(Target.model_validate(item) for item in goal.targets)


def goal_constraints(goal: LearningGoal) -> tuple[Constraint, ...]:
    return tuple(Constraint.model_validate(item) for item in goal.constraints)


def goal_budget(goal: LearningGoal) -> Budget:
    return Budget.model_validate(goal.budget)


def campaign(campaign_id: UUID | str) -> Campaign:
    """By uuid, or by its readable number given as text. Raises `NotFound`."""
    campaigns = Campaign.objects.select_related("goal")
    text = str(campaign_id)
    if text.isdecimal() and len(text) < 10:
        found = campaigns.filter(number=int(text)).first()
    else:
        try:
            found = campaigns.filter(pk=UUID(text)).first()
        except ValueError:
            found = None
    if found is None:
        raise NotFound(f"there is no campaign {text}", details={"campaign": text})
    return found


def campaigns(*, status: CampaignStatus | None = None, goal_id: int | None = None) -> QuerySet[Campaign]:
    """Campaigns with their goals, newest first."""
    found = Campaign.objects.select_related("goal").order_by("-number")
    if status is not None:
        found = found.filter(status=status)
    if goal_id is not None:
        found = found.filter(goal_id=goal_id)
    return found


def running_campaigns() -> QuerySet[Campaign]:
    """What is being worked on now, in order of the goals' priority."""
    return (
        Campaign.objects.select_related("goal")
        .filter(status=CampaignStatus.RUNNING)
        .order_by("goal__priority", "number")
    )


def campaign_taken(campaign: Campaign) -> Taken:
    """What it took so far, as counted."""
    return Taken(tokens=campaign.tokens, usd=float(campaign.cost_usd), began=campaign.started_at)


def run_typical(campaign: Campaign) -> Taken | None:
    """What a run of this campaign took on average, or of any other while it has none; None: nothing is known."""
    runs = CampaignSpend.objects.filter(what__startswith="run:")
    for rows in (runs.filter(campaign=campaign), runs.order_by("-id")[:1000]):
        found = rows.aggregate(tokens=Avg("tokens"), usd=Avg("cost_usd"))
        if found["tokens"] is not None:
            return Taken(tokens=round(found["tokens"]), usd=float(found["usd"]))
    return None


def runs_unbilled(*, run_ids: Collection[UUID]) -> set[UUID]:
    """Those of these runs that no campaign has on its bill."""
    billed = CampaignSpend.objects.filter(what__in=[f"run:{run_id}" for run_id in run_ids])
    return set(run_ids) - {UUID(what.removeprefix("run:")) for what in billed.values_list("what", flat=True)}
