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

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
"""How often everything since the cursor is looked through, notified or not."""
WAIT_SECONDS = 0.5
"""How long a wait for notifications lasts at most; a stop is noticed within it."""
GATHER_SECONDS = 0.02
"""After the first notification, others are waited for this long, so that a burst is recorded in few statements."""
BURST = 500
RETRY_SECONDS = (0.2, 1.0, 5.0)
_BROKEN = (DatabaseError, InterfaceError)


def listen(*, stop: threading.Event, on_capture: Callable[[int], None] | None = None) -> CaptureReport:
    """Record runs as they settle, until `stop` is set. Survives a database that goes away. Returns the totals.

    1. Listen, on a connection of its own, then catch up: what settles between the two is notified, and what settled
       before is read. 2. Record what is notified. 3. Catch up every few seconds. 4. If a connection breaks, begin anew.
    """
    captured, worst, failures = 0, None, 0
    while not stop.is_set():
        channel = connections.create_connection(student.ALIAS)
        try:
            with channel.cursor() as cursor:
                cursor.execute(f"LISTEN {student.CHANNEL}")
            swept = -SWEEP_SECONDS
            while not stop.is_set():
                if time.monotonic() - swept >= SWEEP_SECONDS:
                    report = catch_up()
                    swept = time.monotonic()
                    worst = max([lag for lag in (worst, report.lag_seconds) if lag is not None], default=None)
                    new = report.captured
                else:
                    notified = _settled(channel.connection)
                    new = runs_capture(run_ids=notified) if notified else 0
                failures = 0
                captured += new
                if new and on_capture is not None:
                    on_capture(new)
        except _BROKEN as error:
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            log.warning("sensor_reconnects", error=str(error).strip(), after_seconds=pause)
            stop.wait(pause)
            close_old_connections()
        finally:
            with suppress(*_BROKEN):
                channel.close()
    return CaptureReport(captured=captured, lag_seconds=worst)


def _settled(connection: Any) -> list[uuid.UUID]:
    """Run ids of one burst of notifications; empty when none came in time.

    A dialogue run is COMPLETED before it is settled; such an id is not recorded yet, and is notified again.
    """
    import psycopg

    ids: list[uuid.UUID] = []
    try:
        first = list(connection.notifies(timeout=WAIT_SECONDS, stop_after=1))
        rest = list(connection.notifies(timeout=GATHER_SECONDS, stop_after=BURST)) if first else []
    except psycopg.Error as error:
        raise InterfaceError(str(error)) from error
    for notice in (*first, *rest):
        event = json.loads(notice.payload)
        if event["operation"] == "SETTLED" or event["status"] in ("COMPLETED", "FAILED"):
            ids.append(uuid.UUID(event["id"]))
    return ids
