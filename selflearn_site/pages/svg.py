"""Small drawings inside the page, as SVG text. Pure; colours come from classes in the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def sparkline(points: Sequence[float | None], *, width: int = 64, height: int = 24) -> str:
    """A line through the known points, its last one marked; empty with fewer than two."""
    known = [(index, value) for index, value in enumerate(points) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span = (high - low) or 1.0
    last = len(points) - 1
    pad = 3

    def place(index: int, value: float) -> tuple[float, float]:
        x = pad + (width - 2 * pad) * index / last
        share = 0.5 if high == low else (value - low) / span
        return round(x, 1), round(height - pad - (height - 2 * pad) * share, 1)

    dots = [place(index, value) for index, value in known]
    path = "M" + " L".join(f"{x} {y}" for x, y in dots)
    x, y = dots[-1]
    return (
        f'<svg class="spark" width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f'<path d="{path}"/><circle cx="{x}" cy="{y}" r="2.2"/></svg>'
    )


def waterfall(spans: Sequence[tuple[float, float]], *, width: int = 480, lane: int = 14) -> str:
    """One lane a stage, each bar where the one before ends. `spans`: (start, width) as shares of the whole."""
    lanes = []
    for place, (start, share) in enumerate(spans):
        y = place * (lane + 4)
        x, wide = round(start * width, 1), max(round(share * width, 1), 1.5)
        lanes.append(
            f'<rect class="lane" x="0" y="{y}" width="{width}" height="{lane}" rx="3"/>'
            f'<rect class="bar" x="{min(x, width - wide)}" y="{y}" width="{wide}" height="{lane}" rx="3"/>'
        )
    height = len(spans) * (lane + 4)
    return f'<svg class="waterfall" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(lanes)}</svg>'


def interval(
    *,
    estimate: float | None,
    low: float | None,
    high: float | None,
    margin: float | None = None,
    floor: bool = True,
    tone: str = "",
    label: str = "",
    width: int = 220,
) -> str:
    """An estimate with its interval against zero. `margin`: the allowed change in grey, below zero for a `floor`.

    An end that is None reaches to the border: the interval is one-sided. Without an estimate: nothing.
    """
    if estimate is None:
        return ""
    reach = max((abs(value) for value in (estimate, low, high, margin) if value is not None), default=0.0) * 1.15 or 1.0
    middle = 14

    def x(value: float) -> float:
        return round(width / 2 + value / reach * (width / 2 - 4), 1)

    parts = []
    if margin:
        edge = -abs(margin) if floor else abs(margin)
        left, right = sorted((x(edge), x(0)))
        parts.append(f'<rect class="margin" x="{left}" y="3" width="{round(right - left, 1)}" height="22" rx="3"/>')
    parts.append(f'<line class="zero" x1="{x(0)}" y1="1" x2="{x(0)}" y2="27"/>')
    left_end = x(low) if low is not None else 4.0
    right_end = x(high) if high is not None else width - 4.0
    parts.append(f'<line class="span" x1="{left_end}" y1="{middle}" x2="{right_end}" y2="{middle}"/>')
    parts.append(f'<circle cx="{x(estimate)}" cy="{middle}" r="4.5"/>')
    return (
        f'<svg class="interval {escape(tone)}" viewBox="0 0 {width} 28" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def range_bar(
    *, value: float, low: float, high: float, auto_low: float | None, auto_high: float | None, label: str = ""
) -> str:
    """Where a value stands in its possible range; what may be tuned automatically is tinted."""
    width, pad = 160, 6
    span = (high - low) or 1.0

    def x(point: float) -> float:
        return round(pad + (width - 2 * pad) * min(max((point - low) / span, 0.0), 1.0), 1)

    auto = ""
    if auto_low is not None and auto_high is not None:
        wide = round(x(auto_high) - x(auto_low), 1)
        auto = f'<rect class="auto" x="{x(auto_low)}" y="8" width="{wide}" height="4" rx="2"/>'
    return (
        f'<svg class="range" viewBox="0 0 {width} 20" role="img" aria-label="{escape(label)}">'
        f'<rect class="hard" x="{pad}" y="8" width="{width - 2 * pad}" height="4" rx="2"/>{auto}'
        f'<circle cx="{x(value)}" cy="10" r="5"/></svg>'
    )


def percentile_bar(*, p50: float | None, p95: float | None, most: float, label: str = "", width: int = 220) -> str:
    """From zero to `most`: a line from the median, which is a dot, to the 95th percentile. Nothing without both."""
    if p50 is None or p95 is None:
        return ""

    def x(value: float) -> float:
        return round(5 + (width - 10) * min(value / (most or 1.0), 1.0), 1)

    return (
        f'<svg class="interval percentiles" viewBox="0 0 {width} 28" preserveAspectRatio="xMinYMid" role="img"'
        f' aria-label="{escape(label)}">'
        f'<line class="zero" x1="{x(0)}" y1="1" x2="{x(0)}" y2="27"/>'
        f'<line class="span" x1="{x(p50)}" y1="14" x2="{x(p95)}" y2="14"/>'
        f'<line class="end" x1="{x(p95)}" y1="8" x2="{x(p95)}" y2="20"/><circle cx="{x(p50)}" cy="14" r="4.5"/></svg>'
    )
