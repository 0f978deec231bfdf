"""A soak: runs go through the student while the Sensor is killed again and again and the database is restarted.

Afterwards every run that was requested must have ended, and be recorded exactly once. `manage.py soak`, `make soak`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from django.conf import settings
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connection, connections

from benchmarks.own_server import own_server, server_restart
from benchmarks.soak_account import account, behind, settled_runs
from benchmarks.soak_load import Load, requests_make
from maas import claims, stages
from maas.client import get_client
from selflearn_site.database.launcher import EmbeddedServer

THREADS = 6
PROGRESS_SECONDS = 5.0
CATCH_UP_SECONDS = 120.0
START_SECONDS = 30.0
END_SECONDS = 30.0
DOWN_SECONDS = 1.5
"""A killed Sensor is started again after up to this long."""
Say = Callable[[str], None]


@dataclass(frozen=True, order=True)
class Blow:
    """What happens `after` seconds once `at` runs are answered."""

    at: int
    after: float
    what: Literal["kill", "fast", "immediate"]

    def __str__(self) -> str:
        said = "the Sensor is killed" if self.what == "kill" else f"the database is restarted ({self.what})"
        return f"run {self.at:,} + {self.after:.2f} s: {said}"


def blows_plan(*, runs: int, kills: int, restarts: int, seed: int) -> list[Blow]:
    """Spread over the load, at random within equal stretches of it; the same seed gives the same plan.

    Restarts are by turns a crash and an orderly one.
    """
    draw = random.Random(seed)
    kinds: list[list[Literal["kill", "fast", "immediate"]]] = [
        ["kill"] * kills,
        ["fast" if number % 2 else "immediate" for number in range(restarts)],
    ]
    blows = []
    for kind in kinds:
        for number, what in enumerate(kind):
            place = 0.05 + 0.9 * (number + draw.random()) / len(kind)
            blows.append(Blow(int(place * runs), round(draw.random() * 0.5, 3), what))
    return sorted(blows)


def run(
    *,
    runs: int = 10_000,
    kills: int = 10,
    restarts: int = 2,
    seed: int = 1,
    rate: float | None = None,
    lease: float | None = None,
    say: Say = print,
) -> dict[str, Any]:
    """Figures, `blows` and `problems`: a sentence each; none when every run is recorded once.

    `rate`: requests a second at most. `lease`: seconds until the run of a worker that is gone is taken over, instead
    of the student's own. Everything happens on an embedded server of its own, which is removed afterwards.
    """
    started = time.monotonic()
    with own_server() as (server, environment), _lease_of(lease):
        say("preparing a database server of its own …")
        call_command("prepare", verbosity=0)
        connections.close_all()
        return _Soak(server, environment, runs=runs, seed=seed, rate=rate, say=say).run(
            blows_plan(runs=runs, kills=kills, restarts=restarts, seed=seed)
        ) | {"seed": seed, "seconds": round(time.monotonic() - started, 1)}


class _Soak:
    def __init__(
        self, server: EmbeddedServer, environment: dict[str, str], *, runs: int, seed: int, rate: float | None, say: Say
    ):
        self._server, self._environment, self._say = server, environment, say
        self._requests = requests_make(runs=runs, seed=seed)
        self._load = Load(self._requests, threads=THREADS, rate=rate, seed=seed)
        self._draw = random.Random(seed + 1)
        self._log = server.var / "sensor.log"
        self._found = 0
        self._said_at = 0.0

    def run(self, blows: list[Blow]) -> dict[str, Any]:
        self._say(f"{len(self._requests):,} runs, {THREADS} at once; the plan:")
        for blow in blows:
            self._say(f"  {blow}")
        loading = threading.Thread(target=self._loading)
        self._failure: BaseException | None = None
        self._sensor = self._sensor_start()
        started = time.monotonic()
        loading.start()
        try:
            struck = [self._strike(blow) for blow in blows if self._reached(blow, loading)]
            self._load.allowed = len(self._requests)
            while loading.is_alive():
                self._progress()
                loading.join(0.2)
            if self._failure is not None:
                raise self._failure
            seconds = time.monotonic() - started
            again = self._ask_again()
            problems = self._sensor_end()
        finally:
            self._load.stop()
            loading.join()
            self._sensor.kill()
            self._sensor.wait()
        figures, found = account([request.run_id for request in self._requests if request.run_id])
        return {
            **figures,
            "load_seconds": round(seconds, 1),
            "runs_per_second": round(len(self._requests) / seconds, 1),
            "interrupted_requests": self._load.interrupted,
            "answered_again_after_a_crash": again,
            "blows": struck,
            "problems": [*problems, *found],
        }

    def _loading(self) -> None:
        try:
            self._load.run()
        except BaseException as error:  # shown by the thread that waits for this one
            self._failure = error

    # --- blows -------------------------------------------------------------------------------------------------------

    def _reached(self, blow: Blow, loading: threading.Thread) -> bool:
        """Wait for its moment. False: the load has broken off.

        A Sensor that is still starting has nothing to lose: a kill waits until it records. The load then goes on for a
        while only, so that the plan is carried out before the load ends, on a slow machine too.
        """
        margin = max(2 * THREADS, len(self._requests) // 20)
        self._load.allowed = blow.at + margin
        deadline = time.monotonic() + START_SECONDS
        while loading.is_alive():
            at_work = blow.what != "kill" or (self._recorded() or 0) > self._found or time.monotonic() > deadline
            if self._load.answered >= blow.at and at_work:
                break
            self._progress()
            time.sleep(0.02)
        self._load.allowed += margin  # so that it flows when the blow falls
        time.sleep(blow.after)
        return loading.is_alive()

    def _strike(self, blow: Blow) -> dict[str, Any]:
        told: dict[str, Any] = {"what": blow.what, "answered": self._load.answered, "recorded": self._recorded()}
        if blow.what == "kill":
            told["alive"] = self._sensor.poll() is None
            self._sensor.kill()
            self._sensor.wait()
            told["down_seconds"] = round(self._draw.random() * DOWN_SECONDS, 2)
            time.sleep(told["down_seconds"])
            self._sensor = self._sensor_start()
        else:
            told["down_seconds"] = round(server_restart(self._server, blow.what), 2)
            connections.close_all()
        self._say(
            f"  {blow.what} after {told['answered']:,} answers, {told['recorded']} recorded; "
            f"back after {told['down_seconds']} s"
        )
        return told

    def _sensor_start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "sense", "--json"]
        self._found = self._recorded() or 0
        with self._log.open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    # --- afterwards --------------------------------------------------------------------------------------------------

    def _ask_again(self) -> int:
        """A crash may take answers of its last third of a second; who asked for them asks again. Returns how many."""
        settled = settled_runs().keys()
        lost = [request for request in self._requests if request.run_id not in settled]
        for request in lost:
            self._load.ask(get_client(), request)
        return len(lost)

    def _sensor_end(self) -> list[str]:
        """Wait until it has caught up, then end it as an administrator would."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while behind() and time.monotonic() < deadline:
            self._progress()
            time.sleep(0.3)
        self._sensor.terminate()
        try:
            code = self._sensor.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return ["the Sensor does not end when it is told to"]
        return [] if code == 0 else [f"the Sensor ended with {code}: {self._log.read_text()[-2000:]}"]

    # --- how it stands -----------------------------------------------------------------------------------------------

    def _recorded(self) -> int | None:
        """None while the database is away."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM public.sensor_events")
                found: int = cursor.fetchone()[0]
                return found
        except DatabaseError:
            connections.close_all()
            return None

    def _progress(self) -> None:
        if time.monotonic() - self._said_at < PROGRESS_SECONDS:
            return
        self._said_at = time.monotonic()
        self._say(f"{self._load.answered:,} of {len(self._requests):,} answered, {self._recorded()} recorded")


@contextmanager
def _lease_of(seconds: float | None) -> Iterator[None]:
    """Of the runs that this process works on."""
    lease = claims.LEASE_SECONDS if seconds is None else seconds
    with patch.object(claims, "LEASE_SECONDS", lease), patch.object(stages, "LEASE_SECONDS", lease):
        yield
