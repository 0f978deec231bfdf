"""Drawings of the pages of judges, as SVG text. Pure; colours come from classes in the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from teacher.calibration.agreement import Figure


def share_bar(figure: Figure, *, minimum: float | None = None, tone: str = "", label: str = "") -> str:
    """A share (or κ, drawn from 0) with its interval on a line from 0 to 1; a tick where the policy's minimum lies."""
    if figure.value is None or figure.low is None or figure.high is None:
        return ""
    width, pad = 132, 5

    def x(value: float) -> float:
        return round(pad + (width - 2 * pad) * min(max(value, 0.0), 1.0), 1)

    tick = "" if minimum is None else f'<line class="least" x1="{x(minimum)}" y1="2" x2="{x(minimum)}" y2="18"/>'
    return (
        f'<svg class="share {escape(tone)}" viewBox="0 0 {width} 20" role="img" aria-label="{escape(label)}">'
        f'<line class="rail" x1="{pad}" y1="10" x2="{width - pad}" y2="10"/>{tick}'
        f'<line class="span" x1="{x(figure.low)}" y1="10" x2="{x(figure.high)}" y2="10"/>'
        f'<circle cx="{x(figure.value)}" cy="10" r="4.5"/></svg>'
    )


def course(points: Sequence[tuple[int, float, float, float]], *, label: str = "") -> str:
    """Agreement over the labels: up to which label, the share and its interval, for each block of labels."""
    if len(points) < 2:
        return ""
    width, height, left, right, top, bottom = 560, 150, 40, 12, 10, 26
    last = points[-1][0]

    def x(n: int) -> float:
        return round(left + (width - left - right) * n / last, 1)

    def y(share: float) -> float:
        return round(top + (height - top - bottom) * (1 - share), 1)

    grid = "".join(
        f'<line class="grid" x1="{left}" y1="{y(share)}" x2="{width - right}" y2="{y(share)}"/>'
        f'<text x="{left - 6}" y="{y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    spans = "".join(
        f'<line class="span" x1="{x(n)}" y1="{y(low)}" x2="{x(n)}" y2="{y(high)}"/>' for n, _, low, high in points
    )
    path = "M" + " L".join(f"{x(n)} {y(share)}" for n, share, _, _ in points)
    dots = "".join(f'<circle cx="{x(n)}" cy="{y(share)}" r="4"/>' for n, share, _, _ in points)
    names = "".join(
        f'<text x="{x(n)}" y="{height - 8}" text-anchor="middle">{n}</text>'
        for n in (points[0][0], *((points[len(points) // 2][0],) if len(points) > 2 else ()), last)
    )
    return (
        f'<svg class="course" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
        f'{grid}{spans}<path d="{path}"/>{dots}{names}</svg>'
    )
