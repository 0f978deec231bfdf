"""What the guards need to know of the past: which factors rest, and which values were undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.parameters import ParameterChange, ParameterValue
from tuner.domain.content import diff
from tuner.factors import factors_now
from tuner.models import ActivationAction, ParameterActivation, ParameterVersion, VersionKind
from tuner.registry import DEFAULTS


def _values(versions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = ParameterVersion.objects.filter(version__in=versions)
    return {row.version: {**DEFAULTS, **row.stored_values} for row in rows}


@dataclass(frozen=True)
class Recent:
    """What is too recent to be done again. `cooldowns`: factor -> activations that it still rests. `swung`: (factor,
    value) -> activations until that value may come back: the factor took it and left it again a short while ago."""

    cooldowns: dict[str, int]
    swung: dict[tuple[str, ParameterValue], int]


def recent() -> Recent:
    """The rules, for a factor whose cooldown is n: one that a rollback moved back rests until n versions have been
    activated since; a value that was taken and, within n activations, left again for the one before it is not taken
    again until n have passed since it was left. So a factor does not swing A, B, A, B.

    The Tuner knows no cycles; a caller who counts them hands its own cooldowns to `change_apply` instead.
    """
    factors = factors_now()
    moves = _moves(2 * max(factor.cooldown_cycles for factor in factors.values()))
    resting: dict[str, int] = {}
    swung: dict[tuple[str, ParameterValue], int] = {}
    for place, (row, passed, changes) in enumerate(moves):
        for change in changes:
            cooldown = factors[change.param].cooldown_cycles
            if row.action == ActivationAction.ROLLBACK:
                resting[change.param] = max(cooldown - passed, resting.get(change.param, 0))
            elif any(_back(change) in took and before - passed <= cooldown for _, before, took in moves[place + 1 :]):
                key = (change.param, change.from_value)
                swung[key] = max(cooldown - passed, swung.get(key, 0))
    return Recent(
        cooldowns={param: left for param, left in resting.items() if left > 0},
        swung={key: left for key, left in swung.items() if left > 0},
    )


def _back(change: ParameterChange) -> ParameterChange:
    return ParameterChange(param=change.param, from_value=change.to_value, to_value=change.from_value)


def _moves(reach: int) -> list[tuple[ParameterActivation, int, tuple[ParameterChange, ...]]]:
    """The last `reach` activations and the rollbacks among them, newest first: how many activations came later, and
    what each changed."""
    later, rows = 0, []
    for row in ParameterActivation.objects.order_by("-id").iterator(chunk_size=50):
        if later >= reach and row.action == ActivationAction.ACTIVATE:
            break
        rows.append((row, later))
        later += row.action == ActivationAction.ACTIVATE
    values = _values([v for row, _ in rows for v in (row.previous, row.version) if v is not None])
    return [
        (row, passed, () if row.previous is None else diff(values[row.previous], values[row.version]))
        for row, passed in rows
    ]


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
