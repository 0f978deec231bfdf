"""Whether a version that exists may be in force today: what no person's word lifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.change import GuardViolation
from contracts.parameters import FactorDefinition
from kernel.errors import NotFound, RuleViolated
from tuner import evidence, selectors
from tuner.domain import guards
from tuner.domain.values import value_violation
from tuner.factors import factors_now
from tuner.models import ParameterVersion
from tuner.registry import DEFAULTS


@dataclass(frozen=True)
class RollbackPlan:
    """Where a rollback goes: the stable version that was in force last and whose values are all possible today.

    `skipped`: stable versions before it that hold a value which is outside the hard ranges by now, with what is wrong.
    """

    target: int | None
    skipped: Mapping[int, tuple[GuardViolation, ...]]


def hard_violations(values: Mapping[str, Any], factors: Mapping[str, FactorDefinition]) -> tuple[GuardViolation, ...]:
    """Each value that is none of its factor today. Factors that are no longer known bind nobody."""
    found = (value_violation(factors[key], value) for key, value in values.items() if key in factors)
    return tuple(violation for violation in found if violation is not None)


def refuse(violations: Sequence[GuardViolation]) -> None:
    """Raises `RuleViolated` with all of them at once; with none it does nothing."""
    if violations:
        raise RuleViolated(
            "; ".join(dict.fromkeys(violation.message for violation in violations)),
            details={"violations": [violation.model_dump(mode="json") for violation in violations]},
        )


def version_require_possible(version: int) -> None:
    """Raises `RuleViolated` when the version holds a value outside today's hard ranges, `NotFound`."""
    refuse(hard_violations(selectors.version_values(version), factors_now()))


def version_require_fit(version: int, *, active: int) -> None:
    """Raises `RuleViolated` with every reason why the version may not become active by hand.

    These are: values outside today's hard ranges, the freeze of everything, factors that are frozen, and prompts that
    won no test, each prompt by itself: that another factor of the version was tested proves nothing of its prompt.
    """
    factors, freeze = factors_now(), selectors.freeze_now()
    found = list(hard_violations(selectors.version_values(version), factors))
    for change in selectors.versions_diff(active, version):
        key, value = change.param, change.to_value
        if freeze is not None:
            found.append(guards.frozen_all(key, value, why=freeze))
        factor = factors.get(key)
        if factor is None:
            continue
        if factor.frozen:
            found.append(guards.frozen_factor(key, value, until=factor.frozen_until))
        if factor.needs_ab_test and not evidence.prompt_proved(key, value):
            found.append(guards.untested_prompt(key, value))
    refuse(found)


def arms_require_possible(arms: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises `NotFound` for an unknown factor, `RuleViolated` for values outside the hard ranges."""
    factors = factors_now()
    for values in arms.values():
        for key in values:
            if key not in factors:
                raise NotFound(f"there is no impact factor {key!r}", details={"known": sorted(factors)})
    refuse([violation for values in arms.values() for violation in hard_violations(values, factors)])


def rollback_target(plan: RollbackPlan) -> int | None:
    """Its target, None when there is no stable version at all. Raises `RuleViolated` when there are only impossible
    ones, and names each."""
    if plan.target is None and plan.skipped:
        named = "; ".join(f"version {number}: {found[0].message}" for number, found in plan.skipped.items())
        raise RuleViolated(
            f"no stable version can be in force today: {named}",
            details={"violations": [item.model_dump(mode="json") for found in plan.skipped.values() for item in found]},
        )
    return plan.target


def rollback_plan(candidates: Sequence[ParameterVersion] | None = None) -> RollbackPlan:
    """As the Tuner would go now. Behind `chain_lock` it cannot be overtaken: every writer of versions takes it."""
    factors = factors_now()
    skipped: dict[int, tuple[GuardViolation, ...]] = {}
    for row in selectors.rollback_candidates() if candidates is None else candidates:
        found = hard_violations({**DEFAULTS, **row.stored_values}, factors)
        if not found:
            return RollbackPlan(target=row.version, skipped=skipped)
        skipped[row.version] = found
    return RollbackPlan(target=None, skipped=skipped)
