"""The process that brings runs to their end: listens, picks up what waits, many users at once, each in order.

Each worker takes the oldest run that may be worked on now, in one statement, and carries it to its end. When there is
none, the workers sleep, and a bell wakes one of them: with each NEW run, when a run's pause is over, and every
`SWEEP_SECONDS`. Whoever finds a run rings for the next worker, so that a burst of notifications costs no more reads of
the queue than there are runs. What was missed while the process was down, or while its connection was broken, and what
a dead worker left behind, is found by the same statement.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.db import connections

from maas.access import ALIAS
from maas.claims import Run, claim_next, hand_back
from maas.pipeline import carry_on

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 2.0
"""How often the table is read without a notification: leases run out silently."""
RECONNECT_SECONDS = (0.5, 10.0)
"""First and longest pause before a new connection."""
GATHER_SECONDS = 0.01
"""Pause after notifications, so that under load those of many runs are read at once: each run sends eight."""
CHANNEL = "pipeline_events"
LISTENER = "selflearn orchestrator"
"""The name of the connection that listens, by which others see that an orchestrator is there."""


class Bell:
    """Wakes one waiting worker. Rung while nobody waits, it is heard by the next one, once."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = False
        self._closed = False

    def ring(self) -> None:
        with self._condition:
            self._rung = True
            self._condition.notify()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def wait(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._rung or self._closed)
            self._rung = False


class Orchestrator:
    """`run()` blocks until `stop()`; then running stages are finished, nothing new is begun, and what is open is free
    for others at once."""

    def __init__(self, *, workers: int):
        self._workers = workers
        self._stopping = threading.Event()
        self._bell = Bell()
        self._alarms: queue.SimpleQueue[float | None] = queue.SimpleQueue()  # times to ring at; None: stop

    def stop(self) -> None:
        """From any thread, and from a signal handler."""
        self._alarms.put(None)

    def run(self) -> None:
        threads = [threading.Thread(target=self._listen, name="maas-listen")]
        threads += [threading.Thread(target=self._work, name=f"maas-run-{n}") for n in range(self._workers)]
        for thread in threads:
            thread.start()
        self._ring_in_time()
        self._stopping.set()
        self._bell.close()
        for thread in threads:
            thread.join()

    def _ring_in_time(self) -> None:
        due: list[float] = []
        while True:
            next_ring = min([time.monotonic() + SWEEP_SECONDS, *due[:1]])
            try:
                alarm = self._alarms.get(timeout=max(next_ring - time.monotonic(), 0))
            except queue.Empty:
                while due and due[0] <= time.monotonic():
                    heapq.heappop(due)
                self._bell.ring()
                continue
            if alarm is None:
                return
            heapq.heappush(due, alarm)

    def _work(self) -> None:
        pause, longest = RECONNECT_SECONDS
        unfinished: Run | None = None
        while not self._stopping.is_set():
            run = unfinished
            try:
                if run is not None:  # the database went away while it was in our hands
                    hand_back(run)
                unfinished = None
                run = claim_next()
                pause = RECONNECT_SECONDS[0]
                if run is None:
                    self._bell.wait()
                    continue
                self._bell.ring()  # where one waited there may be more
                rest = carry_on(run, patient=False, stopping=self._stopping.is_set)
                if rest is not None:
                    self._alarms.put(time.monotonic() + rest)
            except DatabaseError as error:
                log.warning("database_lost", error=str(error), retry_in=pause)
                connections.close_all()
                unfinished = run
                self._stopping.wait(pause)
                pause = min(pause * 2, longest)
            except Exception:
                log.exception("worker_failed")
                self._stopping.wait(pause)
            self._mend_connections()
        connections.close_all()

    @staticmethod
    def _mend_connections() -> None:
        """A connection that broke without ending a run, such as that of the parameters, is opened anew."""
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()

    def _listen(self) -> None:
        """Ring with each NEW run, over a connection of its own; after a reconnect the table is read again."""
        pause, longest = RECONNECT_SECONDS
        while not self._stopping.is_set():
            try:
                with psycopg.connect(**connections[ALIAS].get_connection_params(), autocommit=True) as connection:
                    connection.execute("SELECT set_config('application_name', %s, false)", [LISTENER])
                    connection.execute(f"LISTEN {CHANNEL}")
                    pause = RECONNECT_SECONDS[0]
                    self._bell.ring()
                    while not self._stopping.is_set():
                        notices = list(connection.notifies(timeout=0.5, stop_after=1))
                        if any('"NEW"' in notice.payload for notice in notices):
                            self._bell.ring()
                        if notices:
                            self._stopping.wait(GATHER_SECONDS)
            except Exception as error:  # whatever it is: without listening, each new run would wait for the sweep
                log.warning("listen_broken", error=str(error), retry_in=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, longest)
