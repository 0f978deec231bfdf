"""What the guards need to know of the past: which factors rest, and which values were undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.parameters import ParameterValue
from tuner.domain.content import diff
from tuner.factors import factors_now
from tuner.models import ActivationAction, ParameterActivation, ParameterVersion, VersionKind
from tuner.registry import DEFAULTS


def _values(versions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = ParameterVersion.objects.filter(version__in=versions)
    return {row.version: {**DEFAULTS, **row.stored_values} for row in rows}


def cooldowns() -> dict[str, int]:
    """Factor -> how many activations it still rests.

    The rule: a factor that a rollback moved back rests until `cooldown_cycles` versions have been activated since.
    The Tuner knows no cycles; a caller who counts them hands its own numbers to `change_apply` instead.
    """
    factors = factors_now()
    reach = max(factor.cooldown_cycles for factor in factors.values())
    later = 0
    recent: list[tuple[ParameterActivation, int]] = []
    for row in ParameterActivation.objects.order_by("-id").iterator(chunk_size=50):
        if row.action == ActivationAction.ACTIVATE:
            later += 1
            if later >= reach:
                break
        elif row.action == ActivationAction.ROLLBACK:
            recent.append((row, later))
    values = _values([v for row, _ in recent for v in (row.previous, row.version) if v is not None])
    resting: dict[str, int] = {}
    for row, passed in recent:
        if row.previous is None:
            continue
        for change in diff(values[row.previous], values[row.version]):
            remaining = factors[change.param].cooldown_cycles - passed
            resting[change.param] = max(remaining, resting.get(change.param, 0))
    return {param: remaining for param, remaining in resting.items() if remaining > 0}


def undone_values(experiment: str | None, *, seen_at: datetime | None = None) -> set[tuple[str, ParameterValue]]:
    """(factor, value) pairs that a rolled-back version brought in, and for which there is no new evidence.

    `experiment`, `seen_at`: what a proposal rests on, and when its verdict was given. A verdict that was given before
    the rollback knew nothing of what undid the value, whichever experiment gave it; without a verdict there is no
    evidence at all. Looks at the last 200 rollbacks.
    """
    rows = list(
        ParameterVersion.objects.filter(kind=VersionKind.PRODUCTION, rolled_back_at__isnull=False).order_by("-version")[
            :200
        ]
    )
    stale = [row for row in rows if row.experiment == experiment or not _later(seen_at, row.rolled_back_at)]
    parents = _values([row.parent_version for row in stale if row.parent_version is not None])
    return {
        (change.param, change.to_value)
        for row in stale
        if row.parent_version in parents
        for change in diff(parents[row.parent_version], {**DEFAULTS, **row.stored_values})
    }


def tried_values(experiment: str | None) -> set[tuple[str, ParameterValue]]:
    """(factor, value) pairs in which an arm of the experiment differs from its base: what it tried."""
    if experiment is None:
        return set()
    arms = list(ParameterVersion.objects.filter(kind=VersionKind.EXPERIMENT, experiment=experiment))
    bases = _values([arm.parent_version for arm in arms if arm.parent_version is not None])
    return {
        (change.param, change.to_value)
        for arm in arms
        if arm.parent_version in bases
        for change in diff(bases[arm.parent_version], {**DEFAULTS, **arm.stored_values})
    }


def prompt_proved(key: str, value: ParameterValue) -> bool:
    """Whether this version of the prompt has proved itself: in a version that was stable or is the seed, or by an
    experiment that tried it and led to a version."""
    group, name = key.split(".", 1)
    rows = list(ParameterVersion.objects.filter(kind=VersionKind.PRODUCTION, **{f"{group}__{name}": value}))
    if any(row.stable_since is not None or row.parent_version is None for row in rows):
        return True
    return any((key, value) in tried_values(name) for name in {row.experiment for row in rows})


def _later(seen_at: datetime | None, undone_at: datetime | None) -> bool:
    return seen_at is not None and undone_at is not None and seen_at > undone_at
