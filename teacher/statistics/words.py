"""Numbers as people read them, and floats as machines compare them."""

from __future__ import annotations

import math

from contracts.metric import METRICS


def tidy(value: float | None) -> float | None:
    """Twelve significant digits, no −0: the same on every processor. Not a number, or infinite: None."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.12g}") + 0.0


def number(value: float | None, *, signed: bool = False) -> str:
    """`.052`, `−.03`, `4800`; `unknown` when absent."""
    if value is None:
        return "unknown"
    size = abs(value)
    if size >= 100:
        text = f"{size:.0f}"
    elif size >= 0.001 or size == 0:
        text = f"{size:.3f}".rstrip("0").rstrip(".")
    else:
        text = f"{size:.1e}"
    text = text[1:] if text.startswith("0.") else text
    sign = "−" if value < 0 and text != "0" else ("+" if signed and value > 0 else "")
    return sign + text


def probability(value: float) -> str:
    """`.0132`; `below .0001` for the smallest."""
    return "below .0001" if value < 0.0001 else f"{value:.4f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def title(metric: str) -> str:
    definition = METRICS.get(metric)
    return definition.title if definition is not None else metric
