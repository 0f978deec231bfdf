"""Figures for plotly as plain data: no queries, no colours of their own.

A colour is the name of a token of the page's style sheet, `--accent` or `--accent/0.12` with an opacity; the browser
looks it up, so that light and dark come from one figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contracts.metric import METRICS
from teacher.domain.wording import amount

SERIES = ("--series-1", "--series-2", "--series-3", "--series-4", "--series-5")
_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--faint"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One measurement: where on the axis, under which version, its value, n and 95 % interval (None: not known)."""

    label: str
    version: int | None
    value: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One metric over the measurements; `target` is drawn dashed and named on the line."""

    metric: str
    name: str
    marks: Sequence[Mark]
    target: float | None = None
    target_text: str = ""


def progress(lines: Sequence[Line], *, rolled_back: Sequence[int] = ()) -> dict[str, Any]:
    """Metrics by cycle with their bands, the targets, and a tick wherever the version changed."""
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        colour = SERIES[index % len(SERIES)]
        data += [*_band(line, colour), _curve(line, colour)]
        last = next((place for place in reversed(range(len(line.marks))) if line.marks[place].value is not None), None)
        if last is not None:
            notes.append(_note(last, line.marks[last].value, f"<b>{line.name}</b>", colour, xanchor="left", xshift=8))
        if line.target is not None:
            shapes.append(_level(line.target))
            notes.append(
                _note(1, line.target, line.target_text, "--good", xref="paper", xanchor="right", yanchor="bottom")
            )
    marks = lines[0].marks if lines else ()
    shapes += [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": place, "x1": place, "y0": 0, "y1": 1,
            "line": {"color": "--line-strong", "width": 1, "dash": "dot"}, "layer": "below",
        }
        for place in _version_changes(marks)
    ]  # fmt: skip
    return {"data": data, "layout": _layout(marks, lines, shapes, notes, rolled_back)}


def _curve(line: Line, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "name": line.name,
        "x": list(range(len(line.marks))), "y": [mark.value for mark in line.marks],
        "line": {"color": colour, "width": 2}, "marker": {"size": 6, "color": colour},
        "text": [hover(line.metric, mark) for mark in line.marks], "hovertemplate": "%{text}<extra></extra>",
        "connectgaps": True, "cliponaxis": False,
    }  # fmt: skip


def _band(line: Line, colour: str) -> list[dict[str, Any]]:
    known = [(place, mark) for place, mark in enumerate(line.marks) if mark.low is not None and mark.high is not None]
    if len(known) < 2:
        return []
    places = [place for place, _mark in known]
    return [
        {
            "type": "scatter", "mode": "lines", "x": places + places[::-1],
            "y": [mark.high for _place, mark in known] + [mark.low for _place, mark in reversed(known)],
            "fill": "toself", "fillcolor": f"{colour}/0.13", "line": {"width": 0}, "hoverinfo": "skip",
        }
    ]  # fmt: skip


def hover(metric: str, mark: Mark) -> str:
    """`cycle 3 · v7`, value, interval and n, one below the other."""
    where = _("cycle %(label)s") % {"label": mark.label} if mark.label.isdigit() else mark.label
    text = f"{where} · v{mark.version}" if mark.version else where
    text += f"<br><b>{amount(metric, mark.value)}</b>"
    if mark.low is not None and mark.high is not None:
        text += f" [{amount(metric, mark.low)}, {amount(metric, mark.high)}]"
    return text + (f"<br>n = {mark.n}" if mark.n else "")


def _note(x: float, y: float | None, text: str, colour: str, **more: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"color": colour, "size": 12}, **more}


def _level(value: float) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
        "line": {"color": "--good", "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _version_changes(marks: Sequence[Mark]) -> list[int]:
    return [place for place in range(1, len(marks)) if marks[place].version != marks[place - 1].version]


def _layout(
    marks: Sequence[Mark],
    lines: Sequence[Line],
    shapes: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    rolled_back: Sequence[int],
) -> dict[str, Any]:
    values = [
        value
        for line in lines
        for value in (line.target, *(item for mark in line.marks for item in (mark.value, mark.low, mark.high)))
        if value is not None
    ]
    top, bottom = max(values, default=1.0), min(values, default=0.0)
    room = (top - bottom) * 0.14 or 0.1
    changed = {0, *_version_changes(marks)}
    ticks = []
    for place, mark in enumerate(marks):
        back = "↩" if mark.version in rolled_back else ""
        ticks.append(
            f"{mark.label}<br><b>v{mark.version}{back}</b>" if place in changed and mark.version else mark.label
        )
    unit = METRICS[lines[0].metric].unit if lines and lines[0].metric in METRICS else "share"
    return {
        "font": _FONT, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False,
        "margin": {"l": 44, "r": 20 + 7 * max((len(line.name) for line in lines), default=0), "t": 12, "b": 58},
        "separators": separators(), "hovermode": "closest", "dragmode": False,
        "hoverlabel": {
            "bgcolor": "--surface", "bordercolor": "--line-strong", "align": "left",
            "font": {**_FONT, "color": "--text"},
        },
        "xaxis": {
            "tickmode": "array", "tickvals": list(range(len(marks))), "ticktext": ticks, "showgrid": False,
            "title": {"text": _("cycle"), "standoff": 4},
            "zeroline": False, "fixedrange": True, "range": [-0.15, max(len(marks) - 1, 1) + 0.1], "tickangle": 0,
        },
        "yaxis": {
            "range": [max(0.0, bottom - room) if bottom >= 0 else bottom - room, top + room], "gridcolor": "--line",
            "zeroline": False, "fixedrange": True, "nticks": 6, "tickformat": ".2f" if unit == "share" else "",
        },
        "shapes": shapes, "annotations": notes,
    }  # fmt: skip


def separators() -> str:
    """What plotly puts before decimals and between thousands, in the reader's language."""
    return ".," if (get_language() or "en").startswith("en") else ",\u00a0"


def rows(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    """The same figures as a table, for readers and for CSV."""
    return [
        {
            "metric": line.metric, "measurement": mark.label, "version": mark.version, "value": mark.value,
            "low_95": mark.low, "high_95": mark.high, "n": mark.n,
        }
        for line in lines
        for mark in line.marks
    ]  # fmt: skip
