"""Checks of a spec that a person wrote, against the registry of factors, the metrics and the campaign's goal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contracts.experiment_spec import ExperimentSpec
from contracts.metric import METRICS
from contracts.parameters import ParameterChange
from experiments.spec_text import SpecError
from goals.models import Campaign
from manager.models import Approval
from tuner.domain.values import normalised, same_value, value_violation
from tuner.factors import factors_now
from tuner.registry import FACTORS, canonical_key

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,110}")


def change_read(
    spec: ExperimentSpec, campaign: Campaign, active: dict[str, Any]
) -> tuple[ParameterChange | None, list[SpecError]]:
    """The one change that the two arms differ in, and what is wrong with them."""
    errors = [] if _SLUG.fullmatch(spec.experiment_id) else [
        SpecError("experiment_id", "letters, digits, - and _ only, at most 110 of them")]  # fmt: skip
    if len(spec.variants) != 2:
        return None, [*errors, SpecError("variants", f"exactly two arms are compared, not {len(spec.variants)}")]
    arms: dict[str, dict[str, Any]] = {}
    for place, variant in enumerate(spec.variants):
        values = arms.setdefault("base" if variant.name == spec.baseline else "variant", {})
        for name, value in variant.params.items():
            path, key = f"variants.{place}.params.{name}", canonical_key(name)
            problem = _value_problem(key, value, active, baseline=variant.name == spec.baseline)
            if problem:
                errors.append(SpecError(path, problem))
            else:
                values[key] = normalised(FACTORS[key], value)
    if errors:
        return None, errors
    full = {**active, **arms["base"]}
    moved = [key for key, value in arms["variant"].items() if not same_value(value, full[key])]
    if len(moved) != 1:
        told = "the arms are equal" if not moved else f"the arms differ in {', '.join(moved)}"
        return None, [SpecError("variants", f"{told}; an experiment moves exactly one factor")]
    key = moved[0]
    return ParameterChange(param=key, from_value=full[key], to_value=arms["variant"][key]), _may_move(key, campaign)


def _value_problem(key: str, value: Any, active: dict[str, Any], *, baseline: bool) -> str:
    factor = factors_now().get(key)
    if factor is None:
        return f"there is no impact factor {key!r}"
    if not isinstance(value, bool | int | float | str):
        return "a value is a number, a word, true or false"
    violation = value_violation(factor, value)
    if violation is not None:
        return violation.message
    if baseline and not same_value(normalised(factor, value), active.get(key)):
        return f"the baseline is what is in force, {active.get(key)}, not {value}"
    return ""


def _may_move(key: str, campaign: Campaign) -> list[SpecError]:
    goal = campaign.goal
    if FACTORS[key].acts_on != "answer":
        return [SpecError("variants", f"{key} acts when memory is written, which an experiment on answers cannot test")]
    if key not in goal.allowed_impacts or key in goal.forbidden_impacts:
        return [SpecError("variants", f"the goal of campaign {campaign.number} does not allow moving {key}")]
    waits = Approval.objects.filter(campaign=campaign, status="pending", experiment__factor=key).first()
    if waits is not None:
        return [SpecError("variants", f"{waits.experiment.slug} on {key} waits for a person already")]
    return []


def criteria_errors(spec: ExperimentSpec) -> list[SpecError]:
    return list(_criteria_problems(spec))


def _criteria_problems(spec: ExperimentSpec) -> Iterator[SpecError]:
    for place, item in enumerate(spec.success_criteria):
        path = f"success_criteria.{place}"
        metric = METRICS.get(item.metric)
        if metric is None:
            yield SpecError(f"{path}.metric", f"there is no metric {item.metric!r}")
            continue
        good = ("increase", "no_large_drop") if metric.higher_is_better else ("decrease", "no_large_rise")
        if item.direction not in good:
            better = "higher" if metric.higher_is_better else "lower"
            yield SpecError(f"{path}.direction", f"{item.metric} is better when {better}: {' or '.join(good)}")
    if all(item.is_guard for item in spec.success_criteria):
        yield SpecError("success_criteria", "nothing is to improve: an increase or decrease is missing")
