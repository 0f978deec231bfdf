"""What cannot hold at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from contracts.goal import Constraint, Target
from contracts.metric import MetricDefinition
from goals.translation.reading import better
from goals.translation.wording import Voice, shown


def check(
    targets: list[Target],
    constraints: list[Constraint],
    *,
    held: set[str],
    metrics: Mapping[str, MetricDefinition],
    voice: Voice,
) -> None:
    """Add every contradiction to `voice`."""
    for target in targets:
        _check_target(target, metrics[target.metric], voice)
    for constraint in constraints:
        _check_range(constraint.value if constraint.kind in ("min", "max") else None, metrics[constraint.metric], voice)
    for one, other in combinations(targets, 2):
        if one.metric == other.metric and (one.category == other.category or None in (one.category, other.category)):
            _check_pair(one, other, metrics[one.metric], voice)
    for target in targets:
        for constraint in constraints:
            if target.metric == constraint.metric:
                _check_against(target, constraint, metrics[target.metric], held, voice)
    for one_limit, other_limit in combinations(constraints, 2):
        if one_limit.metric == other_limit.metric and {one_limit.kind, other_limit.kind} == {"min", "max"}:
            low, high = (one_limit, other_limit) if one_limit.kind == "min" else (other_limit, one_limit)
            if (low.value or 0) > (high.value or 0):
                name = metrics[low.metric].title
                voice.conflict(
                    f"{name} has a lower limit above its upper limit.", f"«{low.metric}»: нижняя граница выше верхней."
                )


def _check_target(target: Target, metric: MetricDefinition, voice: Voice) -> None:
    if metric.priority != "diagnostic" and target.direction != better(metric):
        voice.conflict(
            f"The goal asks {metric.title} to {target.direction}, which is worse.",
            f"Цель просит «{metric.name}» изменить в худшую сторону ({target.direction}).",
        )
    _check_range(target.value, metric, voice)
    if target.delta is not None and metric.unit == "share" and not target.relative and target.delta > 1:
        voice.conflict(
            f"{metric.title} cannot change by more than 100 points.",
            f"«{metric.name}» не может измениться больше чем на 100 пунктов.",
        )
    if target.relative and target.delta is not None and target.direction == "decrease" and target.delta >= 1:
        voice.conflict(
            f"{metric.title} cannot fall by 100 % of its value or more.",
            f"«{metric.name}» не может упасть на 100 % и больше.",
        )


def _check_range(value: float | None, metric: MetricDefinition, voice: Voice) -> None:
    if value is None:
        return
    low, high = {"share": (0.0, 1.0), "score": (1.0, 5.0)}.get(metric.unit, (0.0, float("inf")))
    empty = value == 0 and metric.unit in ("ms", "USD")
    if low <= value <= high and not empty:
        return
    voice.conflict(
        f"{metric.title} cannot be {shown(value, metric)}.", f"«{metric.name}» не может быть {shown(value, metric)}."
    )


def _check_pair(one: Target, other: Target, metric: MetricDefinition, voice: Voice) -> None:
    if one.direction != other.direction:
        voice.conflict(
            f"{metric.title} should both increase and decrease.", f"«{metric.name}» должна и расти, и снижаться."
        )
    elif one.category == other.category and (one.value, one.delta) != (other.value, other.delta):
        voice.conflict(f"{metric.title} has two different targets.", f"У «{metric.name}» две разные цели.")


def _check_against(
    target: Target, constraint: Constraint, metric: MetricDefinition, held: set[str], voice: Voice
) -> None:
    up = target.direction == "increase"
    against = (
        metric.name in held
        or (constraint.kind == "no_large_rise" and up)
        or (constraint.kind == "no_large_drop" and not up)
        or (constraint.kind == "max" and up and _beyond(target.value, constraint.value))
        or (constraint.kind == "min" and not up and _beyond(constraint.value, target.value))
    )
    if against:
        voice.conflict(
            f"Target and constraint contradict: {metric.title} should {target.direction} and must not.",
            f"Цель и ограничение противоречат: «{metric.name}» надо изменить ({target.direction}) и нельзя.",
        )


def _beyond(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit
