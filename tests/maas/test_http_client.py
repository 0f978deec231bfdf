"""The HTTP client against a local server that speaks the documented shapes."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contracts.maas import RunRequest
from kernel.errors import DomainError, InvalidInput, NotFound, Unavailable
from maas.http_client import HttpClient

RUN = uuid.UUID("00000000-0000-4000-8000-000000000001")


class Student(BaseHTTPRequestHandler):
    replies: list[tuple[int, Any]] = []
    seen: list[tuple[str, str, Any, str | None]] = []

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.seen.append((self.command, self.path, body, self.headers.get("Authorization")))
        status, reply = self.replies.pop(0)
        payload = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_POST = do_GET  # noqa: N815  the name that http.server looks for

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture
def student() -> Iterator[str]:
    Student.replies, Student.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Student)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_ask__until_completed__polls_and_gives_the_answer(student: str, anna: uuid.UUID) -> None:
    Student.replies = [
        (202, {"request_id": str(RUN), "status": "NEW"}),
        (200, {"run_id": str(RUN), "status": "RESPONDING", "answer": None}),
        (200, {"run_id": str(RUN), "status": "COMPLETED", "answer": "Red.", "found": [], "stage": "extra"}),
    ]
    answer = HttpClient(student, token="secret").ask(RunRequest(user_id=anna, query="What colour?"))
    assert (answer.run_id, answer.answer) == (RUN, "Red.")
    assert Student.seen[0][:2] == ("POST", "/api/v1/maas/runs")
    assert Student.seen[0][2]["query"] == "What colour?"
    assert {item[3] for item in Student.seen} == {"Bearer secret"}


def test_wait__never_settled__is_unavailable(student: str, anna: uuid.UUID) -> None:
    Student.replies = [(200, {"run_id": str(RUN), "status": "NEW", "answer": None})]
    with pytest.raises(Unavailable, match="no answer within"):
        HttpClient(student).wait(RUN, user_id=anna, timeout=0)


@pytest.mark.parametrize(
    ("status", "reply", "expected"),
    [
        (404, {"error": {"code": "NOT_FOUND", "message": "no such run", "details": {}}}, NotFound),
        (422, {"error": {"code": "INVALID_INPUT", "message": "empty", "details": {}}}, InvalidInput),
        (502, b"<html>bad gateway</html>", Unavailable),
        (200, b"not json", Unavailable),
        (200, [1], Unavailable),
    ],
)
def test_call__refused_or_garbled__raises_the_domain_error(
    status: int, reply: Any, expected: type[DomainError], student: str, anna: uuid.UUID
) -> None:
    Student.replies = [(status, reply)]
    with pytest.raises(expected):
        HttpClient(student, lost=0).feedback(RUN, user_id=anna, score=5)


def test_client__nobody_listens__is_unavailable(anna: uuid.UUID) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        HttpClient("http://127.0.0.1:9", lost=0).submit(RunRequest(user_id=anna, query="x"))


def test_client__address_without_scheme__is_refused() -> None:
    with pytest.raises(InvalidInput, match="MAAS_URL"):
        HttpClient("file:///etc/passwd")
