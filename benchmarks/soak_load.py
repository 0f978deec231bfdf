"""The load of a soak: people real and simulated who tell, ask, rate, and here and there send what cannot be answered.

Every request carries its own run id, so that it may be sent again whatever became of it: the same run, answered once.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import Error as DatabaseError
from django.db import connections

from contracts.maas import RunAnswer, RunRequest
from kernel.errors import IllegalTransition, NotFound, Unavailable
from maas.client import MaasClient, get_client

PLACES = ("Kazan", "Perm", "Omsk", "Tver", "Tula", "Ufa", "Pskov", "Sochi")
THINGS = ("cello", "bicycle", "telescope", "kettle", "carpet", "violin", "lantern", "kayak")
USERS = 48
FAILING, EVALUATING, RATED = 0.03, 0.2, 0.2
"""Shares: of runs that name a parameter version that is not there, of evaluations, of real answers that get a score."""
NO_VERSION = 10**6
START = datetime(2025, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 300.0


def requests_make(*, runs: int, seed: int) -> list[RunRequest]:
    """The same seed gives the same requests. Every second user is a person, the others are simulated."""
    draw = random.Random(seed)
    users = [uuid.UUID(int=draw.getrandbits(128), version=4) for _ in range(USERS)]
    return [_request(draw, number, users) for number in range(runs)]


def _request(draw: random.Random, number: int, users: Sequence[uuid.UUID]) -> RunRequest:
    place = draw.randrange(len(users))
    real = place % 2 == 0
    thing, town = draw.choice(THINGS), draw.choice(PLACES)
    told = f"I bought a {thing} number {number} in {town}. Call me at +7 912 345-67-{number % 100:02d} about it."
    return RunRequest(
        user_id=users[place],
        run_id=uuid.UUID(int=draw.getrandbits(128), version=4),
        query=told if draw.random() < 0.5 else f"Where did I buy the {thing}, was it in {town}?",
        client_kind="user" if real else "emulator",
        mode="evaluation" if draw.random() < EVALUATING else "dialogue",
        cycle_type="online" if real else "micro",
        simulated_at=None if real else START + timedelta(minutes=number),
        consent=real and draw.random() < 0.5,
        pinned_version=NO_VERSION if draw.random() < FAILING else None,
    )


class Load:
    """Sends requests from several threads, each until it has its answer. `answered` grows while it runs."""

    def __init__(self, requests: Sequence[RunRequest], *, threads: int, rate: float | None, seed: int):
        self._requests, self._threads, self._rate, self._seed = requests, threads, rate, seed
        self._lock = threading.Lock()
        self._next = 0
        self._stopped = threading.Event()
        self.allowed = len(requests)
        """Requests beyond this number wait."""
        self.answered = 0
        self.interrupted = 0
        """How often a request met a database that was away, and was sent again."""

    def run(self) -> None:
        """Until all is answered. Raises what a thread raised: `Unavailable` after `PATIENCE_SECONDS` with one run."""
        self._started = time.monotonic()
        with ThreadPoolExecutor(self._threads) as pool:
            for worker in [pool.submit(self._work) for _ in range(self._threads)]:
                worker.result()

    def stop(self) -> None:
        self._stopped.set()

    def _work(self) -> None:
        client = get_client()
        try:
            while (number := self._take()) is not None:
                request = self._requests[number]
                answer = self.ask(client, request)
                draw = random.Random(f"{self._seed}:{number}")
                if request.client_kind == "user" and answer.status == "COMPLETED" and draw.random() < RATED:
                    self._rate_answer(client, request, score=draw.randint(1, 5))
                with self._lock:
                    self.answered += 1
        except BaseException:
            self._stopped.set()
            raise
        finally:
            connections.close_all()

    def _take(self) -> int | None:
        with self._lock:
            number, self._next = self._next, self._next + 1
        if number >= len(self._requests):
            return None
        if self._rate:
            self._stopped.wait(max(0.0, self._started + number / self._rate - time.monotonic()))
        while number >= self.allowed and not self._stopped.is_set():
            self._stopped.wait(0.02)
        return None if self._stopped.is_set() else number

    def ask(self, client: MaasClient, request: RunRequest) -> RunAnswer:
        """As any caller would: when the database goes away, once more with the same run id.

        `NotFound`: a crash took the run while it was waited for.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return client.ask(request)
            except (DatabaseError, Unavailable, NotFound):
                if time.monotonic() > deadline or self._stopped.is_set():
                    raise
                self._pause()

    def _rate_answer(self, client: MaasClient, request: RunRequest, *, score: int) -> None:
        """A person who gets an error does not rate again: what counts is that both sides tell the same afterwards."""
        assert request.run_id is not None
        try:
            client.feedback(request.run_id, user_id=request.user_id, score=score)
        except (DatabaseError, NotFound, IllegalTransition):  # a crash may take an answer that was just given
            self._pause()

    def _pause(self) -> None:
        with self._lock:
            self.interrupted += 1
        connections.close_all()
        time.sleep(0.1)
