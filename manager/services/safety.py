"""Rollbacks that the Manager orders: by rule after a degradation, or by a person."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from contracts.actor import Actor, Role
from contracts.change import AppliedChange
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from experiments.services import experiment_transition
from goals.models import Campaign
from incidents.services import incident_open
from kernel.errors import Conflict, InvalidInput
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from manager.services.settling import activation_settle_enqueue
from manager.services.telling import tell_rolled_back
from tuner.selectors import active_version, version_get
from tuner.services import parameters_rollback


@transaction.atomic
def rollback_order(
    *, reason: str, actor: Actor, expected_active: int | None = None, campaign: Campaign | None = None
) -> AppliedChange:
    """Roll back to the last stable version, and let experiment, journal and incidents say so.

    By a component it protects quality, is authorised beforehand and opens an incident; a person needs the role
    meta-user and a reason. Raises `RuleViolated` when there is no stable version to go back to, `Conflict` when
    `expected_active` is no longer active.
    """
    if actor.kind != "component":
        actor.require(Role.META_USER)
        if not reason.strip():
            raise InvalidInput("a rollback needs a reason", details={"field": "reason"})
    left = version_get(expected_active) if expected_active is not None else active_version()
    change = parameters_rollback(actor=actor, reason=reason, expected_active=left.version)
    experiment = Experiment.objects.filter(slug=left.experiment, status=ExperimentStatus.APPLIED).first()
    if experiment is not None:
        experiment_transition(
            slug=experiment.slug,
            target=ExperimentStatus.ROLLED_BACK,
            actor=actor,
            reason=reason,
            decision="rolled_back",
            policy_version=policy_current().version,
            decision_reason=f"version {change.previous_version} was rolled back: {reason}",
        )
        campaign = campaign or experiment.campaign
    if campaign is not None:
        journal_write(
            campaign=campaign,
            key=f"rollback-{change.previous_version}-{change.version}",
            kind="rolled_back",
            text=f"version {change.previous_version} rolled back to version {change.version}",
            reason=reason,
            experiment=experiment.slug if experiment else "",
        )
    tell_rolled_back(change, reason=reason, actor=actor)
    if actor.kind == "component":
        incident_open(
            kind="degradation",
            severity="warning",
            title=f"Version {change.previous_version} was rolled back",
            detail=reason,
            subject=f"version:{change.previous_version}",
            actor=actor,
        )
    else:
        transaction.on_commit(partial(activation_settle_enqueue, campaign=campaign))
    return change


@transaction.atomic
def rollback_protect(
    *, reason: str, actor: Actor, expected_active: int, campaign: Campaign | None = None
) -> AppliedChange | None:
    """Roll back what got worse, where the policy authorises that beforehand. Raises what `rollback_order` raises.

    None: it does not, nothing was changed, a critical incident calls a person and the journal says why.
    """
    if policy_current().rollback_preauthorised:
        return rollback_order(reason=reason, actor=actor, expected_active=expected_active, campaign=campaign)
    if active_version().version != expected_active:
        raise Conflict(f"version {expected_active} is no longer active", details={"version": expected_active})
    left = f"{reason}; the policy lets no rollback happen without a person: roll back on the page of parameters"
    incident_open(
        kind="degradation",
        severity="critical",
        title=f"Version {expected_active} got worse, and its rollback waits for a person",
        detail=left,
        subject=f"version:{expected_active}",
        actor=actor,
    )
    if campaign is not None:
        journal_write(
            campaign=campaign,
            key=f"rollback-wanted-{expected_active}",
            kind="waits",
            text=f"the rollback of version {expected_active} waits for a person",
            reason=left,
        )
    return None
