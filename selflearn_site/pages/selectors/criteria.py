"""Success criteria as rows of a table: in words, with their drawing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from contracts.metric import METRICS
from selflearn_site.pages import svg
from teacher.domain.wording import amount, change_of, interval

_GUARDS = ("no_large_drop", "no_large_rise")


@dataclass(frozen=True, slots=True)
class Row:
    """`tone`: good or bad once decided, else empty. `badge`: the decision, or what is missing for one."""

    metric: str
    title: str
    doc: str
    guard: bool
    criterion: str
    baseline: str
    variant: str
    estimate: float | None
    low: float | None
    high: float | None
    value: str
    span: str
    confidence: str
    test: str
    reason: str
    n: int
    tone: str
    badge: str
    bar: SafeString


def criterion_rows(criteria: Sequence[Mapping[str, Any]], spec: Mapping[str, Any]) -> list[Row]:
    """Rows in the order of the evaluation. `spec`: the mission's spec, for what was asked."""
    asked = {(item["metric"], item["direction"]): item for item in spec.get("success_criteria", [])}
    return [_row(item, asked.get((item["metric"], item["direction"]), {})) for item in criteria]


def _row(item: Mapping[str, Any], asked: Mapping[str, Any]) -> Row:
    name = item["metric"]
    definition = METRICS.get(name)
    guard = item["direction"] in _GUARDS
    tone, badge = _decision(item)
    margin = item.get("margin") if guard else None
    value, span = change_of(name, item["estimate"]), interval(name, item["low"], item["high"])
    drawing = svg.interval(
        estimate=item["estimate"],
        low=item["low"],
        high=item["high"],
        margin=margin if margin is not None else asked.get("max_delta"),
        floor=item["direction"] == "no_large_drop",
        tone="" if guard and tone == "good" else tone,
        label=f"{value} {span}",
    )
    return Row(
        metric=name,
        title=definition.title if definition else name,
        doc=definition.doc if definition else "",
        guard=guard,
        criterion=_criterion(item, asked),
        baseline=amount(name, item.get("baseline_value")),
        variant=amount(name, item.get("variant_value")),
        estimate=item["estimate"],
        low=item["low"],
        high=item["high"],
        value=value,
        span=span,
        confidence=_confidence(item, guard=guard),
        test=_test(item),
        reason=item["reason"],
        n=item["n"],
        tone=tone,
        badge=badge,
        bar=mark_safe(drawing),  # noqa: S308 - built from numbers, its label escaped
    )


def _confidence(item: Mapping[str, Any], *, guard: bool) -> str:
    """`95 %`: what the interval holds. A guard's has its level in each tail, a target's half of it; corrected levels
    give other intervals than 95 %."""
    level = item.get("level")
    if not level:
        return ""
    return f"{100 * (1 - level * (2 if guard else 1)):.3g} %"


def _decision(item: Mapping[str, Any]) -> tuple[str, str]:
    if item["passes"]:
        return "good", _("passes")
    if item.get("failed_significantly"):
        return "bad", _("fails")
    needs = item.get("needs_n")
    if needs and needs > item["n"]:
        return "", _("needs n = %(n)s") % {"n": needs}
    return "", _("not shown")


def _test(item: Mapping[str, Any]) -> str:
    p = item.get("p_value")
    if p is None:
        return "–"
    if p < 0.0001:
        return "p < .0001"
    return "p " + (f"{p:.4f}".rstrip("0").removeprefix("0") if p < 1 else "1")


def _criterion(item: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    name, direction = item["metric"], item["direction"]
    relative = name in METRICS and METRICS[name].kind == "positive"

    def size(value: float) -> str:
        return f"{abs(value) * 100:g} %" if relative else amount(name, abs(value))

    if direction in _GUARDS:
        limit = item.get("margin") if item.get("margin") is not None else asked.get("max_delta")
        word = _("no drop over") if direction == "no_large_drop" else _("no rise over")
        return f"{word} {size(limit)}" if limit is not None else word
    least = asked.get("min_delta")
    word = _("increase") if direction == "increase" else _("decrease")
    return f"{word} ≥ {size(least)}" if least else word
