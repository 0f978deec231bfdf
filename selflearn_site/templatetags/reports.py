"""What reports say, for their templates; drawings are SVG, so that a document needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from manager.reports import markdown, words
from selflearn_site.pages import svg

register = template.Library()
register.filter("metric_said", words.metric_said)
register.filter("target_said", words.target_said)
register.filter("effect_said", words.effect_said)
register.filter("step_said", words.step_said)
register.filter("cost_said", markdown.cost)
register.filter("means_said", markdown.means)
register.filter("state_said", markdown.state)
register.filter("told_said", markdown.told)


@register.filter
def before_said(row: Mapping[str, Any]) -> str:
    return words.before_after_said(row)[0]


@register.filter
def after_said(row: Mapping[str, Any]) -> str:
    return words.before_after_said(row)[1]


@register.filter
def effect_bar(row: Mapping[str, Any]) -> SafeString:
    """The estimate with its interval against zero; green or red once it is decided."""
    drawn = svg.interval(
        estimate=row.get("estimate"),
        low=row.get("low"),
        high=row.get("high"),
        tone="good" if row.get("passes") else "",
        label=f"{words.metric_said(row)} {words.effect_said(row)}",
    )
    return mark_safe(drawn)  # noqa: S308 - built from numbers, the label is escaped
