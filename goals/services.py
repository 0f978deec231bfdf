"""Writes of goals and campaigns. Every change of state is a compare-and-swap with its audit row, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from audit.services import entry_append
from contracts.actor import Actor, Role
from contracts.goal import Autonomy, GoalTranslation
from goals.domain.lifecycle import CAMPAIGN_LIFECYCLE, ENDED, GOAL_LIFECYCLE, CampaignStatus, GoalStatus
from goals.models import Campaign, CampaignSpend, LearningGoal
from goals.selectors import campaign as campaign_get
from goals.selectors import goal as goal_get
from goals.translation.editing import translation_edits
from kernel.errors import Conflict, InvalidInput, RuleViolated

_NUMBERING = 0x5E1F_CA3B
"""Advisory lock that makes campaign numbers gapless: taken for the length of the insert only."""


@transaction.atomic
def goal_create(
    *,
    translation: GoalTranslation,
    actor: Actor,
    priority: int = 100,
    autonomy: Autonomy | None = None,
    understood: GoalTranslation | None = None,
) -> LearningGoal:
    """Keep what was understood of a sentence as a goal. `understood`: how it was read, before a person adjusted it
    to `translation`; the audit says what was edited.

    `autonomy` overrides what the sentence asks for; without either it is `semi_auto`. Raises `NotAuthorised` below
    meta-user, `RuleViolated` when the translation names conflicts or neither target nor constraint.
    """
    actor.require(Role.META_USER)
    if translation.conflicts:
        raise RuleViolated(
            "the goal contradicts itself: " + "; ".join(translation.conflicts),
            details={"conflicts": list(translation.conflicts)},
        )
    if not translation.targets and not translation.constraints:
        raise RuleViolated("a goal names a metric to move or a limit to keep", details={"field": "targets"})
    data = translation.model_dump(mode="json")
    goal = LearningGoal.objects.create(
        text=translation.text,
        language=translation.language,
        translation=data,
        targets=data["targets"],
        constraints=data["constraints"],
        allowed_impacts=data["allowed_impacts"],
        forbidden_impacts=data["forbidden_impacts"],
        autonomy=str(autonomy or translation.autonomy or Autonomy.SEMI_AUTO),
        budget=data["budget"],
        priority=priority,
        created_by=actor.label,
    )
    edited = translation_edits(understood, translation) if understood is not None else []
    told = {"text": goal.text, "targets": goal.targets, "constraints": goal.constraints, "autonomy": goal.autonomy}
    if understood is not None and edited:
        was, now = understood.model_dump(mode="json"), data
        told |= {"edited": {name: {"read": was[name], "wanted": now[name]} for name in edited}}
    entry_append(
        actor=actor,
        action="goal.create",
        subject_type="goal",
        subject_id=str(goal.pk),
        after=told,
        reason=f"edited by hand: {', '.join(edited)}" if edited else "",
    )
    return goal


@transaction.atomic
def goal_transition(*, goal_id: int, source: GoalStatus, target: GoalStatus, actor: Actor, reason: str) -> LearningGoal:
    """Move a goal along its lifecycle; the rules of `campaign_transition` hold."""
    actor.require(Role.META_USER)
    GOAL_LIFECYCLE.check(source, target)
    moved = LearningGoal.objects.filter(pk=goal_id, status=source).update(status=target, updated_at=timezone.now())
    goal = goal_get(goal_id)
    if moved != 1:
        raise Conflict(
            f"goal {goal_id} is {goal.status}, not {source}", details={"expected": str(source), "actual": goal.status}
        )
    entry_append(
        actor=actor,
        action=f"goal.{target}",
        subject_type="goal",
        subject_id=str(goal_id),
        before={"status": str(source)},
        after={"status": str(target)},
        reason=reason,
    )
    return goal


@transaction.atomic
def campaign_create(
    *,
    goal: LearningGoal,
    dataset: str,
    autonomy: Autonomy,
    max_cycles: int,
    dialogues_per_cycle: int,
    seed: int,
    actor: Actor,
) -> Campaign:
    """Plan a campaign for `goal`; nothing runs yet.

    Raises `NotAuthorised` below operator, `InvalidInput` for an empty dataset or a size below 1, `Conflict` when
    the goal is closed.
    """
    actor.require(Role.OPERATOR)
    if not dataset.strip():
        raise InvalidInput("a campaign needs a dataset", details={"field": "dataset"})
    for field, size in (("max_cycles", max_cycles), ("dialogues_per_cycle", dialogues_per_cycle)):
        if size < 1:
            raise InvalidInput(f"{field} is at least 1", details={"field": field, "value": size})
    if goal_get(goal.pk).status == GoalStatus.CLOSED:
        raise Conflict(f"goal {goal.pk} is closed", details={"goal": goal.pk})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERING])
    last = Campaign.objects.aggregate(last=Max("number"))["last"] or 0
    campaign = Campaign.objects.create(
        number=last + 1,
        goal=goal,
        dataset=dataset,
        autonomy=str(autonomy),
        max_cycles=max_cycles,
        dialogues_per_cycle=dialogues_per_cycle,
        seed=seed,
        created_by=actor.label,
    )
    entry_append(
        actor=actor,
        action="campaign.create",
        subject_type="campaign",
        subject_id=str(campaign.pk),
        after={"number": campaign.number, "goal": goal.pk, "dataset": dataset, "autonomy": str(autonomy)},
        campaign=str(campaign.pk),
    )
    return campaign


@transaction.atomic
def campaign_transition(
    *, campaign_id: UUID, source: CampaignStatus, target: CampaignStatus, actor: Actor, reason: str
) -> Campaign:
    """Move a campaign from `source` to `target`, once.

    1. The lifecycle must allow the step (`IllegalTransition`).
    2. One conditional UPDATE; of two callers at once one wins, the other gets `Conflict` with the actual state.
    3. The audit row is written in the same transaction.
    """
    actor.require(Role.OPERATOR)
    CAMPAIGN_LIFECYCLE.check(source, target)
    now = timezone.now()
    values: dict[str, Any] = {"status": target, "updated_at": now}
    values["finished_at"] = now if target in ENDED else None
    values["end_reason"] = reason if target in ENDED else ""
    if source == CampaignStatus.PLANNED and target == CampaignStatus.RUNNING:
        values["started_at"] = now
    moved = Campaign.objects.filter(pk=campaign_id, status=source).update(**values)
    campaign = campaign_get(campaign_id)
    if moved != 1:
        raise Conflict(
            f"campaign {campaign.number} is {campaign.status}, not {source}",
            details={"campaign": str(campaign_id), "expected": str(source), "actual": campaign.status},
        )
    entry_append(
        actor=actor,
        action=f"campaign.{target}",
        subject_type="campaign",
        subject_id=str(campaign_id),
        before={"status": str(source)},
        after={"status": str(target)},
        reason=reason,
        campaign=str(campaign_id),
    )
    return campaign


def campaign_start(*, campaign_id: UUID, actor: Actor, reason: str = "") -> Campaign:
    """Planned → running."""
    return campaign_transition(
        campaign_id=campaign_id,
        source=CampaignStatus.PLANNED,
        target=CampaignStatus.RUNNING,
        actor=actor,
        reason=reason,
    )


def campaign_pause(*, campaign_id: UUID, actor: Actor, reason: str) -> Campaign:
    """Running → paused."""
    return campaign_transition(
        campaign_id=campaign_id, source=CampaignStatus.RUNNING, target=CampaignStatus.PAUSED, actor=actor, reason=reason
    )


def campaign_resume(*, campaign_id: UUID, actor: Actor, reason: str = "") -> Campaign:
    """Paused or failed → running."""
    return _from_where_it_is(campaign_id=campaign_id, target=CampaignStatus.RUNNING, actor=actor, reason=reason)


def campaign_stop(*, campaign_id: UUID, actor: Actor, reason: str) -> Campaign:
    """Planned, running, paused or failed → stopped, for good."""
    return _from_where_it_is(campaign_id=campaign_id, target=CampaignStatus.STOPPED, actor=actor, reason=reason)


@transaction.atomic
def campaign_finish(
    *,
    campaign_id: UUID,
    actor: Actor,
    reason: str,
    status: CampaignStatus = CampaignStatus.COMPLETED,
    metrics_after: Mapping[str, Any] | None = None,
    golden_after: Mapping[str, Any] | None = None,
    end_version: int | None = None,
) -> Campaign:
    """End a campaign as `completed` (or `failed`, `stopped`) with what it came to, and why it ended."""
    if status not in ENDED:
        raise InvalidInput(f"a campaign does not finish as {status}", details={"field": "status"})
    campaign_record(
        campaign_id=campaign_id, metrics_after=metrics_after, golden_after=golden_after, end_version=end_version
    )
    return _from_where_it_is(campaign_id=campaign_id, target=status, actor=actor, reason=reason)


def campaign_record(
    *,
    campaign_id: UUID,
    metrics_before: Mapping[str, Any] | None = None,
    golden_before: Mapping[str, Any] | None = None,
    metrics_after: Mapping[str, Any] | None = None,
    golden_after: Mapping[str, Any] | None = None,
    start_version: int | None = None,
    end_version: int | None = None,
) -> None:
    """Keep measurements of a campaign; what is None stays as it is. Repeating it changes nothing."""
    given = {
        "metrics_before": None if metrics_before is None else dict(metrics_before),
        "golden_before": None if golden_before is None else dict(golden_before),
        "metrics_after": None if metrics_after is None else dict(metrics_after),
        "golden_after": None if golden_after is None else dict(golden_after),
        "start_version": start_version,
        "end_version": end_version,
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if values:
        Campaign.objects.filter(pk=campaign_id).update(updated_at=timezone.now(), **values)


@dataclass(frozen=True, slots=True)
class Spend:
    """What one run, or judging one batch, took. `what` names it: `run:<uuid>`, `judge:<batch>`."""

    what: str
    tokens: int
    cost_usd: Decimal


@transaction.atomic
def campaign_spend_record(*, campaign_id: UUID, spends: Sequence[Spend]) -> Campaign:
    """Count what was paid, each thing once: a run stays as it is, judging a batch is renewed by its latest sum.

    Told twice, or by two workers at once, it counts the same. Whoever paid first has it on the bill. Raises
    `InvalidInput` for a negative amount.
    """
    if any(item.tokens < 0 or item.cost_usd < 0 for item in spends):
        raise InvalidInput("usage is never negative", details={"field": "spends"})
    rows = [
        CampaignSpend(campaign_id=campaign_id, what=item.what, tokens=item.tokens, cost_usd=item.cost_usd)
        for item in sorted({item.what: item for item in spends}.values(), key=lambda item: item.what)
    ]
    CampaignSpend.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["what"], update_fields=["tokens", "cost_usd"]
    )
    paid = CampaignSpend.objects.filter(campaign_id=campaign_id).aggregate(tokens=Sum("tokens"), usd=Sum("cost_usd"))
    Campaign.objects.filter(pk=campaign_id).update(
        tokens=paid["tokens"] or 0, cost_usd=paid["usd"] or 0, updated_at=timezone.now()
    )
    return campaign_get(campaign_id)


def _from_where_it_is(*, campaign_id: UUID, target: CampaignStatus, actor: Actor, reason: str) -> Campaign:
    """The state is read first only to name the source; the compare-and-swap still decides who wins."""
    source = CampaignStatus(campaign_get(campaign_id).status)
    return campaign_transition(campaign_id=campaign_id, source=source, target=target, actor=actor, reason=reason)
