"""The student as a service: turns a second through the orchestrator's processes, and how soon the entrypoint answers.

Both start real processes on the configured databases. An orchestrator that runs there already would take part.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User

from contracts.maas import RunRequest
from maas.access import as_service
from maas.client import get_client

START_SECONDS = 60.0
TURN_SECONDS = 0.5
"""A turn that takes longer than this on average means that something is broken."""


# --- through the orchestrator ----------------------------------------------------------------------------------------


@contextmanager
def orchestrators(*, processes: int, workers: int) -> Iterator[None]:
    """`manage.py orchestrate` running, each with as many workers."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "orchestrate", "--json"]
    with ExitStack() as stack:
        started = [
            subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        for process in started:
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for process in started:
            assert process.stdout is not None
            assert "started" in process.stdout.readline()
        yield


def answered_per_second(requests: Sequence[RunRequest], *, warm_up: int) -> float:
    """Turns a second from the first request handed in to the last run settled, orchestrators running.

    The first `warm_up` requests come before and are not counted. Raises `TimeoutError`.
    """
    client = get_client()
    _settled([client.submit(request) for request in requests[:warm_up]])
    started = time.perf_counter()
    _settled([client.submit(request) for request in requests[warm_up:]])
    return (len(requests) - warm_up) / (time.perf_counter() - started)


def _settled(runs: list[uuid.UUID]) -> None:
    deadline = time.monotonic() + START_SECONDS + TURN_SECONDS * len(runs)
    while time.monotonic() < deadline:
        with as_service() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE finished_at IS NOT NULL), count(*) FILTER (WHERE status = 'FAILED')"
                " FROM pipeline_runs WHERE id = ANY(%s)",
                [runs],
            )
            settled, failed = cursor.fetchone()
        assert not failed, f"{failed} runs have failed"
        if settled == len(runs):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{settled} of {len(runs)} runs are settled")


# --- the entrypoint --------------------------------------------------------------------------------------------------


def accepting_milliseconds(requests: Sequence[RunRequest], *, clients: int) -> dict[str, float]:
    """p50 and p95 of `POST /api/v1/maas/runs` in ms at a live ASGI server, `clients` at once, each signed in."""
    times: list[float] = []
    with _web() as port, _session() as cookie:
        token = secrets.token_hex(16)
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}; {settings.CSRF_COOKIE_NAME}={token}",
            "X-CSRFToken": token,
        }

        def post(mine: Sequence[RunRequest]) -> None:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                for number, request in enumerate(mine):
                    body = request.model_dump_json(exclude_none=True)
                    started = time.perf_counter()
                    connection.request("POST", "/api/v1/maas/runs", body, headers)
                    response = connection.getresponse()
                    text = response.read()
                    if number >= 3:  # caches and the connection warm up
                        times.append((time.perf_counter() - started) * 1000)
                    assert response.status == 202, (response.status, text)
                    assert json.loads(text)["request_id"]

        threads = [threading.Thread(target=post, args=[requests[index::clients]]) for index in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(times) == len(requests) - 3 * clients, "a client has failed"
    return {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


@contextmanager
def _web() -> Iterator[int]:
    """The server of `manage.py up` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "selflearn_site.asgi:application", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--lifespan", "off", "--log-level", "warning", "--app-dir", str(settings.BASE_DIR)]
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _session() -> Iterator[str]:
    """A signed-in person of its own, removed afterwards."""
    user = User.objects.create_user(f"bench-{secrets.token_hex(4)}", is_superuser=True)
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    try:
        yield str(session.session_key)
    finally:
        session.delete()
        user.delete()
