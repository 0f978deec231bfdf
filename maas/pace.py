"""How fast a client may go: what the threads of one client share when the service tells them to slow down."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds between tries when the service names none: doubled each time, and drawn at random below that."""
CEILING = 64
_RECOVERY = 1.0


def pause_of(retry_after: str | None, tries: int) -> float:
    """Seconds until the next try, `tries` having failed. `retry_after`: the header's seconds or date, or None.

    What the service asks for is kept, and a little is added by chance so that not all threads come back at once.
    Without it: exponential backoff with full jitter, never below half of the first pause.
    """
    asked = _asked(retry_after)
    if asked is not None:
        return asked + random.uniform(0.1, 1.0) * FIRST_PAUSE  # noqa: S311  spreads load, hides nothing
    longest = min(FIRST_PAUSE * 2 ** min(tries, 16), LONGEST_PAUSE)
    return max(random.uniform(0, longest), FIRST_PAUSE / 2)  # noqa: S311  as above


def _asked(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)


class Pace:
    """Calls under way at once: additive increase, multiplicative decrease. One per client, shared by its threads.

    A burst of refusals is one message: calls that were under way when the limit was lowered do not lower it again.
    """

    def __init__(self, ceiling: int = CEILING):
        self._ceiling, self._limit = float(ceiling), float(ceiling)
        self._under_way, self._generation = 0, 0
        self._not_before = 0.0
        self._free = threading.Condition()

    @property
    def limit(self) -> int:
        """How many calls may be under way at once now."""
        return max(int(self._limit), 1)

    @contextmanager
    def slot(self) -> Iterator[int]:
        """Wait for a turn. Yields the generation of the limit that let this call through, for `slow_down`."""
        with self._free:
            while True:
                left = self._not_before - time.monotonic()
                if left <= 0 and self._under_way < self.limit:
                    break
                self._free.wait(left if left > 0 else None)
            self._under_way += 1
            generation = self._generation
        try:
            yield generation
        finally:
            with self._free:
                self._under_way -= 1
                self._free.notify_all()

    def slow_down(self, generation: int, *, pause: float) -> None:
        """The service refused a call of this generation: halve the calls at once, and nobody calls for `pause` s."""
        with self._free:
            self._not_before = max(self._not_before, time.monotonic() + pause)
            if generation == self._generation:
                self._generation += 1
                self._limit = max(min(self._limit, self._under_way) / 2, 1.0)

    def went_well(self) -> None:
        """A call was served: about one more at once for each round of calls that goes well."""
        with self._free:
            if self._limit < self._ceiling:
                self._limit = min(self._limit + _RECOVERY / self._limit, self._ceiling)
                self._free.notify_all()
