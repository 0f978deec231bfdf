"""Experiments that end without a verdict: with their campaign, for want of money, or because a person stops one."""

from __future__ import annotations

from django.db import transaction

from audit.services import chain_lock
from contracts.actor import Actor, Role
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from experiments.runner import passes_close
from experiments.selectors import experiment_by_slug
from experiments.services import experiment_transition
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.services import hypothesis_transition
from kernel.errors import InvalidInput, RuleViolated
from manager.domain.lifecycle import ApprovalStatus
from manager.services.approvals import approval_void
from manager.services.policy import policy_current

_OPEN = (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING)
LONGEST = 2000


@transaction.atomic
def experiment_stop(*, slug: str, actor: Actor, reason: str) -> Experiment:
    """Close one experiment before its verdict; its campaign goes on. What was run stays recorded and decides nothing.

    A worker that runs it notices within seconds and ends after the questions that it is at. Raises `InvalidInput`
    without a reason, `RuleViolated` (with `state`) when there is nothing left to stop, `NotAuthorised` for a viewer.
    """
    actor.require(Role.OPERATOR)
    told = reason.strip()
    if not told or len(told) > LONGEST:
        raise InvalidInput(
            f"stopping an experiment needs a reason of at most {LONGEST:,} characters", details={"field": "reason"}
        )
    chain_lock()
    experiment = experiment_by_slug(slug)
    if experiment.status not in _OPEN:
        raise RuleViolated(
            f"experiment {slug} is {experiment.status}: only a planned or running one can be stopped",
            details={"state": experiment.status},
        )
    _close(experiment, actor, f"stopped by {actor.label}: {told}", "stopped")
    passes_close(experiment=slug)
    return experiment_by_slug(slug)


def experiments_close(*, campaign: Campaign, actor: Actor, reason: str, by: str) -> None:
    """Refuse the campaign's experiments that have not run to their end; `by`: what ended them."""
    for experiment in campaign.experiments.filter(status__in=_OPEN):
        _close(experiment, actor, reason, by)


def _close(experiment: Experiment, actor: Actor, reason: str, by: str) -> None:
    undecided = (ApprovalStatus.PENDING, ApprovalStatus.APPROVED)
    asked = list(experiment.approvals.filter(kind="start", status__in=undecided))
    waits = experiment.status == ExperimentStatus.PLANNED
    experiment_transition(
        slug=experiment.slug,
        target=ExperimentStatus.REJECTED,
        actor=actor,
        reason=reason,
        decision=f"refused:{by}",
        decision_reason=reason,
        policy_version=policy_current().version,
    )
    for approval in asked if waits else ():
        approval_void(approval_id=approval.id, actor=actor, reason=reason)  # finds its experiment closed already
    standing = experiment.hypothesis.status if experiment.hypothesis is not None else ""
    if experiment.hypothesis is not None and standing in (HypothesisStatus.PLANNED, HypothesisStatus.RUNNING):
        hypothesis_transition(
            hypothesis_id=experiment.hypothesis.id,
            source=HypothesisStatus(standing),
            target=HypothesisStatus.INCONCLUSIVE,
            actor=actor,
            reason=reason,
        )
