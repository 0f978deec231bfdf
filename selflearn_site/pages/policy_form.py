"""The policy as a form: a field for each of its values, with help, unit and bounds, and the reason of the change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manager.domain.policy_fields import GROUPS, POLICY_FIELDS, PolicyField
from manager.models import Policy
from selflearn_site.pages.said import digits, term
from tuner.registry import FACTORS

GROUP_TITLES = {
    "autonomy": gettext_lazy("What the system may do by itself"),
    "approvals": gettext_lazy("How a person decides"),
    "golden": gettext_lazy("What golden must show"),
    "experiments": gettext_lazy("How experiments are made"),
    "dialogues": gettext_lazy("Dialogues and questions"),
    "judge": gettext_lazy("Who judges answers"),
}
UNITS = {
    "": "", "changes": gettext_lazy("changes in 24 hours"), "experiments": gettext_lazy("experiments"),
    "cycles": gettext_lazy("cycles"), "days": gettext_lazy("days"), "looks": gettext_lazy("looks"),
    "hours": gettext_lazy("hours"), "share": gettext_lazy("share"), "steps": gettext_lazy("steps"),
    "questions": gettext_lazy("questions"), "answers": gettext_lazy("answers"), "USD": gettext_lazy("US dollars"),
    "kappa": "κ", "labels": gettext_lazy("labels"),
}  # fmt: skip
_COLUMNS = {column.name: column for column in Policy._meta.concrete_fields}


def field_help(name: str) -> str:
    return str(_COLUMNS[name].help_text)


def field_title(name: str) -> str:
    return str(_COLUMNS[name].verbose_name) if name in _COLUMNS else name


def bounds(field: PolicyField) -> str:
    """The unit and what is possible, as the form says it beside the field."""
    unit = str(UNITS[field.unit])
    if field.above is not None and field.high is not None:
        said = _("above %(low)s, at most %(high)s") % {"low": f"{field.above:g}", "high": f"{field.high:g}"}
    elif field.low is not None and field.high is not None:
        said = _("from %(low)s to %(high)s") % {"low": f"{field.low:g}", "high": f"{field.high:,.0f}".replace(",", " ")}
    else:
        return ""
    return f"{unit}, {said}" if unit else said


def value_said(name: str, value: Any) -> str:
    """A value as a person reads it: `yes`, `at most 3`, the words of a choice, titles of factors."""
    field = POLICY_FIELDS.get(name)
    if field is None or value is None:
        return "–"
    if field.kind == "yes":
        return _("yes") if value else _("no")
    if field.kind == "one":
        return str(dict(_COLUMNS[name].choices or ()).get(value, value))
    if field.kind == "some":
        return ", ".join(term(FACTORS[key].title) if key in FACTORS else key for key in value) or _("none")
    return digits(f"{value:g}" if isinstance(value, float) else str(value))


def _made(name: str, field: PolicyField) -> forms.Field:
    column = _COLUMNS[name]
    said: dict[str, Any] = {"label": column.verbose_name, "help_text": column.help_text}
    if field.kind == "yes":
        return forms.BooleanField(required=False, **said)
    if field.kind == "one":
        return forms.ChoiceField(choices=[(key, words) for key, words in column.choices or () if key], **said)
    if field.kind == "some":
        return forms.MultipleChoiceField(
            choices=[(key, factor.title) for key, factor in FACTORS.items()],
            required=False,
            widget=forms.CheckboxSelectMultiple,
            **said,
        )
    low, high = int(field.low if field.low is not None else field.above or 0), int(field.high or 0)
    if field.kind == "whole":
        return forms.IntegerField(min_value=low, max_value=high, **said)
    widget = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(min_value=low, max_value=high, widget=widget, **said)


class PolicyForm(forms.Form):
    """Every value of the policy, then the reason and the version that the person saw."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}), strip=True
    )
    expected_version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, field in POLICY_FIELDS.items():
            self.fields[name] = _made(name, field)
            if field.kind not in ("yes", "some"):
                self.fields[name].widget.attrs["aria-describedby"] = f"help-{name}"

    def values(self) -> dict[str, Any]:
        """What was entered, by field. Ask `is_valid` before."""
        return {name: self.cleaned_data[name] for name in POLICY_FIELDS}

    def groups(self) -> Iterator[tuple[str, list[tuple[forms.BoundField, PolicyField, str]]]]:
        for group in GROUPS:
            rows = [
                (self[field.name], field, bounds(field)) for field in POLICY_FIELDS.values() if field.group == group
            ]
            yield str(GROUP_TITLES[group]), rows
