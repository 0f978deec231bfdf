"""One factor's value over time, for plotly as plain data (colours: see `charts`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from selflearn_site.templatetags.pages import setting, who
from tuner.selectors import FactorPoint

_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--faint"}


def history(points: Sequence[FactorPoint], *, until: datetime) -> dict[str, Any]:
    """A step line: each value holds until the next point, the last one until now. Rollbacks are marked.

    Numbers stand on a scale, choices on lines of their own in the order in which they came.
    """
    numeric = all(isinstance(point.value, int | float) and not isinstance(point.value, bool) for point in points)
    names = list(dict.fromkeys(setting(point.value) for point in points))
    heights = [point.value if numeric else names.index(setting(point.value)) for point in points]
    times = [point.at.isoformat() for point in points]
    line = {
        "type": "scatter", "mode": "lines", "x": [*times, until.isoformat()], "y": [*heights, heights[-1]],
        "line": {"color": "--accent", "width": 2, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "x": times, "y": heights, "showlegend": False,
        "marker": {
            "size": 9,
            "color": ["--wait" if point.action == "rollback" else "--accent" for point in points],
            "symbol": ["triangle-left" if point.action == "rollback" else "circle" for point in points],
        },
        "text": [_said(point) for point in points], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    axis: dict[str, Any] = {"gridcolor": "--line", "zeroline": False, "fixedrange": True}
    if not numeric:
        axis |= {"tickvals": list(range(len(names))), "ticktext": names, "range": [-0.5, len(names) - 0.5]}
    return {
        "data": [line, marks],
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": _FONT, "hovermode": "closest",
            "margin": {"l": 64, "r": 16, "t": 12, "b": 36}, "yaxis": axis,
            "xaxis": {"type": "date", "showgrid": False, "zeroline": False, "fixedrange": True},
            "hoverlabel": {"bgcolor": "--surface", "bordercolor": "--line-strong",
                           "font": {**_FONT, "color": "--text"}, "align": "left"},
        },
    }  # fmt: skip


def _said(point: FactorPoint) -> str:
    when = f"{point.at:%Y-%m-%d %H:%M} · {escape(who(point.actor))}"
    return f"<b>{escape(setting(point.value))}</b> · v{point.version}<br>{when}<br>{escape(point.reason[:160])}"
