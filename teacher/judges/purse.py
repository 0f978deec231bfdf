"""Money that may be spent on a batch. Several threads spend from one purse."""

from __future__ import annotations

import threading
from decimal import Decimal


class Purse:
    """`limit_usd` is held by what is reserved beforehand.

    An estimate that turns out too low raises those that follow, so only calls that were under way before anybody knew
    better may end beyond the limit.
    """

    def __init__(self, limit_usd: float | Decimal):
        self._left = float(limit_usd)
        self._dearer = 1.0
        self._lock = threading.Lock()

    def reserve(self, expected: float) -> float | None:
        """Set aside what a call that is expected to cost so much may take. None: there is not so much left."""
        with self._lock:
            reserved = expected * self._dearer
            if reserved > self._left:
                return None
            self._left -= reserved
            return reserved

    def settle(self, *, reserved: float, expected: float, spent: float) -> None:
        """Give back what was set aside, and take what was spent."""
        with self._lock:
            self._left += reserved - spent
            if expected > 0:
                self._dearer = max(self._dearer, spent / expected)
