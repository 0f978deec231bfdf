"""Impact factors for their pages: what holds for each, what the registry says, and what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

from audit.models import AuditEntry
from contracts.parameters import FactorDefinition
from selflearn_site.templatetags.pages import clock_of, setting
from tuner.domain.values import allowed_text
from tuner.factors import FactorState, factor_states
from tuner.models import FactorSetting
from tuner.selectors import active_version, version_values

HISTORY_ROWS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """As sentences: the range without a person, the largest step. Empty where there is none."""

    auto: str
    step: str
    cooldown: int
    manual: bool


@dataclass(frozen=True, slots=True)
class Row:
    state: FactorState
    value: Any
    possible: str
    now: Limits
    registered: Limits
    bounded: bool
    given: dict[str, Any]
    """What a meta-user set, for the form; others are as the registry has them."""


def rows() -> list[Row]:
    """Every factor in the registry's order. Four queries."""
    values = version_values(active_version().version)
    return [_row(state, values[key]) for key, state in factor_states().items()]


def row(key: str) -> Row:
    return next(item for item in rows() if item.state.now.key == key)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a factor's limits: its fields by their titles, with what each was set to."""

    entry: AuditEntry
    fields: list[tuple[str, str]]
    froze: bool


def history(key: str) -> list[Edit]:
    """What was done to this factor's limits, newest first."""
    entries = AuditEntry.objects.filter(subject_type="factor", subject_id=key).order_by("-id")[:HISTORY_ROWS]
    return [
        Edit(
            entry=entry,
            fields=[(_title(name), _told(name, value)) for name, value in (entry.after or {}).items()],
            froze=bool((entry.after or {}).get("frozen")),
        )
        for entry in entries
    ]


def _title(name: str) -> str:
    try:
        return str(getattr(FactorSetting._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:  # a version of a prompt that was registered, offered or withdrawn
        return name


def _told(name: str, value: Any) -> str:
    if value is None:
        return _("as the registry has it")
    return clock_of(value) if name == "frozen_until" else setting(value)


def _row(state: FactorState, value: Any) -> Row:
    return Row(
        state=state,
        value=value,
        possible=_possible(state.now),
        now=_limits(state.now),
        registered=_limits(state.registered),
        bounded=bool(set(state.changed) - {"frozen", "frozen_until"}),
        given={name: _typed(getattr(state.now, name)) for name in state.changed},
    )


def _possible(factor: FactorDefinition) -> str:
    allowed = allowed_text(factor)
    if factor.type in ("int", "float") and None not in allowed:
        return f"{allowed[0]:g} – {allowed[1]:g}"
    return ", ".join(map(setting, allowed))


def _typed(value: Any) -> Any:
    """As a person would type it: `4`, not `4.0`."""
    return f"{value:g}" if isinstance(value, float) else value


def _limits(factor: FactorDefinition) -> Limits:
    numbers = (factor.auto_low, factor.auto_high)
    step = "" if factor.step is None else f"{factor.step:.0%}" if factor.step_relative else f"{factor.step:g}"
    return Limits(
        auto="" if factor.manual or None in numbers else f"{numbers[0]:g} – {numbers[1]:g}",
        step=step,
        cooldown=factor.cooldown_cycles,
        manual=factor.manual,
    )
