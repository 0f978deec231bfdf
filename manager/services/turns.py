"""Several campaigns at once: which goals may run side by side, and whose experiment comes next."""

from __future__ import annotations

from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from goals.domain.contradictions import contradictions
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.selectors import goal_constraints, goal_targets
from kernel.errors import Conflict
from manager.domain.lifecycle import CycleState
from manager.models import Cycle
from manager.services.policy import policy_current

_BESIDE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
"""A paused campaign goes on later: what contradicts it would then run beside it."""


def named(campaign: Campaign) -> str:
    return f"campaign {campaign.number} (“{campaign.goal.text}”)"


def campaign_refuse_contradiction(campaign: Campaign) -> None:
    """Raises `Conflict` when another campaign that runs or is paused wants the opposite, or one that runs the same."""
    others = Campaign.objects.select_related("goal").filter(status__in=_BESIDE).exclude(pk=campaign.pk)
    for other in others.order_by("goal__priority", "number"):
        reasons = contradictions(
            goal_targets(campaign.goal),
            goal_constraints(campaign.goal),
            goal_targets(other.goal),
            goal_constraints(other.goal),
        )
        if not reasons and other.status == CampaignStatus.RUNNING and _same(campaign, other):
            reasons = [f"it pursues the same targets on {other.dataset}"]
        if reasons:
            raise Conflict(
                f"it cannot run beside {named(other)}: {'; '.join(reasons)}. Stop that one, or change a goal",
                details={"campaign": str(other.pk), "number": other.number, "goal": other.goal_id, "reasons": reasons},
            )


def _same(one: Campaign, other: Campaign) -> bool:
    return one.dataset == other.dataset and one.goal.targets == other.goal.targets


def factors_elsewhere(campaign: Campaign) -> dict[str, str]:
    """Factors that another experiment is testing now, and whose it is: a parameter is under one test at a time."""
    running = Experiment.objects.filter(status=ExperimentStatus.RUNNING).exclude(campaign=campaign)
    return {
        item.factor: named(item.campaign) if item.campaign is not None else f"the experiment {item.slug}"
        for item in running.select_related("campaign__goal")
    }


def waits_for(experiment: Experiment, campaign: Campaign) -> str:
    """Why this experiment does not start yet, naming whom it waits for; empty when it is its turn.

    As many experiments run as the policy allows; those of paused campaigns do not count. Among those that wait the goal
    with the smaller priority number comes first, then the older campaign.
    """
    most = policy_current().max_parallel_experiments
    running = (
        Experiment.objects.filter(status=ExperimentStatus.RUNNING, campaign__status=CampaignStatus.RUNNING)
        .exclude(campaign=campaign)
        .select_related("campaign__goal")
        .order_by("campaign__number")
    )
    first = [item.campaign for item in running if item.campaign is not None]
    ahead = [other for other in _waiting(experiment) if _before(other, campaign)]
    if len(first) + len(ahead) < most:
        return ""
    names = ", ".join(named(item) for item in [*first, *ahead])
    return f"{most} experiment{'s' if most > 1 else ''} at once: {names} comes first"


def _before(one: Campaign, other: Campaign) -> bool:
    return (one.goal.priority, one.number) < (other.goal.priority, other.number)


def _waiting(experiment: Experiment) -> list[Campaign]:
    """Other running campaigns whose planned experiment is the next thing that they do."""
    cycles = Cycle.objects.filter(
        state=CycleState.TUNING, finished_at__isnull=True, campaign__status=CampaignStatus.RUNNING
    ).exclude(campaign=experiment.campaign)
    planned = {str(cycle.data.get("experiment")): cycle.campaign for cycle in cycles.select_related("campaign__goal")}
    open_ones = Experiment.objects.filter(slug__in=planned, status=ExperimentStatus.PLANNED).order_by("slug")
    return [planned[slug] for slug in open_ones.values_list("slug", flat=True)]
