"""What each experiment of a report moved, with its interval, as a figure for plotly. No queries; the numbers stand in
the table beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from contracts.metric import METRICS
from manager.reports.words import effect_said, metric_said, say, step_said

_COLOURS = {"winner": "--good", "loser": "--bad"}
_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--soft"}


def effects(report: Mapping[str, Any]) -> dict[str, Any]:
    """One row an experiment: how far its metric moved, in the direction that is better, in percentage points or per
    cent. Experiments without an estimate are left out."""
    rows = [found for item in report["experiments"] if (found := _row(item)) is not None]
    rows.reverse()  # plotly draws from below
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["x"] for row in rows],
                "y": [row["label"] for row in rows],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [row["above"] for row in rows],
                    "arrayminus": [row["below"] for row in rows],
                    "color": "--soft",
                    "thickness": 2,
                },
                "marker": {"size": 9, "color": [row["colour"] for row in rows]},
                "text": [row["hover"] for row in rows],
                "hovertemplate": "%{text}<extra></extra>",
            }
        ],
        "layout": {
            "font": _FONT,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 44},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "xaxis": {
                "title": {"text": _("better →, in percentage points or per cent")},
                "rangemode": "tozero",
                "gridcolor": "--line",
                "zerolinecolor": "--line-strong",
                "ticksuffix": " ",
            },
            "yaxis": {"automargin": True, "gridcolor": "--line"},
        },
    }


def _row(item: Mapping[str, Any]) -> dict[str, Any] | None:
    criteria = item.get("criteria") or []
    first = criteria[0] if criteria else None
    if first is None or first.get("estimate") is None:
        return None
    known = METRICS.get(str(first["metric"]))
    better = 100.0 if known is None or known.higher_is_better else -100.0
    ends = sorted(better * float(end) for end in (first.get("low"), first.get("high")) if end is not None)
    place = better * float(first["estimate"])
    low, high = (ends[0], ends[-1]) if len(ends) == 2 else (place, place)
    return {
        "x": round(place, 3),
        "below": round(max(place - low, 0.0), 3),
        "above": round(max(high - place, 0.0), 3),
        "label": f"{step_said(item)} ",
        "colour": _COLOURS.get(str(item.get("verdict")), "--faint"),
        "hover": f"{metric_said(first)} {effect_said(first)}, n = {first['n']}: {say(item.get('verdict') or '')}",
    }
