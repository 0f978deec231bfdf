"""What a meta-user may change of a factor, and what nobody may. Pure.

The registry says what is possible at all (type, hard range, what is always a person's decision); an override moves the
rest: the automatic range, the step limit, the cooldown, whether a person must agree, whether the factor is frozen.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from contracts.parameters import FactorDefinition

COOLDOWN_MOST = 1000


@dataclass(frozen=True, slots=True)
class Override:
    """None: as the registry has it."""

    auto_low: float | None = None
    auto_high: float | None = None
    step: float | None = None
    cooldown_cycles: int | None = None
    manual: bool | None = None
    frozen: bool | None = None
    frozen_until: datetime | None = None

    @property
    def given(self) -> dict[str, Any]:
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}


NAMES = tuple(item.name for item in fields(Override))


def overridden(factor: FactorDefinition, override: Override | None, *, also: Collection[str] = ()) -> FactorDefinition:
    """The factor as it holds now. `also`: versions of its prompt that were registered since."""
    changes: dict[str, Any] = dict(override.given) if override else {}
    more = tuple(name for name in also if name not in factor.choices)
    if more:
        changes["choices"] = (*factor.choices, *more)
    return factor.model_copy(update=changes) if changes else factor


def problems(factor: FactorDefinition, override: Override) -> dict[str, str]:
    """Field → what is wrong with it; empty when the override may stand."""
    found: dict[str, str] = {}
    given = override.given
    numeric = factor.type in ("int", "float")
    for name in ("auto_low", "auto_high", "step"):
        if name in given and not numeric:
            found[name] = f"{factor.key} is no number: it has no range and no step"
        elif name in given and not math.isfinite(given[name]):
            found[name] = "a limit is a finite number"
    if numeric:
        found = _range_problems(factor, override) | found
    if override.step is not None and numeric and not override.step > 0:
        found["step"] = "a step is above 0"
    if override.step is not None and factor.type == "int" and not factor.step_relative and override.step % 1:
        found["step"] = "the step of a whole number is a whole number"
    if override.cooldown_cycles is not None and not 0 <= override.cooldown_cycles <= COOLDOWN_MOST:
        found["cooldown_cycles"] = f"a cooldown is not below 0 and at most {COOLDOWN_MOST}"
    if override.frozen_until is not None and not override.frozen:
        found["frozen_until"] = "only what is frozen has an end of its freeze"
    if override.manual is False and factor.manual:
        found["manual"] = f"{factor.key} is always a person's decision: {factor.reason}"
    return found


def _range_problems(factor: FactorDefinition, override: Override) -> dict[str, str]:
    found: dict[str, str] = {}
    low = factor.auto_low if override.auto_low is None else override.auto_low
    high = factor.auto_high if override.auto_high is None else override.auto_high
    for name, value in (("auto_low", override.auto_low), ("auto_high", override.auto_high)):
        if value is None:
            continue
        if (factor.low is not None and value < factor.low) or (factor.high is not None and value > factor.high):
            found[name] = f"outside what is possible at all: {factor.low:g} to {factor.high:g}"
        elif factor.type == "int" and value % 1:
            found[name] = f"{factor.key} takes whole numbers"
    if factor.auto_ceiling is not None and high is not None and high > factor.auto_ceiling:
        found.setdefault("auto_high", f"above {factor.auto_ceiling:g} a person always decides: {factor.reason}")
    if low is not None and high is not None and low > high:
        found.setdefault("auto_low" if override.auto_low is not None else "auto_high", "the range would be empty")
    return found


def stored(values: Mapping[str, Any]) -> Override:
    return Override(**{name: values.get(name) for name in NAMES})


def in_force(override: Override, at: datetime) -> Override:
    """What is left of the override then: a freeze ends by itself at its time."""
    if override.frozen_until is None or override.frozen_until > at:
        return override
    return replace(override, frozen=None, frozen_until=None)
