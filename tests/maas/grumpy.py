"""A small HTTP server that answers runs at once, and before that refuses, hangs up or delays as a test says."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Mood = Callable[[int, str], "int | tuple[int, dict[str, str]] | str | None"]
"""Number of the call (from 0) and its method → a status, a status with headers, "reset", "lost" (done, but the answer
is cut off), or None: served."""


class Grumpy:
    """`calls`: when each came, its method and path. `runs`: how often each run id was handed in."""

    def __init__(self, mood: Mood, delay: float):
        self.mood, self.delay = mood, delay
        self.lock = threading.Lock()
        self.calls: list[tuple[float, str, str]] = []
        self.runs: Counter[str] = Counter()
        self.peers: set[Any] = set()
        self.at_once = self.most_at_once = 0
        self.url = ""


@contextmanager
def grumpy_server(mood: Mood = lambda _number, _method: None, *, delay: float = 0.0) -> Iterator[Grumpy]:
    state = Grumpy(mood, delay)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            with state.lock:
                number = len(state.calls)
                state.calls.append((time.monotonic(), self.command, self.path))
                state.peers.add(self.client_address)
                state.at_once += 1
                state.most_at_once = max(state.most_at_once, state.at_once)
            time.sleep(state.delay)
            told = state.mood(number, self.command)
            with state.lock:
                state.at_once -= 1
            if told == "reset":
                self._hang_up()
                return
            if isinstance(told, int):
                told = (told, {})
            if isinstance(told, tuple):
                said = {"error": {"code": "SLOW", "message": "slow down", "details": {}}}
                self._send(told[0], said if told[0] in (429, 503) else "a proxy's page", told[1])
                return
            reply = self._served(body)
            if told == "lost":
                self._hang_up()
                return
            self._send(202 if self.command == "POST" else 200, reply, {})

        do_POST = do_GET  # noqa: N815  the name that http.server looks for

        def _served(self, body: dict[str, Any]) -> dict[str, Any]:
            if self.command == "POST" and "memories" in body:
                return {"imported": len(body["memories"]), "known": 0, "errors": []}
            if self.command == "POST":
                with state.lock:
                    state.runs[body["run_id"]] += 1
                return {"request_id": body["run_id"], "status": "NEW"}
            run_id = urllib.parse.urlsplit(self.path).path.rpartition("/")[2]
            return {"run_id": run_id, "status": "COMPLETED", "answer": f"heard {run_id}", "found": []}

        def _send(self, status: int, reply: Any, headers: dict[str, str]) -> None:
            payload = json.dumps(reply).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def _hang_up(self) -> None:
            """A reset, not a polite end: linger of zero seconds."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_args: object) -> None:
            """Silent."""

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # the connection was closed under it, by the test or by the client
                super().handle()

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
