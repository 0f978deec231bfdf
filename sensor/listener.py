"""Live capture: waits for the student's notifications, and looks for itself whenever one may have been missed."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from sensor import student
from sensor.domain.report import CaptureReport
from sensor.services import catch_up, runs_capture
from sensor.upkeep import Upkeep

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
"""How often everything since the cursor is looked through, notified or not."""
WAIT_SECONDS = 0.5
"""How long a wait for notifications lasts at most; a stop is noticed within it."""
GATHER_SECONDS = 0.02
"""After the first notification, others are waited for this long, so that a burst is recorded in few statements."""
BURST = 500
RETRY_SECONDS = (0.2, 1.0, 5.0)
LISTENER = "selflearn sensor"
"""The name of the connection that listens, by which others see that a Sensor is there."""
_BROKEN = (DatabaseError, InterfaceError)


def listen(*, stop: threading.Event, on_capture: Callable[[int], None] | None = None) -> CaptureReport:
    """Record runs as they settle, until `stop` is set. Survives a database that goes away. Returns the totals.

    1. Listen, on a connection of its own, then catch up: what settles between the two is notified, and what settled
       before is read. 2. Record what is notified. 3. Catch up every few seconds. 4. In between, keep the tables in
       order; what goes wrong there is logged and tried again. 5. If a connection breaks, begin anew.
    """
    session, failures = _Session(stop=stop, on_capture=on_capture), 0
    while not stop.is_set():
        channel = connections.create_connection(student.ALIAS)
        try:
            with channel.cursor() as cursor:
                cursor.execute("SELECT set_config('application_name', %s, false)", [LISTENER])
                cursor.execute(f"LISTEN {student.CHANNEL}")
            session.begin(channel)
            while not stop.is_set():
                session.turn()
                failures = 0
                session.keep()
        except _BROKEN as error:
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            log.warning("sensor_reconnects", error=str(error).strip(), after_seconds=pause)
            stop.wait(pause)
            close_old_connections()
        finally:
            with suppress(*_BROKEN):
                channel.close()
    return session.report


class _Session:
    """What one `listen` has recorded, on whichever connection."""

    def __init__(self, *, stop: threading.Event, on_capture: Callable[[int], None] | None):
        self.report = CaptureReport(captured=0, lag_seconds=None)
        self._stop, self._on_capture = stop, on_capture
        self._upkeep = Upkeep()
        self._swept = 0.0

    def begin(self, channel: Any) -> None:
        self._channel = channel
        self._swept = -SWEEP_SECONDS

    def turn(self, *, wait: float | None = None) -> None:
        """Catch up if it is time, else record what is notified within `wait` seconds."""
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            report = catch_up()
            self._swept = time.monotonic()
        else:
            notified = _settled(self._channel.connection, wait=WAIT_SECONDS if wait is None else wait)
            report = CaptureReport(captured=runs_capture(run_ids=notified) if notified else 0, lag_seconds=None)
            self._upkeep.captured(report.captured)
        self.report += report
        if report.captured and self._on_capture is not None:
            self._on_capture(report.captured)

    def keep(self) -> None:
        """Between two captures: whatever of the upkeep is due. Long work asks `_go_on` in its pauses."""
        self._upkeep.turn(go_on=self._go_on)

    def _go_on(self) -> bool:
        if not self._stop.is_set():
            self.turn(wait=0.0)
        return not self._stop.is_set()


def _settled(connection: Any, *, wait: float = WAIT_SECONDS) -> list[uuid.UUID]:
    """Run ids of one burst of notifications; empty when none came in time.

    A dialogue run is COMPLETED before it is settled; such an id is not recorded yet, and is notified again.
    """
    import psycopg

    ids: list[uuid.UUID] = []
    try:
        first = list(connection.notifies(timeout=wait, stop_after=1))
        rest = list(connection.notifies(timeout=GATHER_SECONDS, stop_after=BURST)) if first else []
    except psycopg.Error as error:
        raise InterfaceError(str(error)) from error
    for notice in (*first, *rest):
        event = json.loads(notice.payload)
        if event["operation"] == "SETTLED" or event["status"] in ("COMPLETED", "FAILED"):
            ids.append(uuid.UUID(event["id"]))
    return ids
