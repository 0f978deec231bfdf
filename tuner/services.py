"""The writes of this room: each one a SQL function and its audit row, in one transaction.

A refusal is audited too, in a transaction of its own after the change has been undone, and then raised. A caller that
is inside a transaction must therefore let it commit (catch the error inside), or the record of the refusal goes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from contracts.change import AppliedChange, ChangeProposal, GuardViolation
from contracts.parameters import ParameterValue
from kernel.errors import Conflict, DomainError, InvalidInput
from tuner import database, evidence, selectors
from tuner.domain import guards
from tuner.domain.values import normalised, same_value
from tuner.factors import factors_now
from tuner.fitness import arms_require_possible, refuse, rollback_plan, rollback_target, version_require_fit
from tuner.models import ActivationAction
from tuner.records import changes_record, refusal_record
from tuner.registry import FACTORS, canonical_key


def change_check(
    *,
    proposal: ChangeProposal,
    running_conflicts: Mapping[str, str] | None = None,
    cooldowns: Mapping[str, int] | None = None,
) -> tuple[GuardViolation, ...]:
    """Every guard that the proposal breaks now; empty when `change_apply` would apply it. Changes nothing.

    `running_conflicts`: factor -> slug of the experiment that tests it now. `cooldowns`: factor -> cycles still to
    rest; by default `evidence.recent`. Raises `NotFound` for an unknown base, `InvalidInput` for no change at all.
    """
    proposal = _canonical(proposal)
    freeze, recent = selectors.freeze_now(), evidence.recent()
    state = guards.GuardState(
        current=selectors.version_values(proposal.base_version),
        factors=factors_now(),
        frozen=freeze is not None,
        frozen_why=freeze or "",
        cooldowns=recent.cooldowns if cooldowns is None else _by_key(cooldowns),
        running_conflicts=_by_key(running_conflicts or {}),
        undone=evidence.undone_values(proposal.experiment, seen_at=proposal.evidence_at),
        swung=recent.swung,
        tried=evidence.tried_values(proposal.experiment),
    )
    return guards.check(proposal, state)


def change_apply(
    *,
    proposal: ChangeProposal,
    actor: Actor,
    running_conflicts: Mapping[str, str] | None = None,
    cooldowns: Mapping[str, int] | None = None,
) -> AppliedChange:
    """Make the proposal a version and activate it.

    1. Refuse with `Conflict` when another version than `proposal.base_version` is active.
    2. Refuse with `RuleViolated` (`details["violations"]`) when any guard stands.
    3. Create the version, activate it on condition that the base is still active and nothing is frozen, and audit.
    All in one transaction behind the log's lock: no factor is frozen between 2 and 3.
    """
    actor.require(Role.META_USER)
    proposal = _canonical(proposal)
    try:
        with transaction.atomic():
            chain_lock()
            _expect_active(proposal.base_version)
            refuse(change_check(proposal=proposal, running_conflicts=running_conflicts, cooldowns=cooldowns))
            values = selectors.version_get(proposal.base_version).stored_values
            values |= {c.param: normalised(FACTORS[c.param], c.to_value) for c in proposal.changes}
            version = database.version_create(
                parent=proposal.base_version,
                values=values,
                experiment=proposal.experiment,
                reason=proposal.reason,
                actor=actor.label,
            )
            return _activated(
                version=version,
                expected_active=proposal.base_version,
                experiment=proposal.experiment,
                reason=proposal.reason,
                actor=actor,
                extra={"approved_by": proposal.approved_by} if proposal.approved_by else {},
            )
    except DomainError as error:
        refusal_record(
            error=error,
            actor=actor,
            subject_id=str(proposal.base_version),
            wanted=proposal.model_dump(mode="json"),
            reason=proposal.reason,
            experiment=proposal.experiment,
            parameter=proposal.changes[0].param if len(proposal.changes) == 1 else None,
        )
        raise


def experiment_prepare(
    *, experiment: str, arms: Mapping[str, Mapping[str, ParameterValue]], base_version: int, actor: Actor
) -> dict[str, int]:
    """A version for each arm: the base with the arm's overrides. Returns arm name -> version.

    Such a version can never become active. Called again with the same arms it returns the same versions; with other
    values under a known arm name it raises `Conflict`. Hard ranges hold here (`RuleViolated`), steps and auto ranges do
    not: trying is not applying.
    """
    actor.require(Role.OPERATOR)
    if not experiment or not arms or not all(arms):
        raise InvalidInput("an experiment needs a slug and named arms", details={"field": "arms"})
    overrides = {arm: _by_key(values) for arm, values in arms.items()}
    base = selectors.version_get(base_version).stored_values
    try:
        with transaction.atomic():
            arms_require_possible(overrides)
            full = {
                arm: {**base, **{key: normalised(FACTORS[key], value) for key, value in values.items()}}
                for arm, values in overrides.items()
            }
            prepared = database.experiment_prepare(
                experiment=experiment, base=base_version, arms=full, actor=actor.label
            )
            entry_append(
                actor=actor,
                action="parameters.prepared",
                subject_type="experiment",
                subject_id=experiment,
                after={"base_version": base_version, "arms": overrides, "versions": prepared},
                experiment=experiment,
            )
            return prepared
    except DomainError as error:
        refusal_record(
            error=error, actor=actor, subject_id=str(base_version), wanted={"arms": overrides}, experiment=experiment
        )
        raise


def version_activate(*, version: int, expected_active: int, actor: Actor, reason: str) -> AppliedChange:
    """Make an existing production version the active one. Raises `Conflict`, `NotFound`, or `RuleViolated` when it
    belongs to an experiment, is active already, or changes are frozen (code FROZEN)."""
    actor.require(Role.META_USER)
    try:
        with transaction.atomic():
            chain_lock()
            version_require_fit(version, active=expected_active)
            return _activated(
                version=version,
                expected_active=expected_active,
                experiment=None,
                reason=reason,
                actor=actor,
                extra={"golden": "not asked: activated by hand"},
            )
    except DomainError as error:
        refusal_record(
            error=error, actor=actor, subject_id=str(expected_active), wanted={"activate": version}, reason=reason
        )
        raise


def parameters_rollback(*, actor: Actor, reason: str, expected_active: int | None = None) -> AppliedChange:
    """Back to the last stable version before the active one; runs under freeze too, for it protects quality.

    A stable version that holds a value outside today's hard ranges is passed over (decision 0027); the log says which
    and why. With `expected_active` a rollback that was overtaken by another change is a `Conflict` and changes nothing.
    Raises `RuleViolated` when there is no stable version to go back to, or none whose values are possible.
    """
    actor.require(Role.OPERATOR)
    try:
        with transaction.atomic():
            chain_lock()
            plan = rollback_plan()
            rollback_target(plan)
            left, active = database.rollback(
                expected_active=expected_active, skip=list(plan.skipped), reason=reason, actor=actor.label
            )
            changes = selectors.versions_diff(left, active)
            passed = {str(number): [item.message for item in found] for number, found in plan.skipped.items()}
            changes_record(
                action="parameters.rolled_back",
                previous=left,
                version=active,
                changes=changes,
                actor=actor,
                reason=reason,
                experiment=selectors.version_get(left).experiment,
                extra={"passed_over": passed} if passed else {},
            )
    except DomainError as error:
        refusal_record(
            error=error, actor=actor, subject_id=str(expected_active or ""), wanted={"rollback": True}, reason=reason
        )
        raise
    return AppliedChange(
        previous_version=left,
        version=active,
        changes=changes,
        action=ActivationAction.ROLLBACK,
        reason=reason,
        passed_over=tuple(plan.skipped),
    )


@transaction.atomic
def version_confirm_stable(*, version: int, actor: Actor, reason: str) -> None:
    """The active version has proved itself: later rollbacks may end here. Raises `Conflict` when it is not active."""
    actor.require(Role.META_USER)
    if database.confirm_stable(version):
        entry_append(
            actor=actor,
            action="parameters.confirmed_stable",
            subject_type="parameters",
            subject_id=str(version),
            after={"version": version, "stable": True},
            reason=reason,
            experiment=selectors.version_get(version).experiment,
        )


def parameters_freeze(*, actor: Actor, reason: str) -> None:
    """Stop all changes at once, rollbacks excepted. Frozen twice is frozen once."""
    actor.require(Role.OPERATOR)
    _set_freeze(True, actor, reason)


def parameters_unfreeze(*, actor: Actor, reason: str) -> None:
    actor.require(Role.META_USER)
    _set_freeze(False, actor, reason)


@transaction.atomic
def _set_freeze(frozen: bool, actor: Actor, reason: str) -> None:
    if database.set_freeze(frozen=frozen, reason=reason, actor=actor.label):
        entry_append(
            actor=actor,
            action="parameters.frozen" if frozen else "parameters.unfrozen",
            subject_type="tuner",
            subject_id="1",
            before={"frozen": not frozen},
            after={"frozen": frozen},
            reason=reason,
        )


def _activated(
    *,
    version: int,
    expected_active: int,
    experiment: str | None,
    reason: str,
    actor: Actor,
    extra: Mapping[str, Any] | None = None,
) -> AppliedChange:
    previous = database.version_activate(
        version=version, expected_active=expected_active, experiment=experiment, reason=reason, actor=actor.label
    )
    changes = selectors.versions_diff(previous, version)
    changes_record(
        action="parameters.activated",
        previous=previous,
        version=version,
        changes=changes,
        actor=actor,
        reason=reason,
        experiment=experiment,
        extra=extra or {},
    )
    return AppliedChange(
        previous_version=previous, version=version, changes=changes, action=ActivationAction.ACTIVATE, reason=reason
    )


def _expect_active(version: int) -> None:
    active = selectors.active_version().version
    if active != version:
        raise Conflict(
            f"version {active} is active, not {version}; look at it and propose anew",
            details={"active": active, "expected": version},
        )


def _canonical(proposal: ChangeProposal) -> ChangeProposal:
    """Aliases become keys. Raises `InvalidInput` when nothing would change."""
    changes = tuple(c.model_copy(update={"param": canonical_key(c.param)}) for c in proposal.changes)
    if not changes or all(same_value(c.from_value, c.to_value) for c in changes):
        raise InvalidInput("the proposal changes nothing", details={"field": "changes"})
    return proposal.model_copy(update={"changes": changes})


def _by_key(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {canonical_key(key): value for key, value in mapping.items()}
