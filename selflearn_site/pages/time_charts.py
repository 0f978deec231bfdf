"""Figures over time for plotly as plain data; colours are names of the page's tokens (see `charts`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any

from django.utils.translation import gettext as _

from selflearn_site.pages.charts import SERIES
from selflearn_site.pages.selectors.telemetry import SHOWS, Explored, Series, said_as, value_of
from sensor.dashboard import HitRateDay
from sensor.question import Question
from teacher.domain.wording import amount

_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--faint"}
_PREFIX = {"USD": "$"}
_SUFFIX = {"ms": " ms", "days": " d"}


def explored(found: Explored) -> dict[str, Any]:
    """Each drawn series over all buckets of the span; dots stand where something is known."""
    question = found.question
    buckets = question.buckets()
    data = [_line(item, buckets, question, found.show) for item in found.drawn]
    counted = found.show in ("n", "total")
    unit = "" if found.show == "n" or (counted and question.metric.unit in ("count", "share")) else question.metric.unit
    return {"data": data, "layout": _layout(buckets[0], buckets[-1], unit)}


def hit_rate(days: Sequence[HitRateDay], first: date, last: date) -> dict[str, Any]:
    known = {day.day: day for day in days}
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rates = [known[day].rate if day in known else None for day in every]
    text = [
        f"{day:%Y-%m-%d}<br><b>{amount('hit_rate', rate)}</b><br>n = {known[day].known if day in known else 0}"
        for day, rate in zip(every, rates, strict=True)
    ]
    line = _trace(_("Hit rate"), [f"{day:%Y-%m-%d}" for day in every], rates, text, SERIES[0], "solid")
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last))
    return {"data": [line], "layout": _layout(start, end, "share")}


def _line(item: Series, buckets: Sequence[datetime], question: Question, show: str) -> dict[str, Any]:
    values = [value_of(item.points.get(bucket), show) for bucket in buckets]
    pattern = "%Y-%m-%d" if question.grain == "day" else "%Y-%m-%d %H:%M"
    text = [
        f"{escape(item.name)}<br>{bucket.strftime(pattern)} UTC<br>"
        f"{SHOWS[show]}: <b>{said_as(question.metric, show, value)}</b><br>"
        f"n = {item.points[bucket].n if bucket in item.points else 0:,}"
        for bucket, value in zip(buckets, values, strict=True)
    ]
    moments = [f"{bucket:%Y-%m-%dT%H:%M:%S}" for bucket in buckets]
    return _trace(item.name, moments, values, text, SERIES[item.colour - 1], item.dash)


def _trace(name: str, x: list[str], y: list[float | None], text: list[str], colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": y,
        "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"size": 5, "color": colour},
        "text": text, "hovertemplate": "%{text}<extra></extra>", "connectgaps": True, "cliponaxis": False,
    }  # fmt: skip


def _layout(first: datetime, last: datetime, unit: str) -> dict[str, Any]:
    """Time from the first to the last bucket with room for their dots; values from zero."""
    room = max((last - first) * 0.02, timedelta(minutes=20))
    return {
        "font": _FONT, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False,
        "margin": {"l": 56, "r": 12, "t": 12, "b": 40}, "hovermode": "closest", "dragmode": False,
        "hoverlabel": {
            "bgcolor": "--surface", "bordercolor": "--line-strong", "align": "left",
            "font": {**_FONT, "color": "--text"},
        },
        "xaxis": {
            "type": "date", "range": [f"{first - room:%Y-%m-%dT%H:%M:%S}", f"{last + room:%Y-%m-%dT%H:%M:%S}"],
            "showgrid": False, "zeroline": False, "fixedrange": True, "nticks": 6, "linecolor": "--line",
            "tickangle": 0,
        },
        "yaxis": {
            "rangemode": "tozero", "gridcolor": "--line", "zeroline": False, "fixedrange": True, "nticks": 6,
            "tickprefix": _PREFIX.get(unit, ""), "ticksuffix": _SUFFIX.get(unit, ""),
            "tickformat": {"share": ".2f", "USD": ",.6~f"}.get(unit, ""),
        },
    }  # fmt: skip
