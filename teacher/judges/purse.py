"""Money that may be spent on a batch. Several threads spend from one purse."""

from __future__ import annotations

import threading
from decimal import Decimal


class Purse:
    """`limit_usd` is held by what is reserved beforehand; a call that turns out dearer may end beyond it, once."""

    def __init__(self, limit_usd: float | Decimal):
        self._left = float(limit_usd)
        self._lock = threading.Lock()

    def reserve(self, usd: float) -> bool:
        """Set `usd` aside. False: there is not so much left, and nothing was set aside."""
        with self._lock:
            if usd > self._left:
                return False
            self._left -= usd
            return True

    def settle(self, *, reserved: float, spent: float) -> None:
        """Give back what was set aside, and take what was spent."""
        with self._lock:
            self._left += reserved - spent
