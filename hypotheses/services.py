"""Writes of hypotheses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, TextField, Value
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from contracts.parameters import ParameterValue
from goals.models import Campaign
from hypotheses.domain.lifecycle import HYPOTHESIS_LIFECYCLE, RESOLVED, HypothesisStatus
from hypotheses.models import Hypothesis
from hypotheses.selectors import hypothesis as hypothesis_get
from kernel.canonical import derive_uuid
from kernel.errors import Conflict


@transaction.atomic
def hypothesis_register(
    *,
    campaign: Campaign | None,
    factor: str,
    from_value: ParameterValue,
    to_value: ParameterValue,
    base_version: int,
    metric: str,
    direction: Literal["increase", "decrease"],
    actor: Actor,
    rationale: str = "",
    expected_effect: float | None = None,
    needs_approval: bool = False,
    next_steps: Sequence[Any] = (),
    name: str = "",
    description: str = "",
    tags: Sequence[str] = (),
) -> Hypothesis:
    """Register a hypothesis, or return the one that is there for (campaign, factor, to_value, base_version, metric).

    The unique constraint decides between two callers at once; the row that is there stays as it is, but that one which
    ended before anybody tried it (`hypotheses_outdate`) is planned again: its base is back.
    """
    actor.require(Role.OPERATOR)
    key = {"campaign": campaign, "factor": factor, "to_value": to_value, "base_version": base_version, "metric": metric}
    hypothesis, created = Hypothesis.objects.get_or_create(
        **key,
        defaults={
            "id": derive_uuid("hypothesis", campaign and campaign.pk, factor, to_value, base_version, metric),
            "from_value": from_value,
            "direction": direction,
            "rationale": rationale,
            "expected_effect": expected_effect,
            "needs_approval": needs_approval,
            "next_steps": list(next_steps),
            "name": name or f"{factor} {from_value} → {to_value}: {metric} {direction}",
            "description": description,
            "tags": list(tags),
        },
    )
    if created:
        _audit(
            hypothesis, actor=actor, action="register", before=None, after=HypothesisStatus.PLANNED, reason=rationale
        )
    elif hypothesis.status == HypothesisStatus.INCONCLUSIVE and not hypothesis.related_experiments:
        hypothesis = hypothesis_transition(
            hypothesis_id=hypothesis.pk,
            source=HypothesisStatus.INCONCLUSIVE,
            target=HypothesisStatus.PLANNED,
            actor=actor,
            reason=f"version {base_version}, from which it was to be tried, is active again",
            next_steps=[],
        )
    return hypothesis


@transaction.atomic
def hypothesis_transition(
    *,
    hypothesis_id: UUID,
    source: HypothesisStatus,
    target: HypothesisStatus,
    actor: Actor,
    reason: str,
    next_steps: Sequence[Any] | None = None,
) -> Hypothesis:
    """Move a hypothesis from `source` to `target`, once: lifecycle, one conditional UPDATE, audit row.

    Raises `IllegalTransition`, `NotFound`, and `Conflict` when someone else moved it first.
    """
    actor.require(Role.OPERATOR)
    HYPOTHESIS_LIFECYCLE.check(source, target)
    chain_lock()  # before the row, as every writer of both
    now = timezone.now()
    values: dict[str, Any] = {"status": target, "updated_at": now, "resolved_at": now if target in RESOLVED else None}
    if next_steps is not None:
        values["next_steps"] = list(next_steps)
    moved = Hypothesis.objects.filter(pk=hypothesis_id, status=source).update(**values)
    hypothesis = hypothesis_get(hypothesis_id)
    if moved != 1:
        raise Conflict(
            f"the hypothesis is {hypothesis.status}, not {source}",
            details={"hypothesis": str(hypothesis_id), "expected": str(source), "actual": hypothesis.status},
        )
    _audit(hypothesis, actor=actor, action=str(target), before=source, after=target, reason=reason)
    return hypothesis


@transaction.atomic
def hypotheses_outdate(*, campaign: Campaign, active: int | None, actor: Actor) -> int:
    """End what was to be tried next and cannot be any more. Returns how many ended; repeating ends none.

    `active`: the version that is active now; what was planned from another one ends. None: the campaign is over, and
    all that waits ends. A hypothesis that has an experiment, perhaps one that waits for a person, is left to it.
    """
    waiting = Hypothesis.objects.filter(campaign=campaign, status=HypothesisStatus.PLANNED, related_experiments=[])
    if active is not None:
        waiting = waiting.exclude(base_version=active)
    ended = 0
    for pk, base in waiting.order_by("created_at", "id").values_list("pk", "base_version"):
        gone = "the campaign ended" if active is None else f"version {active} took the place of version {base}"
        hypothesis_transition(
            hypothesis_id=pk,
            source=HypothesisStatus.PLANNED,
            target=HypothesisStatus.INCONCLUSIVE,
            actor=actor,
            reason=f"{gone} before it was tried: nothing was learnt of it",
            next_steps=[f"{gone} before it was tried: screen the step again on the version that is active then"],
        )
        ended += 1
    return ended


def hypothesis_next_steps(*, hypothesis_id: UUID, next_steps: Sequence[Any]) -> Hypothesis:
    """Say what to try next, instead of what was said so far. The change log tells of the decision behind it."""
    Hypothesis.objects.filter(pk=hypothesis_id).update(next_steps=list(next_steps), updated_at=timezone.now())
    return hypothesis_get(hypothesis_id)


def hypothesis_link_experiment(*, hypothesis_id: UUID, experiment: str) -> Hypothesis:
    """Add an experiment's slug to the hypothesis; the same slug is added once, also by two callers at once."""
    Hypothesis.objects.filter(pk=hypothesis_id).exclude(related_experiments__contains=[experiment]).update(
        related_experiments=Func(
            F("related_experiments"), Value(experiment, output_field=TextField()), function="array_append"
        ),
        updated_at=timezone.now(),
    )
    return hypothesis_get(hypothesis_id)


def _audit(
    hypothesis: Hypothesis,
    *,
    actor: Actor,
    action: str,
    before: HypothesisStatus | None,
    after: HypothesisStatus,
    reason: str,
) -> None:
    entry_append(
        actor=actor,
        action=f"hypothesis.{action}",
        subject_type="hypothesis",
        subject_id=str(hypothesis.pk),
        before=None if before is None else {"status": str(before)},
        after={"status": str(after), "name": hypothesis.name},
        reason=reason,
        campaign=None if hypothesis.campaign_id is None else str(hypothesis.campaign_id),
        parameter=hypothesis.factor,
    )
