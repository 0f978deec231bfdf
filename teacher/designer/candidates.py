"""Candidate moves: one factor, one step, inside the hard range; marked when a person must approve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.parameters import FactorDefinition, ParameterChange, ParameterValue
from kernel.canonical import canonical_json
from teacher.designer.knowledge import Knowledge, move_of

_WIDER = 2

PROMPT_VARIANTS_ABOVE = 0.1
"""Share of answers that make something up beyond which versions of the responder's prompt are proposed first
(reference.md, "Self-improvement")."""

_RESPONDER = "prompts.responder"


@dataclass(frozen=True, slots=True)
class Candidate:
    """`needs_approval`: why a person must agree; empty when nobody must. `prior`: what it may well give."""

    change: ParameterChange
    prior: float
    needs_approval: tuple[str, ...] = ()

    @property
    def arm(self) -> str:
        """A name for the screening arm that is the same wherever this step is tried."""
        return f"{self.change.param}={canonical_json(self.change.to_value)}"


@dataclass(frozen=True, slots=True)
class StepHistory:
    """A step that was tested before: from → to of a factor, under a base version, and whether it failed for good.

    An inconclusive step may be tried once more when the base version has changed since.
    """

    param: str
    from_value: ParameterValue
    to_value: ParameterValue
    base_version: int
    outcome: str


def candidates_list(
    *,
    factors: Mapping[str, FactorDefinition],
    allowed: Sequence[str],
    current: Mapping[str, ParameterValue],
    metric: str,
    base_version: int,
    history: Iterable[StepHistory] = (),
    wider: bool = False,
    knowledge: Knowledge | None = None,
) -> list[Candidate]:
    """Every step worth screening for `metric`, most promising first by `knowledge` (when it is not given, the starting
    knowledge alone); ties in the order of the registry.

    Left out: steps that were tested before (`StepHistory`), factors that act when memory is written (they need
    histories archived anew), and values outside the hard range. `wider` adds double steps, which need approval.
    """
    spent = _spent(history, base_version)
    known = knowledge or Knowledge()
    found = []
    for key in factors:
        factor = factors[key]
        if key not in allowed or factor.acts_on != "answer" or key not in current:
            continue
        for value in _steps(factor, current[key], wider):
            change = ParameterChange(param=key, from_value=current[key], to_value=value)
            if _step_key(key, current[key], value) in spent:
                continue
            found.append(
                Candidate(
                    change=change,
                    prior=known.belief(metric, key, move_of(current[key], value)).promise,
                    needs_approval=approval_reasons(factor, current[key], value),
                )
            )
    return sorted(found, key=lambda item: -round(item.prior, 9))  # sums of floats depend on their order


def _step_key(param: str, before: ParameterValue, after: ParameterValue) -> str:
    return canonical_json([param, before, after])


def is_prompt(candidate: Candidate) -> bool:
    """Whether it is another version of the responder's prompt."""
    return candidate.change.param == _RESPONDER


def prompts_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Versions of the responder's prompt before everything else; else the order stays."""
    return sorted(candidates, key=lambda item: not is_prompt(item))


def step_spent(change: ParameterChange, history: Iterable[StepHistory], *, base_version: int) -> bool:
    """Whether this step was tested enough: decided before, or inconclusive from this very base."""
    return _step_key(change.param, change.from_value, change.to_value) in _spent(history, base_version)


def _spent(history: Iterable[StepHistory], base_version: int) -> set[str]:
    tries: dict[str, list[StepHistory]] = {}
    for item in history:
        tries.setdefault(_step_key(item.param, item.from_value, item.to_value), []).append(item)
    return {
        key
        for key, items in tries.items()
        if len(items) > 1 or items[0].outcome != "inconclusive" or items[0].base_version == base_version
    }


def _steps(factor: FactorDefinition, value: ParameterValue, wider: bool) -> list[ParameterValue]:
    if factor.type == "bool":
        return [not value]
    if factor.type in ("choice", "prompt"):
        return [choice for choice in factor.choices if choice != value]
    if factor.step is None or isinstance(value, str):
        return []
    found: list[ParameterValue] = []
    for times in (1, _WIDER) if wider else (1,):
        size = factor.step * times * (abs(float(value)) if factor.step_relative else 1.0)
        for sign in (1, -1):
            found += _landing(factor, float(value), float(value) + sign * size)
    return list(dict.fromkeys(found))


def _landing(factor: FactorDefinition, value: float, wanted: float) -> list[ParameterValue]:
    """Where a step ends: cut at the hard range; and when it would leave the automatic range, also its edge."""
    ends = [wanted]
    for edge in (factor.auto_low, factor.auto_high):
        if edge is not None and min(value, wanted) < edge < max(value, wanted):
            ends.append(edge)
    landed: list[ParameterValue] = []
    for end in ends:
        low = factor.low if factor.low is not None else end
        high = factor.high if factor.high is not None else end
        clipped = min(max(end, low), high)
        result = _rounded(clipped, towards=value, digits=0 if factor.type == "int" else 4)
        if abs(result - value) > 1e-9:
            landed.append(int(result) if factor.type == "int" else result)
    return landed


def _rounded(number: float, *, towards: float, digits: int) -> float:
    """Rounded to the side of `towards`, so that rounding never makes a step larger than its limit."""
    scale = 10.0**digits
    whole = math.floor(number * scale + 1e-6) if number > towards else math.ceil(number * scale - 1e-6)
    return whole / scale


def approval_reasons(factor: FactorDefinition, before: ParameterValue, after: ParameterValue) -> tuple[str, ...]:
    """Why a person must approve this value, as the registry says; the Tuner's guards check again before applying."""
    reasons = []
    if factor.manual or not factor.auto:
        reasons.append(f"{factor.key} is always decided by a person: {factor.reason or 'it changes the design'}")
    if isinstance(after, int | float) and not isinstance(after, bool):
        low, high = factor.auto_low, factor.auto_high
        if (low is not None and after < low) or (high is not None and after > high):
            bounds = f"{'…' if low is None else f'{low:g}'} to {'…' if high is None else f'{high:g}'}"
            reasons.append(f"{after:g} lies outside the automatic range {bounds}")
        limit = factor.step * (abs(float(before)) if factor.step_relative else 1.0) if factor.step else None
        if limit is not None and abs(float(after) - float(before)) > limit + 1e-9:
            reasons.append(f"the step of {abs(float(after) - float(before)):g} is larger than {limit:g}")
    return tuple(reasons)
