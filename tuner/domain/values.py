"""Is this a value of that factor, and is it the same as another? Pure."""

from __future__ import annotations

import math
from typing import Any

from contracts.change import GuardCode, GuardViolation
from contracts.parameters import FactorDefinition, ParameterValue

_NAME = "a name"
_TYPE_NAMES = {"int": "a whole number", "float": "a number", "bool": "true or false", "choice": _NAME, "prompt": _NAME}


def allowed_text(factor: FactorDefinition) -> Any:
    """What the factor takes at all: `[low, high]` for numbers, the names for choices, both for bool."""
    if factor.type == "bool":
        return [False, True]
    if factor.choices:
        return list(factor.choices)
    return [factor.low, factor.high]


def shown_range(factor: FactorDefinition) -> str:
    """What the factor takes at all, for a sentence."""
    allowed = allowed_text(factor)
    if factor.type in ("int", "float") and None not in allowed:
        return f"{allowed[0]:g} to {allowed[1]:g}"
    return ", ".join("any" if item is None else str(item) for item in allowed)


def value_violation(factor: FactorDefinition, value: ParameterValue) -> GuardViolation | None:
    """WRONG_TYPE or OUT_OF_RANGE (hard limits), or None. NaN and infinity are no numbers; bool is no int."""
    if not _has_type(factor, value):
        return GuardViolation(
            code=GuardCode.WRONG_TYPE,
            param=factor.key,
            value=value if not isinstance(value, float) or math.isfinite(value) else str(value),
            limit=factor.type,
            allowed=allowed_text(factor),
            message=f"{factor.key} takes {_TYPE_NAMES[factor.type]}, not {value!r}",
        )
    if factor.type in ("choice", "prompt"):
        inside = value in factor.choices
    elif factor.type == "bool":
        inside = True
    else:
        inside = _within(float(value), factor.low, factor.high)
    if inside:
        return None
    limit = allowed_text(factor)
    return GuardViolation(
        code=GuardCode.OUT_OF_RANGE,
        param=factor.key,
        value=value,
        limit=limit,
        allowed=limit,
        message=f"{factor.key} = {value} is outside what is possible at all: {shown_range(factor)}",
    )


def beyond_auto_range(factor: FactorDefinition, value: ParameterValue) -> bool:
    """Whether a human must agree, though the value is possible. The value has the factor's type."""
    if isinstance(value, bool | str):
        return False
    return not _within(float(value), factor.auto_low, factor.auto_high)


def step_span(factor: FactorDefinition, current: ParameterValue) -> tuple[float, float] | None:
    """The lowest and highest value that one change may reach, inside the hard range; None without a limit.

    A relative step of a value at 0 would be 0 for ever, so there it is that share of the hard range's width.
    """
    if factor.step is None or isinstance(current, bool | str):
        return None
    reach = factor.step
    if factor.step_relative:
        width = (factor.high or 0.0) - (factor.low or 0.0)
        reach *= abs(current) or width
    low = current - reach if factor.low is None else max(factor.low, current - reach)
    high = current + reach if factor.high is None else min(factor.high, current + reach)
    if factor.type == "int":
        return math.ceil(low - 1e-9), math.floor(high + 1e-9)
    return round(low, 12), round(high, 12)


def step_too_large(span: tuple[float, float], value: float) -> bool:
    return not _within(value, *span)


def normalised(factor: FactorDefinition, value: ParameterValue) -> ParameterValue:
    """The one form in which a valid value is stored, so that equal contents have equal hashes."""
    return float(value) if factor.type == "float" else value


def same_value(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def _has_type(factor: FactorDefinition, value: ParameterValue) -> bool:
    if factor.type == "bool":
        return isinstance(value, bool)
    if factor.type in ("choice", "prompt"):
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) if factor.type == "int" else math.isfinite(value)


def _within(value: float, low: float | None, high: float | None) -> bool:
    tolerance = 1e-9 * max(1.0, abs(value))
    return (low is None or value >= low - tolerance) and (high is None or value <= high + tolerance)
