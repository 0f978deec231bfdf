"""The rules that every change of parameters passes. Pure: what they need to know is given to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.change import ChangeProposal, GuardCode, GuardViolation
from contracts.parameters import FactorDefinition, ParameterChange, ParameterValue
from tuner.domain.values import beyond_auto_range, same_value, shown_range, step_span, step_too_large, value_violation

MAX_CHANGES = 1
"""One impact factor per cycle, or no verdict could say which of them did it."""


@dataclass(frozen=True)
class GuardState:
    """What the guards look at beside the proposal.

    `current`: flat effective values of the base version. `cooldowns`: factor -> activations (or cycles) still to
    pass. `running_conflicts`: factor -> the other experiment that is testing it now. `undone`: (factor, value) pairs
    that were rolled back and for which this proposal brings no new evidence. `swung`: (factor, value) -> activations
    until that value, which the factor took and left again lately, may come back. `tried`: (factor, value) pairs that an
    arm of the proposal's experiment tried. `frozen_why`: by whom and why all changes are frozen.
    """

    current: Mapping[str, Any]
    factors: Mapping[str, FactorDefinition]
    frozen: bool = False
    frozen_why: str = ""
    cooldowns: Mapping[str, int] = field(default_factory=dict)
    running_conflicts: Mapping[str, str] = field(default_factory=dict)
    undone: Collection[tuple[str, ParameterValue]] = ()
    swung: Mapping[tuple[str, ParameterValue], int] = field(default_factory=dict)
    tried: Collection[tuple[str, ParameterValue]] = ()


def check(proposal: ChangeProposal, state: GuardState, *, approved: bool | None = None) -> tuple[GuardViolation, ...]:
    """Every rule that the proposal breaks, at once; empty when it may be applied.

    `approved` (by default: whether the proposal names who approved it) takes the violations of
    `LIFTED_BY_APPROVAL` away; nothing takes the others away. Parameters are named by key, not by alias.
    """
    if approved is None:
        approved = bool(proposal.approved_by)
    found = [violation for change in proposal.changes for violation in _of_change(change, proposal, state)]
    if len(proposal.changes) > MAX_CHANGES:
        found.append(
            GuardViolation(
                code=GuardCode.TOO_MANY_CHANGES,
                param=", ".join(change.param for change in proposal.changes),
                value=len(proposal.changes),
                limit=MAX_CHANGES,
                allowed=MAX_CHANGES,
                message=f"{len(proposal.changes)} factors at once; at most {MAX_CHANGES} may change",
            )
        )
    return tuple(violation for violation in found if not (approved and violation.lifted_by_approval))


def _of_change(change: ParameterChange, proposal: ChangeProposal, state: GuardState) -> Iterator[GuardViolation]:
    key, value = change.param, change.to_value
    if state.frozen:
        yield frozen_all(key, value, why=state.frozen_why)
    factor = state.factors.get(key)
    if factor is None:
        yield GuardViolation(
            code=GuardCode.UNKNOWN_PARAM,
            param=key,
            value=value,
            limit="the registry of factors",
            allowed=sorted(state.factors),
            message=f"there is no impact factor {key}",
        )
        return
    if factor.frozen:
        yield frozen_factor(key, value, until=factor.frozen_until)
    current = state.current.get(key, factor.default)
    bad_value = value_violation(factor, value)
    if bad_value is not None:
        yield bad_value
    if not same_value(change.from_value, current):
        yield GuardViolation(
            code=GuardCode.STALE_FROM,
            param=key,
            value=change.from_value,
            limit=current,
            allowed=current,
            message=f"the proposal starts from {key} = {change.from_value}, but it is {current} now",
        )
    if bad_value is None or bad_value.code is not GuardCode.WRONG_TYPE:
        yield from _of_size(factor, value, current, possible=bad_value is None)
    yield from _of_evidence(factor, value, proposal, state)


def _of_size(
    factor: FactorDefinition, value: ParameterValue, current: ParameterValue, *, possible: bool
) -> Iterator[GuardViolation]:
    span = step_span(factor, current)
    if span is not None and not isinstance(value, str) and step_too_large(span, float(value)):
        yield GuardViolation(
            code=GuardCode.STEP_TOO_LARGE,
            param=factor.key,
            value=value,
            limit=f"{factor.step:.0%}" if factor.step_relative else factor.step,
            allowed=list(span),
            message=f"{factor.key} from {current} to {value} is too large a step; allowed: {span[0]:g} to {span[1]:g}",
        )
    if factor.manual:
        yield GuardViolation(
            code=GuardCode.MANUAL_ONLY,
            param=factor.key,
            value=value,
            limit="a person decides",
            allowed=f"with approval: {shown_range(factor)}",
            message=f"{factor.key} is changed by a person only. {factor.reason}",
        )
    elif possible and (not factor.auto or beyond_auto_range(factor, value)):
        numbers = [factor.auto_low, factor.auto_high]
        allowed = numbers if factor.auto and None not in numbers else "nothing without approval"
        shown = f"{numbers[0]:g} to {numbers[1]:g}" if allowed is numbers else "nothing"
        yield GuardViolation(
            code=GuardCode.NEEDS_APPROVAL,
            param=factor.key,
            value=value,
            limit=allowed,
            allowed=allowed,
            message=f"{factor.key} = {value} needs approval; without a person: {shown}. {factor.reason}",
        )


def _of_evidence(
    factor: FactorDefinition, value: ParameterValue, proposal: ChangeProposal, state: GuardState
) -> Iterator[GuardViolation]:
    key = factor.key
    if factor.needs_ab_test and not (proposal.tested and (key, value) in state.tried):
        yield untested_prompt(key, value)
    remaining = state.cooldowns.get(key, 0)
    if remaining > 0:
        yield GuardViolation(
            code=GuardCode.COOLDOWN,
            param=key,
            value=value,
            limit=factor.cooldown_cycles,
            allowed=f"after {remaining} more, or with approval",
            message=f"{key} was rolled back lately and rests for {remaining} more",
        )
    swung = [left for (param, taken), left in state.swung.items() if param == key and same_value(taken, value)]
    if swung and remaining <= 0:
        yield GuardViolation(
            code=GuardCode.COOLDOWN,
            param=key,
            value=value,
            limit=factor.cooldown_cycles,
            allowed=f"another value, or this one after {max(swung)} more, or with approval",
            message=f"{key} = {value} was taken and left again lately; it may come back after {max(swung)} more",
        )
    if any(param == key and same_value(undone, value) for param, undone in state.undone):
        yield GuardViolation(
            code=GuardCode.COOLDOWN,
            param=key,
            value=value,
            limit="new evidence",
            allowed="another value, or this one with the result of another experiment",
            message=f"{key} = {value} was rolled back, and this proposal rests on the same evidence",
        )
    other = state.running_conflicts.get(key)
    if other is not None and other != proposal.experiment:
        yield GuardViolation(
            code=GuardCode.CONFLICT,
            param=key,
            value=value,
            limit=other,
            allowed=f"after {other} has ended",
            message=f"{key} is being tested by {other}",
        )


def frozen_all(key: str, value: ParameterValue, *, why: str) -> GuardViolation:
    return GuardViolation(
        code=GuardCode.FROZEN,
        param=key,
        value=value,
        limit=f"changes are frozen by {why}" if why else "changes are frozen",
        allowed="a rollback now; changes after a meta-user lifts the freeze",
        message="changes are frozen; only a rollback is possible until a meta-user lifts the freeze",
    )


def frozen_factor(key: str, value: ParameterValue, *, until: datetime | None) -> GuardViolation:
    end = f"{until:%Y-%m-%d %H:%M} UTC" if until else ""
    return GuardViolation(
        code=GuardCode.FROZEN,
        param=key,
        value=value,
        limit=f"frozen until {end}" if end else "frozen",
        allowed=f"after {end}, or after it is thawed" if end else "after it is thawed",
        message=f"{key} is frozen; nobody changes it until "
        + (f"{end}, unless a meta-user thaws it before" if end else "a meta-user thaws it"),
    )


def untested_prompt(key: str, value: ParameterValue) -> GuardViolation:
    return GuardViolation(
        code=GuardCode.UNTESTED_PROMPT,
        param=key,
        value=value,
        limit="A/B test",
        allowed="after an A/B test that it won",
        message=f"{key} = {value} has won no A/B test",
    )
