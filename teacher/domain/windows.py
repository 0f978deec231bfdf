"""Live runs in windows of equal size: what stands for a cycle where no cycle is run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LIVE_WINDOW = 50
"""Runs in a window: the smallest sample that any verdict here rests on."""
LIVE_WINDOWS = 5
"""As many as the longest rule asks for."""
_JUDGED_LEAST = 20
"""Judged or rated runs in a window below which its average is not told."""


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One run of a real person. `hallucination`: None when not judged. `feedback`: 1 to 5, None when not given."""

    failed: bool
    latency_ms: float
    hallucination: bool | None = None
    feedback: int | None = None


def live_windows(runs: Sequence[LiveRun]) -> list[dict[str, float | None]]:
    """Metrics of each full window, oldest first; the newest runs are in the last one, and a rest is left out at the
    beginning."""
    start = len(runs) % LIVE_WINDOW
    return [_metrics(runs[at : at + LIVE_WINDOW]) for at in range(start, len(runs), LIVE_WINDOW)]


def _metrics(runs: Sequence[LiveRun]) -> dict[str, float | None]:
    answered = sorted(run.latency_ms for run in runs if not run.failed)
    return {
        "error_rate": sum(run.failed for run in runs) / len(runs),
        "latency_p95": _percentile(answered, 0.95),
        "hallucination_rate": _average([float(run.hallucination) for run in runs if run.hallucination is not None]),
        "user_satisfaction": _average([float(run.feedback) for run in runs if run.feedback is not None]),
    }


def _average(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if len(values) >= _JUDGED_LEAST else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """As PostgreSQL's `percentile_cont`: linear between the two nearest."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
