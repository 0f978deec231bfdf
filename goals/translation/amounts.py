"""A quantity in the unit of a metric: absolute value, change, or share of the current value."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.metric import MetricDefinition
from goals.translation.tokens import Quantity
from goals.translation.wording import Voice, shown


@dataclass(frozen=True)
class Amount:
    value: float | None = None
    delta: float | None = None
    relative: bool = False


def is_ratio(metric: MetricDefinition) -> bool:
    """Percentages of these are shares of the current value: 20 % of a cost is no cost."""
    return metric.unit != "share"


def target_amount(  # noqa: PLR0911 - one return a unit
    quantity: Quantity,
    metric: MetricDefinition,
    *,
    compares: frozenset[str],
    direction: str,
    has_verb: bool,
    relative: bool,
    voice: Voice,
) -> Amount | None:
    """What `quantity` asks of `metric`; None when its unit does not fit.

    A percentage that changes a share is read as percentage points, unless the text says that it is relative.
    """
    amount, unit = quantity.amount, quantity.unit
    absolute = bool(compares & {"to", "lt", "gt", "le", "ge", "upto", "within"}) and "by" not in compares
    if unit == "times":
        change = amount - 1 if direction == "increase" else 1 - 1 / amount if amount else None
        return None if change is None or change < 0 else Amount(delta=round(change, 6), relative=True)
    if unit == "part":
        if metric.unit == "share" and compares & {"lt", "gt"} and "by" not in compares:
            return Amount(value=round(amount, 6))  # "above one half"
        if "to" in compares:
            if metric.unit == "share" and direction == "increase":
                return Amount(value=round(amount, 6))  # "raise to two thirds"
            return Amount(delta=round(1 - amount, 6), relative=True)  # "cut to a third" of what it is
        return Amount(delta=round(amount, 6), relative=True)
    if unit == "pp" and metric.unit == "score":
        return Amount(delta=round(amount * 100, 6))  # "by half a point"
    if unit == "pp":
        return Amount(delta=round(amount, 6)) if metric.unit == "share" else None
    if unit == "%":
        return _percentage(quantity, metric, absolute=absolute, has_verb=has_verb, relative=relative, voice=voice)
    if not _fits(unit, metric):
        return None
    value = _plain(amount, unit, metric, voice)
    if quantity.sign or "by" in compares:
        return Amount(delta=round(value, 6))
    return Amount(value=round(value, 6))


def margin_amount(quantity: Quantity, metric: MetricDefinition, voice: Voice) -> float | None:
    """The allowed change of a guard: a share for shares and for cost (relative), ms for latency."""
    amount, unit = quantity.amount, quantity.unit
    if unit == "pp":
        return amount if metric.unit == "share" else None
    if unit in ("%", "part"):
        if metric.unit in ("share", "USD") or metric.kind == "positive":
            if metric.unit == "share":
                voice.assume(
                    f"The allowed change of {metric.title} is read as {amount * 100:.4g} percentage points.",
                    f"Допустимое изменение «{metric.name}» понято как {amount * 100:.4g} процентных пункта.",
                )
            return round(amount, 6)
        if metric.target is None:
            return None
        value = round(amount * metric.target, 6)
        voice.assume(
            f"{amount * 100:.4g} % of {metric.title} is taken of its target, {shown(metric.target, metric)}.",
            f"{amount * 100:.4g} % для «{metric.name}» взяты от целевого значения {shown(metric.target, metric)}.",
        )
        return value
    if not _fits(unit, metric):
        return None
    return round(_plain(amount, unit, metric, voice), 6)


def _percentage(
    quantity: Quantity,
    metric: MetricDefinition,
    *,
    absolute: bool,
    has_verb: bool,
    relative: bool,
    voice: Voice,
) -> Amount | None:
    amount = round(quantity.amount, 6)
    if quantity.ranged:
        voice.assume(
            f"Of the range for {metric.title} its first number is the target.",
            f"Из диапазона для «{metric.name}» целью взято первое число.",
        )
    if is_ratio(metric):
        if absolute and metric.unit not in ("score",):
            change = round(abs(1 - amount), 6)
            voice.assume(
                f"“{amount * 100:.4g} %” of {metric.title} is read as {amount * 100:.4g} % of its current value.",
                f"«{amount * 100:.4g} %» для «{metric.name}» понято как {amount * 100:.4g} % от текущего значения.",
            )
            return Amount(delta=change, relative=True)
        return None if absolute else Amount(delta=amount, relative=True)
    if absolute:
        return Amount(value=amount)
    if not quantity.sign and not has_verb:
        return Amount(value=amount)  # "recall 60 %"
    if relative:
        return Amount(delta=amount, relative=True)
    voice.assume(
        f"{amount * 100:.4g} % on {metric.title} is read as percentage points, not as a share of the current value.",
        f"{amount * 100:.4g} % по «{metric.name}» понято как процентные пункты, а не доля от текущего значения.",
    )
    return Amount(delta=amount)


def _fits(unit: str, metric: MetricDefinition) -> bool:
    return unit == "plain" or {"ms": "ms", "usd": "USD", "score": "score"}.get(unit) == metric.unit


def _plain(amount: float, unit: str, metric: MetricDefinition, voice: Voice) -> float:
    if unit != "plain" or amount == 0:
        return amount
    if metric.unit == "share" and amount > 1:
        voice.assume(
            f"{amount:.4g} on {metric.title} is read as {amount:.4g} %.",
            f"{amount:.4g} для «{metric.name}» понято как {amount:.4g} %.",
        )
        return amount / 100
    if metric.unit == "ms" and amount < 60:
        voice.assume(
            f"{amount:.4g} on {metric.title} is read as seconds.",
            f"{amount:.4g} для «{metric.name}» понято как секунды.",
        )
        return amount * 1000
    return amount
