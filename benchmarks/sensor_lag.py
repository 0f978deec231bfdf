"""Capture lag: from the moment a run is settled until another connection can see its row, at 60 runs a second.

The load goes through the student in this process, the Sensor is a process of its own, both as in production.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connection, connections

from benchmarks.soak_load import Load, requests_make
from maas.access import as_service

RATE = 60.0
WARM_UP = 180
"""Runs before the measurement: both processes load what they need at their first run."""
THREADS = 6
POLL_SECONDS = 0.005
SHORT_BACK, LONG_BACK = timedelta(seconds=0.3), timedelta(seconds=10)
"""Each look goes back a little, every fiftieth far, so that looking costs the load little."""
START_SECONDS = 60.0
TARGET_MS = 100.0

_SENSE = """
import json, sys, django
from django.conf import settings
for alias, name in json.loads(sys.argv[1]).items():
    settings.DATABASES[alias]["NAME"] = name
django.setup()
from django.core.management import call_command
call_command("sense", "--json")
"""
_NEW = "SELECT pipeline_run_id, captured_at, clock_timestamp() FROM public.sensor_events WHERE captured_at >= %s"


def measure(names: Mapping[str, str], *, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """p50, p95 and worst lag in ms over `seconds` of even load: `seen_…` by another connection, and by `captured_at`.

    What is seen includes up to `POLL_SECONDS` of waiting for the next look. `names`: the databases by alias.
    """
    requests = requests_make(runs=WARM_UP + int(RATE * seconds), seed=1)
    with _sensor(names), _watching() as seen:
        Load(requests[:WARM_UP], threads=THREADS, rate=RATE, seed=1).run()
        _wait(seen, WARM_UP)
        started = time.monotonic()
        Load(requests[WARM_UP:], threads=THREADS, rate=RATE, seed=1).run()
        rate = len(requests[WARM_UP:]) / (time.monotonic() - started)
        _wait(seen, len(requests))
    with as_service() as cursor:
        measured = [request.run_id for request in requests[WARM_UP:]]
        cursor.execute("SELECT id, finished_at FROM pipeline_runs WHERE id = ANY(%s)", [measured])
        ended = dict(cursor.fetchall())
    found: dict[str, Any] = {"runs": len(ended), "runs_per_second": round(rate, 1)}
    for name, place in (("seen", 1), ("captured", 0)):
        lags = [(seen[run_id][place] - moment).total_seconds() * 1000 for run_id, moment in ended.items()]
        found |= {
            f"{name}_p50_ms": round(statistics.median(lags), 1),
            f"{name}_p95_ms": round(statistics.quantiles(lags, n=20)[-1], 1),
            f"{name}_max_ms": round(max(lags), 1),
        }
    found["ok"] = found["seen_p95_ms"] < TARGET_MS
    say(
        f"capture lag at {found['runs_per_second']} runs a second, {found['runs']} runs: p50 {found['seen_p50_ms']} ms,"
        f" p95 {found['seen_p95_ms']} ms (must be < {TARGET_MS:g}), worst {found['seen_max_ms']} ms;"
        f" by captured_at {found['captured_p50_ms']} and {found['captured_p95_ms']} ms"
    )
    return found


@contextmanager
def _sensor(names: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SENSE, json.dumps(dict(names))], cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL
    )
    try:
        yield
        assert process.poll() is None, "the Sensor has ended"
    finally:
        process.terminate()
        process.wait()


Seen = dict[uuid.UUID, tuple[datetime, datetime]]
"""By run: when the Sensor says that it was captured, and when it was first seen from outside."""


@contextmanager
def _watching() -> Iterator[Seen]:
    seen: Seen = {}
    stop = threading.Event()

    def look() -> None:
        newest = _now()
        try:
            for number in count():
                if stop.wait(POLL_SECONDS):
                    return
                # `captured_at` is taken before the rows are written: those of a slow write come late.
                with connection.cursor() as cursor:
                    cursor.execute(_NEW, [newest - (LONG_BACK if number % 50 == 0 else SHORT_BACK)])
                    rows = cursor.fetchall()
                for run_id, captured_at, now in rows:
                    seen.setdefault(run_id, (captured_at, now))
                    newest = max(newest, captured_at)
        finally:
            connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def _wait(seen: Seen, runs: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while len(seen) < runs:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(seen)} of {runs} runs are recorded")
        time.sleep(0.01)
