"""The estimate of an experiment over its looks, with the boundary that it had to pass; for plotly as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from selflearn_site.pages.charts import separators
from teacher.domain.wording import change_of, interval

_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--faint"}


@dataclass(frozen=True, slots=True)
class LookPoint:
    """One look: n questions, the estimate, its interval at the level of this look, and what was decided.

    `boundary`: how far from zero an estimate had to lie at this look; half of the interval's width, since a criterion
    is shown when its interval leaves zero out.
    """

    n: int
    estimate: float
    low: float
    high: float
    level: float | None
    p_value: float | None
    verdict: str

    @property
    def boundary(self) -> float:
        return (self.high - self.low) / 2


def look_points(
    looks: Sequence[Mapping[str, Any]], *, sizes: Sequence[int], final: Mapping[str, Any] | None, verdict: str
) -> list[LookPoint]:
    """The looks that were taken, the last one too. `final`: the first criterion of the stored verdict.

    Looks that were remembered without their estimate (before 1 December 2026) are left out.
    """
    rows = [*looks]
    complete = final is not None and sizes and (not looks or looks[-1]["n"] != sizes[-1])
    if complete and final is not None and not (looks and looks[-1]["verdict"] in ("winner", "loser")):
        rows.append({**final, "n": sizes[-1], "verdict": verdict})
    return [
        LookPoint(
            n=int(row["n"]),
            estimate=row["estimate"],
            low=row["low"],
            high=row["high"],
            level=row.get("level"),
            p_value=row.get("p_value"),
            verdict=row["verdict"],
        )
        for row in rows
        if None not in (row.get("estimate"), row.get("low"), row.get("high"))
    ]


def looks_figure(points: Sequence[LookPoint], *, metric: str, horizon: int) -> dict[str, Any]:
    """Estimates with their intervals, the boundary on both sides of zero, and zero itself."""
    places = [point.n for point in points]
    edge = [point.boundary for point in points]
    boundary = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
        "line": {"color": "--wait", "width": 1.5, "dash": "dash", "shape": "spline"},
    }  # fmt: skip
    estimate = {
        "type": "scatter", "mode": "lines+markers", "x": places, "y": [point.estimate for point in points],
        "error_y": {
            "type": "data", "symmetric": False, "color": "--accent", "thickness": 1.5, "width": 5,
            "array": [point.high - point.estimate for point in points],
            "arrayminus": [point.estimate - point.low for point in points],
        },
        "line": {"color": "--accent", "width": 2}, "marker": {"size": 8, "color": "--accent"}, "showlegend": False,
        "text": [_hover(point, metric) for point in points], "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
    }  # fmt: skip
    note = {
        "x": places[-1] if places else 0, "y": edge[-1] if edge else 0, "text": _("boundary"), "showarrow": False,
        "xanchor": "left", "xshift": 10, "font": {"color": "--wait", "size": 12},
    }  # fmt: skip
    zero = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
        "line": {"color": "--line-strong", "width": 1},
    }  # fmt: skip
    axis: dict[str, Any] = {"gridcolor": "--line", "zeroline": False, "fixedrange": True}
    return {
        "data": [
            {**boundary, "x": places, "y": edge},
            {**boundary, "x": places, "y": [-one for one in edge]},
            estimate,
        ],
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": _FONT, "hovermode": "closest",
            "margin": {"l": 56, "r": 84, "t": 12, "b": 52}, "separators": separators(), "dragmode": False,
            "yaxis": {**axis, "nticks": 6, "tickformat": "+.3~g"},
            "xaxis": {
                **axis, "showgrid": False, "tickvals": places, "range": [0, horizon * 1.03],
                "title": {"text": _("questions compared"), "standoff": 6},
            },
            "shapes": [zero], "annotations": [note] if points else [],
            "hoverlabel": {"bgcolor": "--surface", "bordercolor": "--line-strong", "align": "left",
                           "font": {**_FONT, "color": "--text"}},
        },
    }  # fmt: skip


def _hover(point: LookPoint, metric: str) -> str:
    return f"n = {point.n}<br><b>{change_of(metric, point.estimate)}</b> {interval(metric, point.low, point.high)}"
