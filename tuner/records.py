"""What the change log keeps of a change of parameters, and of one that was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.services import entry_append
from contracts.actor import Actor
from contracts.parameters import ParameterChange
from kernel.errors import DomainError


def changes_record(
    *,
    action: str,
    previous: int,
    version: int,
    changes: tuple[ParameterChange, ...],
    actor: Actor,
    reason: str,
    experiment: str | None,
    extra: Mapping[str, Any],
) -> None:
    """One row per factor that changed, so that each factor's history can be read; one row when none did."""
    for change in changes or (None,):
        entry_append(
            actor=actor,
            action=action,
            subject_type="parameters",
            subject_id=str(version),
            parameter=change.param if change else None,
            before={"version": previous, "value": change.from_value if change else None},
            after={"version": version, "value": change.to_value if change else None, **extra},
            reason=reason,
            experiment=experiment,
        )


def refusal_record(
    *,
    error: DomainError,
    actor: Actor,
    subject_id: str,
    wanted: Mapping[str, Any],
    reason: str = "",
    experiment: str | None = None,
    parameter: str | None = None,
) -> None:
    entry_append(
        actor=actor,
        action="parameters.refused",
        subject_type="parameters",
        subject_id=subject_id,
        parameter=parameter,
        before=None,
        after={"code": error.code, "message": error.message, "details": error.details, "wanted": wanted},
        reason=reason,
        experiment=experiment,
    )
