"""Recorded metrics as the pages say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from selflearn_site.pages import svg
from selflearn_site.pages.selectors import telemetry
from sensor.dashboard import Point, StageLatency
from sensor.domain.retention import month_name
from sensor.domain.rolled import RolledMetric
from teacher.domain.wording import amount

register = template.Library()


@register.filter
def said(value: float | None, metric: RolledMetric) -> str:
    """A mean or percentile in the metric's unit."""
    return telemetry.said(metric, value)


@register.filter
def share_percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


@register.filter
def count(value: float | None) -> str:
    """`12,345`"""
    return "–" if value is None else f"{value:,.0f}"


@register.filter
def ms(value: float | None) -> str:
    return "–" if value is None else amount("latency_ms", value)


@register.filter
def percentile(point: Point, percent: int) -> float | None:
    return point.percentile(percent / 100)


@register.filter
def stamp(bucket: datetime) -> str:
    """As it stands, whatever the zone of the page: `2026-11-20 14:00`."""
    return f"{bucket:%Y-%m-%d %H:%M}"


@register.filter
def month(starts: datetime) -> str:
    """Of UTC: `2026-11`."""
    return month_name(starts)


@register.filter
def mean_of(row: StageLatency) -> float:
    return float(row.total) / row.n


@register.simple_tag
def latency_bar(row: StageLatency, rows: Sequence[StageLatency]) -> SafeString:
    """One stage on the scale of the slowest."""
    most: Any = max((item.p95 for item in rows if item.p95 is not None), default=0.0)
    label = _("P50 %(p50)s, P95 %(p95)s") % {"p50": ms(row.p50), "p95": ms(row.p95)}
    return mark_safe(svg.percentile_bar(p50=row.p50, p95=row.p95, most=most, label=label))  # noqa: S308 - numbers alone
