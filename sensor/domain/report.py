"""What a capture tells its caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """`captured`: runs recorded by this call (those recorded before are not counted).

    `lag_seconds`: the longest time from a run's end to its row, among the runs of this call; None without runs.
    `too_old`: runs passed by since they began in a time that retention has removed.
    """

    captured: int
    lag_seconds: float | None
    too_old: int = 0

    def __add__(self, other: CaptureReport) -> CaptureReport:
        lags = [lag for lag in (self.lag_seconds, other.lag_seconds) if lag is not None]
        return CaptureReport(
            captured=self.captured + other.captured,
            lag_seconds=max(lags, default=None),
            too_old=self.too_old + other.too_old,
        )


@dataclass(frozen=True, slots=True)
class LagReport:
    """Capture lag in seconds over `runs` recorded runs; `newest_seconds` is that of the one captured last."""

    runs: int
    p50_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None
    newest_seconds: float | None
