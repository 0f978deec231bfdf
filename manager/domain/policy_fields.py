"""What each field of the policy may be: its group, its unit and its bounds. Names and help stand with the columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal

from contracts.goal import Autonomy

Kind = Literal["whole", "number", "yes", "one", "some"]
Unit = Literal["", "changes", "experiments", "cycles", "days", "looks", "hours", "share", "steps", "questions",
               "answers", "USD", "kappa", "labels"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PolicyField:
    """`low`, `high`: both allowed; `above`: greater than it, itself not allowed. `choices` of a field that is one of
    them; `some` is a list, whose choices the caller knows."""

    name: str
    group: str
    kind: Kind
    unit: Unit = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()


def _whole(name: str, group: str, unit: Unit, low: int, high: int) -> PolicyField:
    return PolicyField(name, group, "whole", unit, low, high)


_LIST = (
    PolicyField("most_autonomy", "autonomy", "one", choices=tuple(level.value for level in Autonomy)),
    PolicyField("asked_factors", "autonomy", "some"),
    _whole("changes_per_day", "autonomy", "changes", 0, 1_000),
    _whole("max_parallel_experiments", "autonomy", "experiments", 1, 20),
    _whole("most_cycles", "autonomy", "cycles", 1, 1_000),
    PolicyField("rollback_preauthorised", "autonomy", "yes"),
    PolicyField("four_eyes", "approvals", "yes"),
    _whole("approval_days", "approvals", "days", 1, 365),
    _whole("approval_remind_hours", "approvals", "hours", 0, 8_760),
    PolicyField("golden_mode", "golden", "one", choices=("directional", "strict", "not_worse")),
    _whole("golden_budget", "golden", "looks", 0, 100_000),
    _whole("golden_looks_per_campaign", "golden", "looks", 0, 10_000),
    _whole("looks_per_experiment", "experiments", "looks", 1, 20),
    PolicyField("experiment_hours", "experiments", "number", "hours", 0, 8_760),
    PolicyField("screening_share", "experiments", "number", "share", high=1, above=0),
    _whole("screening_finalists", "experiments", "steps", 0, 1_000),
    _whole("screening_steps", "experiments", "steps", 1, 10_000),
    _whole("online_questions_per_cycle", "dialogues", "questions", 0, 10_000),
    PolicyField("max_invalid_dialogues", "dialogues", "number", "share", 0, 1),
    PolicyField("judge", "judge", "one", choices=("offline", "llm")),
    _whole("judge_sample_per_batch", "judge", "answers", 0, 1_000_000),
    PolicyField("judge_usd_per_batch", "judge", "number", "USD", 0, 100_000),
    PolicyField("judge_min_kappa", "judge", "number", "kappa", 0, 1),
    _whole("judge_min_labels", "judge", "labels", 0, 100_000),
    PolicyField("judge_uncalibrated_counts", "judge", "yes"),
)
POLICY_FIELDS: Mapping[str, PolicyField] = MappingProxyType({field.name: field for field in _LIST})
GROUPS = tuple(dict.fromkeys(field.group for field in _LIST))


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that one version has another value of than the other."""

    field: str
    before: Any
    after: Any


def value_problem(name: str, value: Any, *, factors: Collection[str]) -> str:
    """Why the field cannot have this value, in words; empty when it can. `factors`: those that `some` may name."""
    field = POLICY_FIELDS[name]
    if field.kind == "yes":
        return "" if isinstance(value, bool) else f"{name} is true or false, not {value!r}"
    if field.kind == "one":
        return "" if value in field.choices else f"{name} is one of {', '.join(field.choices)}, not {value!r}"
    if field.kind == "some":
        return _list_problem(name, value, factors)
    if isinstance(value, bool) or not isinstance(value, int if field.kind == "whole" else (int, float)):
        return f"{name} is a {'whole number' if field.kind == 'whole' else 'number'}, not {value!r}"
    return "" if _inside(field, value) else f"{name} is {bounds_said(field)}, not {value!r}"


def bounds_said(field: PolicyField) -> str:
    """`from 1 to 20`; `above 0, at most 1`."""
    if field.above is not None:
        return f"above {field.above:g}, at most {field.high:g}"
    return f"from {field.low:g} to {field.high:g}" if field.low is not None and field.high is not None else ""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Fields of `after` whose value is another than in `before`, in the order of the policy."""
    return [
        Difference(name, before.get(name), after[name])
        for name in POLICY_FIELDS
        if name in after and before.get(name) != after[name]
    ]


def _inside(field: PolicyField, value: float) -> bool:
    if not isfinite(value):
        return False
    low = field.low is None or value >= field.low
    return low and (field.high is None or value <= field.high) and (field.above is None or value > field.above)


def _list_problem(name: str, value: Any, factors: Collection[str]) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return f"{name} is a list of names, not {value!r}"
    unknown = [item for item in value if item not in factors]
    if unknown:
        return f"{name}: there is no factor {unknown[0]!r}"
    return "" if len(set(value)) == len(value) else f"{name} names a factor twice"
