"""`manage.py translate_goal TEXT`: what the Manager understands of a sentence. Changes nothing."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from contracts.goal import Constraint, GoalTranslation, Target
from contracts.metric import METRICS
from manager.services.campaigns import goal_understand


class Command(BaseCommand):
    help = "Show what is understood of a goal, in Russian or English: targets, limits, assumptions, what was not read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", help='the goal, e.g. "Raise recall to 60 %% without losing precision"')
        parser.add_argument("--json", action="store_true", help="the documented machine-readable shape")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `InvalidInput` when nothing was understood; conflicts are shown and are no error here."""
        translation = goal_understand(options["text"])
        if options["json"]:
            self.stdout.write(json.dumps(translation.to_json(), ensure_ascii=False, indent=2))
            return
        for line in readable(translation):
            self.stdout.write(line)


def readable(translation: GoalTranslation) -> list[str]:
    """The translation as lines for a terminal."""
    lines = ["Understood"]
    lines += [f"  {place}. {_target(target)}" for place, target in enumerate(translation.targets, start=1)]
    lines += [f"  limit: {_constraint(constraint)}" for constraint in translation.constraints]
    if translation.forbidden_impacts:
        lines.append("  never changes: " + ", ".join(translation.forbidden_impacts))
    lines.append(f"  may change: {', '.join(translation.allowed_impacts) or 'nothing'}")
    if translation.autonomy is not None:
        lines.append(f"  autonomy: {translation.autonomy}")
    budget = translation.budget.model_dump(exclude_none=True)
    if budget:
        lines.append("  budget: " + ", ".join(f"{amount:g} {unit}" for unit, amount in budget.items()))
    for title, sentences in (
        ("Assumed", translation.assumptions),
        ("Not read", translation.unread),
        ("Conflicts", translation.conflicts),
    ):
        if sentences:
            lines.append(title)
            lines += [f"  - {sentence}" for sentence in sentences]
    return lines


def _target(target: Target) -> str:
    unit = METRICS[target.metric].unit
    words = [target.metric, target.direction]
    if target.value is not None:
        words.append(f"to {_value(target.value, unit)}")
    elif target.delta is not None and target.relative:
        words.append(f"by {target.delta * 100:.4g} % of its current value")
    elif target.delta is not None:
        words.append(f"by {_value(target.delta, unit, points=True)}")
    else:
        words.append("as far as it goes")
    if target.category is not None:
        words.append(f"(category {target.category})")
    return " ".join(words)


def _constraint(constraint: Constraint) -> str:
    unit = METRICS[constraint.metric].unit
    value = constraint.value or 0.0
    if constraint.kind in ("max", "min"):
        return f"{constraint.metric} at {'most' if constraint.kind == 'max' else 'least'} {_value(value, unit)}"
    way = "drops" if constraint.kind == "no_large_drop" else "rises"
    amount = f"{value * 100:.4g} %" if unit == "USD" else _value(value, unit, points=True)
    return f"{constraint.metric} {way} by no more than {amount}"


def _value(value: float, unit: str, *, points: bool = False) -> str:
    if unit == "share":
        return f"{value * 100:.4g} {'points' if points else '%'}"
    return f"{value:.4g}{ {'ms': ' ms', 'USD': ' USD', 'days': ' days'}.get(unit, '') }"
