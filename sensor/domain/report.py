"""What a capture tells its caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """`captured`: runs recorded by this call (those recorded before are not counted).

    `lag_seconds`: the longest time from a run's end to its row, among the runs of this call; None without runs.
    """

    captured: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class LagReport:
    """Capture lag in seconds over `runs` recorded runs; `newest_seconds` is that of the one captured last."""

    runs: int
    p50_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None
    newest_seconds: float | None
