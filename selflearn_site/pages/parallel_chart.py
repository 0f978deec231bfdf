"""Every arm as a line through its parameters and its metrics, for plotly as plain data (colours: see `charts`).

Drawn as ordinary lines over axes of our own: plotly's own parallel coordinates need WebGL and evaluate text as code,
which the pages' policy of content forbids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from contracts.metric import METRICS
from selflearn_site.pages.said import term
from selflearn_site.pages.selectors.analytics import Arm
from teacher.domain.wording import amount
from tuner.registry import FACTORS

_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "--faint"}
_TICKS_MOST = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """`places`: where each arm crosses it, from 0 at the bottom to 1 (None: not measured). `ticks`: (place, text)."""

    label: str
    places: tuple[float | None, ...]
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


def parallel(arms: Sequence[Arm], *, factors: Sequence[str], metrics: Sequence[str], colour_by: str) -> dict[str, Any]:
    """Lines are stronger where `colour_by` is better. Arms without that metric are left out."""
    drawn = [arm for arm in arms if arm.metrics.get(colour_by) is not None]
    axes = [factor_axis(key, [arm.values.get(key) for arm in drawn]) for key in factors]
    axes += [metric_axis(name, [arm.metrics.get(name) for arm in drawn]) for name in metrics]
    goodness = metric_axis(colour_by, [arm.metrics.get(colour_by) for arm in drawn]).places
    upwards = colour_by not in METRICS or METRICS[colour_by].higher_is_better
    lines = [_line(axes, place, arm, _good(goodness[place], upwards)) for place, arm in enumerate(drawn)]
    lines.sort(key=lambda line: line["line"]["width"])  # the best are drawn last, above the others
    return {"data": lines, "layout": _layout(axes)}


def factor_axis(key: str, values: Sequence[Any]) -> Axis:
    """Numbers by size; choices in the registry's order, evenly."""
    label = key.split(".", 1)[-1].replace("_", " ")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        known = sorted(set(values))
        place = _scale(known)
        shown = known if len(known) <= _TICKS_MOST else [known[0], known[-1]]
        ticks = tuple((place(value), f"{value:g}") for value in shown)
        return Axis(label, tuple(place(value) for value in values), tuple(f"{value:g}" for value in values), ticks)
    texts = [str(value) for value in values]
    declared = [name for name in (FACTORS[key].choices if key in FACTORS else ()) if name in texts]
    names = declared + sorted(set(texts) - set(declared))
    spot = _scale(range(len(names)))
    places = tuple(spot(names.index(text)) for text in texts)
    return Axis(label, places, tuple(texts), tuple((spot(index), name) for index, name in enumerate(names)))


def metric_axis(name: str, values: Sequence[float | None]) -> Axis:
    """From the lowest to the highest that was measured."""
    known = sorted(value for value in values if value is not None)
    place = _scale(known)
    ends = (known[0], known[-1]) if known and known[0] != known[-1] else known[:1]
    return Axis(
        term(METRICS[name].title) if name in METRICS else name,
        tuple(None if value is None else place(value) for value in values),
        tuple(amount(name, value) for value in values),
        tuple((place(value), amount(name, value)) for value in ends),
    )


def _scale(known: Sequence[float]) -> Any:
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return lambda value: 0.5 if high == low else (value - low) / (high - low)


def _good(place: float | None, upwards: bool) -> float:
    return 0.5 if place is None else place if upwards else 1 - place


def _line(axes: Sequence[Axis], place: int, arm: Arm, good: float) -> dict[str, Any]:
    said = "<br>".join(f"{escape(axis.label)}: <b>{escape(axis.texts[place])}</b>" for axis in axes)
    return {
        "type": "scatter", "mode": "lines+markers", "x": list(range(len(axes))),
        "y": [axis.places[place] for axis in axes], "connectgaps": True, "showlegend": False,
        "line": {"color": f"--accent/{0.15 + 0.8 * good:.2f}", "width": 1 + 1.5 * good},
        "marker": {"size": 5, "color": f"--accent/{0.15 + 0.8 * good:.2f}"},
        "text": f"<b>{escape(arm.slug)}</b> · {escape(arm.name)}<br>{said}", "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _layout(axes: Sequence[Axis]) -> dict[str, Any]:
    notes, shapes = [], []
    for index, axis in enumerate(axes):
        shapes.append(
            {"type": "line", "x0": index, "x1": index, "y0": 0, "y1": 1, "layer": "below",
             "line": {"color": "--line-strong", "width": 1}}
        )  # fmt: skip
        notes.append(_note(index, 1.02, f"<b>{escape(axis.label)}</b>", yref="paper", yanchor="bottom", color="--soft"))
        notes += [
            _note(index, y, escape(text), xanchor="left", xshift=6, bgcolor="--surface") for y, text in axis.ticks
        ]
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}
    return {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": _FONT, "hovermode": "closest",
        "margin": {"l": 56, "r": 72, "t": 48, "b": 16}, "annotations": notes, "shapes": shapes,
        "xaxis": {**bare, "range": [-0.15, len(axes) - 0.7]}, "yaxis": {**bare, "range": [-0.06, 1.08]},
        "hoverlabel": {"bgcolor": "--surface", "bordercolor": "--line-strong",
                       "font": {**_FONT, "color": "--text"}, "align": "left"},
    }  # fmt: skip


def _note(x: float, y: float, text: str, *, color: str = "--faint", **more: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {**_FONT, "size": 11, "color": color}, **more}
