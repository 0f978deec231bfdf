"""From a sentence to a campaign; launch, pause, resume, stop."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from audit.services import chain_lock
from contracts.actor import Actor, Role
from contracts.goal import Autonomy, GoalTranslation
from contracts.metric import METRICS
from experiments.selectors import dataset_by_name, split_sizes
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.selectors import campaign as campaign_get
from goals.services import campaign_create, campaign_pause, campaign_resume, campaign_start, campaign_stop, goal_create
from goals.translation import translate
from goals.translation.understanding import understand, without_model
from hypotheses.services import hypotheses_outdate
from kernel.canonical import derive_seed
from kernel.errors import DomainError, InvalidInput, RuleViolated
from llm.factory import get_chat_model
from manager.domain.lifecycle import WORKING, CycleState
from manager.domain.policy import cycles_problem
from manager.models import Cycle
from manager.services.experiment_closing import experiments_close
from manager.services.policy import policy_current
from manager.services.telling import tell_ended
from manager.services.turns import campaign_refuse_contradiction
from tuner.registry import FACTORS

CYCLES, DIALOGUES = 10, 30
"""Defaults of reference.md: at most 10 cycles, 30 dialogues a cycle."""

PRIORITY = 100
"""Of a goal that names none; smaller comes first."""
_MOST = {"cycles": 1_000, "dialogues": 100_000, "seed": 2**63 - 1, "priority": 1_000}
_LEAST = {"cycles": 1, "dialogues": 1, "seed": 0, "priority": 1}

ADVANCE_TASK = "manager.tasks.campaign_step"


@dataclass(frozen=True, slots=True)
class CampaignWish:
    """What a campaign needs besides its goal. None: the goal's own value, else the default.

    Raises `InvalidInput` for a number that no campaign can have, zero included: it is not the default.
    """

    dataset: str
    autonomy: Autonomy | None = None
    cycles: int | None = None
    dialogues: int | None = None
    seed: int | None = None
    priority: int | None = None

    def __post_init__(self) -> None:
        for field, least in _LEAST.items():
            value = getattr(self, field)
            if value is not None and not least <= value <= _MOST[field]:
                raise InvalidInput(f"{field} is from {least} to {_MOST[field]}, not {value}", details={"field": field})


def goal_understand(text: str) -> GoalTranslation:
    """What the Manager understands of a sentence; changes nothing. Raises `InvalidInput`.

    A model is asked for what rules cannot read, where the settings name one; the offline engine reads no goals.
    """
    try:
        model = get_chat_model()
    except DomainError as error:
        return without_model(translate(text, metrics=METRICS, factors=FACTORS), error)
    return understand(text, metrics=METRICS, factors=FACTORS, model=None if model.is_offline else model)


def goal_refuse_contradiction(translation: GoalTranslation) -> None:
    """Raise `RuleViolated` before anything is prepared for a goal that cannot be stored."""
    if translation.conflicts:
        raise RuleViolated(
            f"the goal contradicts itself: {'; '.join(translation.conflicts)}",
            details={"conflicts": list(translation.conflicts)},
        )


@transaction.atomic
def campaign_plan(
    *, translation: GoalTranslation, wish: CampaignWish, actor: Actor, understood: GoalTranslation | None = None
) -> Campaign:
    """Goal and campaign, stored; nothing runs yet. `understood`: the translation before a person adjusted it.

    Raises `NotFound` for an unknown data set, `RuleViolated` for a goal that contradicts itself or that asks for more
    cycles than the policy allows.
    """
    dataset_by_name(wish.dataset)
    cycles, most = wish.cycles or translation.budget.cycles, policy_current().most_cycles
    if problem := cycles_problem(cycles or 1, most):
        raise RuleViolated(problem, details={"field": "cycles", "most": most})
    goal = goal_create(
        translation=translation,
        actor=actor,
        autonomy=wish.autonomy,
        priority=wish.priority or PRIORITY,
        understood=understood,
    )
    seed = wish.seed if wish.seed is not None else derive_seed("campaign", goal.pk) % 1_000_000
    return campaign_create(
        goal=goal,
        dataset=wish.dataset,
        autonomy=Autonomy(goal.autonomy),
        max_cycles=cycles or min(CYCLES, most),
        dialogues_per_cycle=wish.dialogues or DIALOGUES,
        seed=seed,
        actor=actor,
    )


def dataset_refuse_empty(dataset: str) -> None:
    """A campaign needs questions to decide on, and golden ones to gate with. Raises `InvalidInput`."""
    sizes = split_sizes(dataset=dataset)
    empty = [name for name in ("validation", "golden") if not sizes[name]]
    if empty:
        raise InvalidInput(
            f"the data set {dataset!r} has no {' and no '.join(empty)} questions: learning needs both",
            details={"field": "dataset"},
        )


@transaction.atomic
def campaign_begin(*, translation: GoalTranslation, wish: CampaignWish, actor: Actor) -> Campaign:
    """Plan and launch in the foreground, both or neither: what is refused leaves nothing behind.

    Raises what both raise, and `InvalidInput` for a data set without the questions that learning needs.
    """
    dataset_by_name(wish.dataset)
    dataset_refuse_empty(wish.dataset)
    campaign = campaign_plan(translation=translation, wish=wish, actor=actor)
    return campaign_launch(campaign_id=campaign.id, actor=actor, background=False)


def campaign_unfinished(*, text: str, dataset: str) -> Campaign | None:
    """The campaign with this goal on this data set that began and did not end. A killed worker's lease on it may
    still run: whoever goes on with it waits for that."""
    begun = Campaign.objects.filter(
        goal__text=text, dataset=dataset, status__in=[CampaignStatus.RUNNING, CampaignStatus.FAILED]
    )
    return begun.order_by("-number").first()


def campaign_launch(*, campaign_id: uuid.UUID, actor: Actor, background: bool = True) -> Campaign:
    """Start a planned campaign beside those that run; in the background a worker takes it on.

    Raises `Conflict`, naming the other goal, when one that runs or is paused wants the opposite.
    """
    with transaction.atomic():
        chain_lock()  # of two launches at once the second sees the first
        campaign_refuse_contradiction(campaign_get(campaign_id))
        campaign = campaign_start(campaign_id=campaign_id, actor=actor)
        if background:
            transaction.on_commit(lambda: campaign_enqueue(campaign_id=campaign_id))
    return campaign


def campaign_enqueue(*, campaign_id: uuid.UUID) -> None:
    """Ask a worker to advance the campaign. Asked twice is harmless: the lease lets one of them work."""
    async_task(ADVANCE_TASK, str(campaign_id), task_name=f"campaign {campaign_id}")


@transaction.atomic
def campaign_hold(*, campaign_id: uuid.UUID, actor: Actor, reason: str) -> Campaign:
    """Pause: the step at hand ends, the next one does not begin. A cycle that a worker is at is shown as paused once
    its step has ended (`cycle_rest`)."""
    chain_lock()  # a step that commits takes the change log's lock before the campaign's row; so does this
    campaign = campaign_pause(campaign_id=campaign_id, actor=actor, reason=reason)
    for cycle in campaign.cycles.filter(finished_at__isnull=True).exclude(lease_until__gt=timezone.now()):
        cycle_rest(cycle=cycle)
    return campaign


def cycle_rest(*, cycle: Cycle) -> None:
    """Show an open cycle of a paused campaign as paused; it goes on where it was."""
    Cycle.objects.filter(
        id=cycle.id, state__in=WORKING, finished_at__isnull=True, campaign__status=CampaignStatus.PAUSED
    ).update(state=CycleState.PAUSED, resume_state=F("state"))


@transaction.atomic
def campaign_go_on(*, campaign_id: uuid.UUID, actor: Actor, background: bool = True) -> Campaign:
    """Resume a paused or failed campaign from its last committed step."""
    chain_lock()
    campaign_refuse_contradiction(campaign_get(campaign_id))
    campaign = campaign_resume(campaign_id=campaign_id, actor=actor)
    if background:
        transaction.on_commit(lambda: campaign_enqueue(campaign_id=campaign_id))
    return campaign


@transaction.atomic
def campaign_end(*, campaign_id: uuid.UUID, actor: Actor, reason: str) -> Campaign:
    """Stop for good; what was applied stays, and can be rolled back.

    Experiments that have not run to their end are closed, for a running one keeps its factor from all others. What was
    tested and waits for a person goes on waiting.
    """
    actor.require(Role.OPERATOR)
    chain_lock()
    campaign = campaign_stop(campaign_id=campaign_id, actor=actor, reason=reason)
    experiments_close(campaign=campaign, actor=actor, reason=f"the campaign was stopped: {reason}", by="stopped")
    hypotheses_outdate(campaign=campaign, active=None, actor=actor)
    tell_ended(campaign, reason=f"stopped by {actor.label}: {reason}")
    Cycle.objects.filter(campaign=campaign, finished_at__isnull=True).update(
        state=CycleState.IDLE, outcome="stopped", outcome_text=reason, finished_at=campaign.finished_at
    )
    return campaign


def campaigns_unattended() -> list[uuid.UUID]:
    """Running campaigns that no worker is at work on: their worker died, or their task was lost."""
    held = Cycle.objects.filter(finished_at__isnull=True, lease_until__gt=timezone.now()).values("campaign_id")
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING).exclude(id__in=held)
    return list(running.values_list("id", flat=True))


def campaigns_held() -> list[uuid.UUID]:
    """Running campaigns whose experiment waits for its turn, the most urgent first."""
    waiting = Cycle.objects.filter(
        finished_at__isnull=True,
        state=CycleState.TUNING,
        progress__label__startswith="waits for its turn",
        campaign__status=CampaignStatus.RUNNING,
    ).exclude(lease_until__gt=timezone.now())
    return list(waiting.order_by("campaign__goal__priority", "campaign__number").values_list("campaign_id", flat=True))


def parallel() -> int:
    return int(getattr(settings, "MANAGER_PARALLEL", 2))
