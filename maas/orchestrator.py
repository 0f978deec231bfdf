"""The process that brings runs to their end: listens, picks up what waits, many users at once, each in order.

A notification only wakes it; what is to be done is always read from the table, so what was missed while it was down, or
while its connection was broken, and what a dead worker left behind, is found by the same query.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.db import connections

from maas import selectors
from maas.access import ALIAS
from maas.claims import claim
from maas.pipeline import carry_on

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 2.0
"""How often the table is read without a notification: leases run out silently."""
RECONNECT_SECONDS = (0.5, 10.0)
"""First and longest pause before a new connection."""
CHANNEL = "pipeline_events"


class Orchestrator:
    """`run()` blocks until `stop()`; then running stages are finished and nothing new is begun."""

    def __init__(self, *, workers: int):
        self._workers = workers
        self._stopping = threading.Event()
        self._busy: set[uuid.UUID] = set()  # users with a dialogue run, and evaluation runs, in this process's hands
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        listener = threading.Thread(target=self._listen, name="maas-listen", daemon=True)
        listener.start()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="maas-run") as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    self._hand_out(pool)
                except DatabaseError as error:
                    log.warning("queue_unreadable", error=str(error))
                    connections[ALIAS].close()
                    self._stopping.wait(RECONNECT_SECONDS[0])
                self._wake.wait(SWEEP_SECONDS)
        listener.join(SWEEP_SECONDS * 2)
        connections[ALIAS].close()

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        free = self._workers - len(self._busy)
        if free <= 0:
            return
        for run_id, user_id, mode in selectors.runs_waiting(limit=self._workers * 4):
            key = user_id if mode == "dialogue" else run_id
            with self._lock:
                if key in self._busy or free <= 0:
                    continue
                self._busy.add(key)
            free -= 1
            pool.submit(self._work, run_id, user_id, key)

    def _work(self, run_id: uuid.UUID, user_id: uuid.UUID, key: uuid.UUID) -> None:
        try:
            run = claim(run_id, user_id)
            if run is not None:
                carry_on(run)
        except Exception:
            log.exception("worker_failed", run_id=str(run_id))
            connections[ALIAS].close()
        finally:
            with self._lock:
                self._busy.discard(key)
            if not self._stopping.is_set():
                self._wake.set()

    def _listen(self) -> None:
        """Wake on each NEW run, over a connection of its own; after a reconnect the table is read again."""
        pause, longest = RECONNECT_SECONDS
        while not self._stopping.is_set():
            try:
                with psycopg.connect(**connections[ALIAS].get_connection_params(), autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    pause = RECONNECT_SECONDS[0]
                    self._wake.set()
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=0.5):
                            if '"NEW"' in notice.payload:
                                self._wake.set()
                            if self._stopping.is_set():
                                break
            except psycopg.Error as error:
                log.warning("listen_broken", error=str(error), retry_in=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, longest)
