"""When the Sensor's process keeps its tables in order: between captures, and never at their expense."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from sensor.services.maintenance import maintenance_run
from sensor.services.rollups import rollups_fold

log = structlog.get_logger(__name__)

FOLD_SECONDS = 1.0
"""While runs are recorded, what they changed is added to the rollups this often."""
MAINTENANCE_SECONDS = 3600.0
AGAIN_SECONDS = 60.0
"""After a maintenance that failed."""


class Upkeep:
    """Remembers what is due. A failure is logged and tried again later; it ends no capture."""

    def __init__(self) -> None:
        self._unfolded = False
        self._fold_at = 0.0
        self._maintain_at = 0.0

    def captured(self, runs: int) -> None:
        """Of what was notified; `catch_up` folds by itself."""
        self._unfolded = self._unfolded or runs > 0

    def turn(self, *, go_on: Callable[[], bool]) -> None:
        """Do what is due now."""
        now = time.monotonic()
        if self._unfolded and now >= self._fold_at:
            self._fold_at = now + FOLD_SECONDS
            if _tried("fold", rollups_fold):
                self._unfolded = False
        if now >= self._maintain_at:
            well = _tried("maintenance", lambda: maintenance_run(go_on=go_on))
            self._maintain_at = time.monotonic() + (MAINTENANCE_SECONDS if well else AGAIN_SECONDS)


def _tried(what: str, work: Callable[[], object]) -> bool:
    try:
        work()
    except Exception as error:
        # Whatever it was: recording goes on. A connection that broke shows at the next capture.
        log.warning("sensor_upkeep_failed", what=what, error=str(error).strip())
        return False
    return True
