"""Parameters that hold for one person alone: a support case, a first user of a new version."""

from __future__ import annotations

import uuid

from django.db import transaction

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import InvalidInput
from tuner import database
from tuner.fitness import version_require_possible


@transaction.atomic
def tenant_parameters_set(*, user_id: uuid.UUID, version: int | None, reason: str, actor: Actor) -> None:
    """Let a production version hold for this person's runs; None: the active one again, also while changes are frozen.

    An experiment's arm and a pinned version still win. Raises `NotAuthorised` below meta-user, `InvalidInput` without a
    reason, `NotFound` for an unknown version, `RuleViolated` for one of an experiment, one that was rolled back, one
    with a value outside today's hard ranges, or while changes are frozen.
    """
    actor.require(Role.META_USER)
    if not reason.strip():
        raise InvalidInput("parameters of one person need a reason", details={"field": "reason"})
    if version is not None:
        version_require_possible(version)
    before = database.tenant_set(user=user_id, version=version, reason=reason, actor=actor.label)
    if before == version:
        return
    entry_append(
        actor=actor,
        action="parameters.tenant_set" if version is not None else "parameters.tenant_removed",
        subject_type="tenant",
        subject_id=str(user_id),
        before={"version": before},
        after={"version": version},
        reason=reason,
    )
