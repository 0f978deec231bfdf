"""Parameters for their page: what is in force, since when, and what each activation changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from contracts.parameters import FactorDefinition, ParameterChange
from selflearn_site.pages import svg
from tuner.domain.content import diff
from tuner.domain.values import same_value
from tuner.factors import factors_now
from tuner.models import ParameterActivation, ParameterVersion
from tuner.registry import DEFAULTS


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A factor in force. `since`: the activation that gave it this value; None: always had it."""

    factor: FactorDefinition
    value: Any
    default: bool
    bar: SafeString
    hard: str
    auto: str
    step: str
    since_version: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ActivationRow:
    activation: ParameterActivation
    changes: tuple[ParameterChange, ...]
    stable: bool
    rolled_back: bool


def activations(*, limit: int = 200) -> tuple[list[ParameterActivation], dict[int, ParameterVersion]]:
    """Newest first, with every version that they name. Two queries."""
    rows = list(ParameterActivation.objects.order_by("-id")[:limit])
    wanted = {row.version for row in rows} | {row.previous for row in rows if row.previous is not None}
    return rows, {item.version: item for item in ParameterVersion.objects.filter(version__in=wanted)}


def activation_rows(
    rows: Sequence[ParameterActivation], versions: Mapping[int, ParameterVersion]
) -> list[ActivationRow]:
    """Each activation with what it changed."""
    return [
        ActivationRow(
            activation=row,
            changes=()
            if row.previous is None or row.previous not in versions
            else diff(_values(versions[row.previous]), _values(versions[row.version])),
            stable=versions[row.version].stable_since is not None,
            rolled_back=versions[row.version].rolled_back_at is not None,
        )
        for row in rows
    ]


def factor_rows(rows: Sequence[ParameterActivation], versions: Mapping[int, ParameterVersion]) -> list[FactorRow]:
    """Every factor with its active value, in the registry's order."""
    if not rows:
        return []
    values = _values(versions[rows[0].version])
    return [_factor_row(factor, values[key], rows, versions) for key, factor in factors_now().items()]


def _factor_row(
    factor: FactorDefinition,
    value: Any,
    rows: Sequence[ParameterActivation],
    versions: Mapping[int, ParameterVersion],
) -> FactorRow:
    came = _came_with(factor.key, value, rows, versions)
    bar = ""
    if isinstance(value, int | float) and not isinstance(value, bool) and None not in (factor.low, factor.high):
        bar = svg.range_bar(
            value=float(value),
            low=float(factor.low or 0),
            high=float(factor.high or 0),
            auto_low=None if factor.manual else factor.auto_low,
            auto_high=None if factor.manual else factor.auto_high,
            label=f"{value:g} ({factor.low:g} … {factor.high:g})",
        )
    return FactorRow(
        factor=factor,
        value=value,
        default=same_value(value, DEFAULTS[factor.key]),
        bar=mark_safe(bar),  # noqa: S308 - built from numbers alone
        hard=_span(factor.low, factor.high) if not factor.choices else ", ".join(factor.choices),
        auto="" if factor.manual else _span(factor.auto_low, factor.auto_high),
        step="" if factor.step is None else (f"{factor.step:.0%}" if factor.step_relative else f"{factor.step:g}"),
        since_version=came.version if came else None,
        since=came.at if came else None,
    )


def _came_with(
    key: str, value: Any, rows: Sequence[ParameterActivation], versions: Mapping[int, ParameterVersion]
) -> ParameterActivation | None:
    """The oldest activation since which the factor has had this value without a break."""
    came = None
    for row in rows:
        if not same_value(_values(versions[row.version])[key], value):
            return came
        came = row
    return None


def _values(version: ParameterVersion) -> dict[str, Any]:
    return {**DEFAULTS, **version.stored_values}


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g} – {high:g}"
