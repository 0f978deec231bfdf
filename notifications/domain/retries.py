"""When a delivery that failed is tried again."""

from __future__ import annotations

from datetime import timedelta

MOST_TRIES = 8
FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)
JITTER = 0.25
"""Share by which a pause is longer or shorter, so that receivers that come back are not met by all at once."""


def pause_after(tries: int, *, chance: float, asked_for: float | None = None) -> timedelta | None:
    """Pause before the next try after `tries` of them; None when there is no next.

    Doubles from 30 seconds to an hour. `chance` in [0, 1) spreads it by a quarter either way. `asked_for`: seconds that
    the receiver asked for (`Retry-After`), honoured up to an hour.
    """
    if tries >= MOST_TRIES:
        return None
    grown: timedelta = min(FIRST * 2 ** (tries - 1), LONGEST) * (1 - JITTER + 2 * JITTER * chance)
    asked = timedelta(seconds=max(0.0, min(asked_for or 0.0, LONGEST.total_seconds())))
    return max(grown, asked)
