"""What two goals cannot have at once. Parameters are one for all, so goals contradict across data sets too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from contracts.goal import Constraint, Target

_AGAINST = {"no_large_rise": "increase", "no_large_drop": "decrease", "max": "increase", "min": "decrease"}


def contradictions(
    targets: Sequence[Target],
    constraints: Sequence[Constraint],
    other_targets: Sequence[Target],
    other_constraints: Sequence[Constraint],
) -> list[str]:
    """Each pair that contradicts, as a clause: the first goal's wish, then the other's; empty when both can be had."""
    found = [
        f"{one.metric} should {one.direction} here and {other.direction} there"
        for one, other in product(targets, other_targets)
        if one.metric == other.metric and one.direction != other.direction and _same_questions(one, other)
    ]
    found += [_limit(one, limit, "there") for one, limit in product(targets, other_constraints) if _breaks(one, limit)]
    found += [_limit(one, limit, "here") for one, limit in product(other_targets, constraints) if _breaks(one, limit)]
    found += [
        f"{one.metric} must be at least {low.value:g} and at most {high.value:g}"
        for one, other in product(constraints, other_constraints)
        if one.metric == other.metric and {one.kind, other.kind} == {"min", "max"}
        for low, high in [(one, other) if one.kind == "min" else (other, one)]
        if low.value is not None and high.value is not None and low.value > high.value
    ]
    return list(dict.fromkeys(found))


def _same_questions(one: Target, other: Target) -> bool:
    return one.category is None or other.category is None or one.category == other.category


def _breaks(target: Target, limit: Constraint) -> bool:
    """Whether reaching `target` breaks `limit`. A fixed limit is broken only by a value beyond it."""
    if target.metric != limit.metric or _AGAINST[limit.kind] != target.direction:
        return False
    if limit.kind in ("no_large_rise", "no_large_drop"):
        return True
    if target.value is None or limit.value is None:
        return False
    return target.value > limit.value if limit.kind == "max" else target.value < limit.value


def _limit(target: Target, limit: Constraint, where: str) -> str:
    words = {
        "no_large_rise": "must not rise",
        "no_large_drop": "must not fall",
        "max": f"must stay at most {limit.value:g}" if limit.value is not None else "",
        "min": f"must stay at least {limit.value:g}" if limit.value is not None else "",
    }[limit.kind]
    other = "here" if where == "there" else "there"
    return f"{target.metric} should {target.direction} {other} and {words} {where}"
