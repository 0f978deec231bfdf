"""Numbers of metrics in words, the same everywhere: points for shares, ms, USD, percent for ratios."""

from __future__ import annotations

from contracts.metric import METRICS


def amount(metric: str, value: float | None) -> str:
    """A value of a metric: `.418` for shares, `412 ms`, `$0.0021`."""
    if value is None:
        return "not measured"
    unit = METRICS[metric].unit if metric in METRICS else "share"
    if unit == "ms":
        return f"{value:,.0f} ms" if abs(value) >= 10 else f"{value:.1f} ms"
    if unit == "USD":
        return f"${value:.6f}".rstrip("0").rstrip(".") if abs(value) < 0.01 else f"${value:.4f}"
    if unit in ("days", "count", "score"):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def signed(metric: str, value: float | None) -> str:
    """A change of a metric with its sign: `+.044`; the minus is a true minus."""
    if value is None:
        return "not measured"
    text = amount(metric, abs(value))
    return f"{'−' if value < 0 else '+'}{text}"


def change_of(metric: str, value: float | None) -> str:
    """A difference as the statistics engine gives it: relative for cost and mean latency."""
    if value is None:
        return "not known"
    if metric in METRICS and METRICS[metric].kind == "positive":
        return f"{'−' if value < 0 else '+'}{abs(value) * 100:.1f} %"
    return signed(metric, value)


def interval(metric: str, low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    left = change_of(metric, low) if low is not None else "…"
    right = change_of(metric, high) if high is not None else "…"
    return f"[{left}, {right}]"
