"""The formal side of a goal as a form: targets, limits, means. Errors stand at their fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.goal import Autonomy, Budget, Constraint, GoalTranslation, Target
from contracts.metric import METRICS
from goals.translation.editing import translation_edit
from goals.translation.model import CATEGORIES
from manager.services.campaigns import CYCLES, DIALOGUES, PRIORITY
from tuner.registry import FACTORS

_METRICS = [(name, metric.title) for name, metric in METRICS.items()]
_HOW = (
    ("to", gettext_lazy("to at least / at most")),
    ("by", gettext_lazy("by")),
    ("share", gettext_lazy("by a share of now")),
    ("far", gettext_lazy("as far as it goes")),
)
_DIRECTIONS = (("increase", gettext_lazy("raise")), ("decrease", gettext_lazy("lower")))
_KINDS = (
    ("no_large_drop", gettext_lazy("must not fall by more than")),
    ("no_large_rise", gettext_lazy("must not rise by more than")),
    ("max", gettext_lazy("at most")),
    ("min", gettext_lazy("at least")),
)
_AMOUNT = re.compile(r"(?P<n>\d+(?:[.,]\d+)?|[.,]\d+)\s*(?P<unit>%|ms|s|мс|с|\$|usd)?", re.IGNORECASE)
_SCALES = {"%": 0.01, "s": 1000.0, "с": 1000.0}


def amount_read(text: str, *, unit: str, share: bool = False) -> float:
    """`60 %`, `2.5 s`, `0,004 $` in the unit of a metric. Raises `ValidationError` saying what would do."""
    match = _AMOUNT.fullmatch(text.strip())
    said = (match["unit"] or "").lower() if match else ""
    fits = {"share": ("", "%"), "ms": ("", "ms", "s", "мс", "с"), "USD": ("", "$", "usd")}
    if match is None or said not in (("", "%") if share else fits.get(unit, ("",))):
        hints = {"share": _("a share, such as 60 % or 0.6"), "ms": _("a time, such as 800 ms or 2.5 s")}
        hint = hints["share"] if share else hints.get(unit, _("a number"))
        raise forms.ValidationError(_("This must be %(hint)s.") % {"hint": hint})
    return round(float(match["n"].replace(",", ".")) * _SCALES.get(said, 1.0), 8)


def amount_shown(value: float | None, *, unit: str, share: bool = False) -> str:
    if value is None:
        return ""
    if share or unit == "share":
        return f"{value * 100:.6g} %"
    return f"{value:.8g}" + {"ms": " ms", "USD": " $"}.get(unit, "")


class TargetForm(forms.Form):
    place = forms.IntegerField(label=gettext_lazy("Order"), min_value=1, max_value=99, required=False)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), choices=_DIRECTIONS)
    metric = forms.ChoiceField(label=gettext_lazy("Metric"), choices=[("", "–"), *_METRICS], required=False)
    how = forms.ChoiceField(label=gettext_lazy("How far"), choices=_HOW)
    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=20, required=False)
    category = forms.ChoiceField(
        label=gettext_lazy("Questions"),
        choices=[("", gettext_lazy("all")), *((name, name) for name in CATEGORIES)],
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        metric, how, text = METRICS.get(data.get("metric", "")), data.get("how"), data.get("amount", "")
        if metric is None or how is None:
            return data
        if how == "far":
            if text:
                self.add_error("amount", _("Empty it, or say how far."))
            return data
        try:
            data["number"] = amount_read(text, unit=metric.unit, share=how == "share")
        except forms.ValidationError as error:
            self.add_error("amount", error)
        else:
            if how != "to" and data["number"] <= 0:
                self.add_error("amount", _("A change is more than 0."))
        return data

    def target(self) -> Target | None:
        """None for a row without a metric: it is taken away."""
        data = self.cleaned_data
        if not data.get("metric"):
            return None
        number = data.get("number")
        return Target(
            metric=data["metric"],
            direction=data["direction"],
            value=number if data["how"] == "to" else None,
            delta=number if data["how"] in ("by", "share") else None,
            relative=data["how"] == "share",
            category=data["category"] or None,
        )


class LimitForm(forms.Form):
    metric = forms.ChoiceField(label=gettext_lazy("Metric"), choices=[("", "–"), *_METRICS], required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Limit"), choices=_KINDS)
    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=20, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        metric, kind, text = METRICS.get(data.get("metric", "")), data.get("kind", ""), data.get("amount", "")
        if metric is None:
            return data
        try:
            data["number"] = amount_read(text, unit=metric.unit, share=_is_share(metric.name, kind))
        except forms.ValidationError as error:
            self.add_error("amount", error)
        return data

    def constraint(self) -> Constraint | None:
        data = self.cleaned_data
        if not data.get("metric"):
            return None
        return Constraint(metric=data["metric"], kind=data["kind"], value=data["number"])


def _is_share(metric: str, kind: str) -> bool:
    """The allowed change of a cost is a share of its value (decision 0005)."""
    return kind.startswith("no_large") and METRICS[metric].unit in ("USD", "days")


class MeansForm(forms.Form):
    autonomy = forms.ChoiceField(
        label=gettext_lazy("Autonomy"), choices=[(level.value, level.value.replace("_", " ")) for level in Autonomy]
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority, 1 comes first"), min_value=1, max_value=1000, required=False
    )
    cycles = forms.IntegerField(label=gettext_lazy("Cycles, at most"), min_value=1, max_value=1000, required=False)
    dialogues = forms.IntegerField(
        label=gettext_lazy("Dialogues in each cycle"), min_value=1, max_value=100_000, required=False
    )
    tokens = forms.IntegerField(label=gettext_lazy("Tokens, at most"), min_value=1, required=False)
    usd = forms.FloatField(label=gettext_lazy("US dollars, at most"), required=False)
    hours = forms.FloatField(label=gettext_lazy("Hours, at most"), required=False)
    deadline = forms.DateTimeField(label=gettext_lazy("Deadline, UTC"), required=False)
    allowed = forms.MultipleChoiceField(
        label=gettext_lazy("May be moved"),
        choices=[(key, factor.title) for key, factor in FACTORS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_usd(self) -> float | None:
        return self._positive("usd")

    def clean_hours(self) -> float | None:
        return self._positive("hours")

    def _positive(self, name: str) -> float | None:
        value: float | None = self.cleaned_data.get(name)
        if value is not None and value <= 0:
            raise forms.ValidationError(_("A budget is more than 0."))
        return value

    def clean_deadline(self) -> datetime | None:
        value: datetime | None = self.cleaned_data.get("deadline")
        if value is None:
            return None
        value = value.replace(tzinfo=UTC)
        if value <= datetime.now(UTC):
            raise forms.ValidationError(_("The deadline has passed already."))
        return value

    def clean_allowed(self) -> list[str]:
        keys: list[str] = self.cleaned_data["allowed"]
        if not keys:
            raise forms.ValidationError(_("Nothing could be learnt: tick what may be moved."))
        return keys


class GoalForm:
    """Targets, limits and means together. `started`: made from what was posted, else from a translation."""

    def __init__(self, *, posted: Any = None, understood: GoalTranslation | None = None):
        shown = initial(understood) if understood is not None else {"targets": [], "limits": [], "means": {}}
        self.targets = _TARGETS(posted, initial=shown["targets"], prefix="targets")
        self.limits = _LIMITS(posted, initial=shown["limits"], prefix="limits")
        self.means = MeansForm(posted, initial=shown["means"])

    def is_valid(self) -> bool:
        return all([self.targets.is_valid(), self.limits.is_valid(), self.means.is_valid()])

    def translation(self, understood: GoalTranslation) -> GoalTranslation:
        """What the person wants of the sentence. Ask `is_valid` before."""
        rows = enumerate(self.targets.forms)
        ordered = sorted(rows, key=lambda row: (row[1].cleaned_data.get("place") or 99, row[0]))
        means = self.means.cleaned_data
        limits = {name: means[name] for name in ("tokens", "usd", "hours", "deadline") if means[name] is not None}
        asked = understood.budget.cycles
        if asked is not None or means["cycles"] not in (None, CYCLES):
            limits["cycles"] = means["cycles"] or CYCLES
        return translation_edit(
            understood,
            targets=[target for _place, form in ordered if (target := form.target()) is not None],
            constraints=[limit for form in self.limits.forms if (limit := form.constraint()) is not None],
            allowed=means["allowed"],
            autonomy=Autonomy(means["autonomy"]),
            budget=Budget.model_validate(limits),
            metrics=METRICS,
            factors=FACTORS,
        )


_TARGETS = forms.formset_factory(TargetForm, extra=1, max_num=20, absolute_max=20)
_LIMITS = forms.formset_factory(LimitForm, extra=1, max_num=20, absolute_max=20)


def initial(understood: GoalTranslation) -> dict[str, Any]:
    """The values of the form that say what was understood."""
    budget = understood.budget
    return {
        "targets": [_target_values(place, item) for place, item in enumerate(understood.targets, start=1)],
        "limits": [
            {
                "metric": item.metric,
                "kind": item.kind,
                "amount": amount_shown(
                    item.value, unit=METRICS[item.metric].unit, share=_is_share(item.metric, item.kind)
                ),
            }
            for item in understood.constraints
        ],
        "means": {
            "autonomy": str(understood.autonomy or Autonomy.SEMI_AUTO),
            "priority": PRIORITY,
            "cycles": budget.cycles or CYCLES,
            "dialogues": DIALOGUES,
            "tokens": budget.tokens,
            "usd": budget.usd,
            "hours": budget.hours,
            "deadline": budget.deadline and budget.deadline.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
            "allowed": list(understood.allowed_impacts),
        },
    }


def _target_values(place: int, item: Target) -> dict[str, Any]:
    how = "to" if item.value is not None else "far" if item.delta is None else "share" if item.relative else "by"
    number = item.value if item.value is not None else item.delta
    return {
        "place": place,
        "direction": item.direction,
        "metric": item.metric,
        "how": how,
        "amount": amount_shown(number, unit=METRICS[item.metric].unit, share=item.relative),
        "category": item.category or "",
    }
