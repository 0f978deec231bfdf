"""One POST over real HTTP: answers, refusals, and the total time."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from notifications.delivery.http import post
from notifications.delivery.outcome import LONGEST_ANSWER, Outcome
from notifications.domain.addresses import networks_read
from tests.notifications.receivers import Answer, receiving, refusing_port

OWN = networks_read("127.0.0.0/8, ::1/128")


def posted(url: str, *, permitted: str = "127.0.0.0/8, ::1/128", **given: Any) -> Outcome:
    body = b'{"a": 1}'
    return post(url, body=body, headers={"X-A": "b"}, permitted=networks_read(permitted), **{"timeout": 5.0, **given})


def test_post__receiver_takes_it__is_sent_with_status_and_answer() -> None:
    with receiving(Answer(202, b"queued")) as receiver:
        outcome = posted(receiver.url)
    assert outcome == Outcome(sent=True, status=202, answer="queued")
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["X-A"]) == ("/hook", b'{"a": 1}', "b")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"


def test_post__name_instead_of_number__is_looked_up_and_kept_as_host() -> None:
    with receiving() as receiver:
        outcome = posted(f"http://localhost:{receiver.port}/x?key=1")
    assert outcome.sent
    assert receiver.got[0].headers["Host"] == f"localhost:{receiver.port}"
    assert receiver.got[0].path == "/x?key=1"


@pytest.mark.parametrize(
    ("answer", "status", "words", "after"),
    [
        (Answer(500, b"boom"), 500, "answered 500", None),
        (Answer(429, b"", {"Retry-After": "120"}), 429, "answered 429", 120.0),
        (Answer(503, b"", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 503, "answered 503", None),
        (Answer(302, b"", {"Location": "http://169.254.169.254/"}), 302, "redirects", None),
    ],
)
def test_post__receiver_refuses__is_tried_again_and_no_redirect_is_followed(
    answer: Answer, status: int, words: str, after: float | None
) -> None:
    with receiving(answer) as receiver:
        outcome = posted(receiver.url)
    assert (outcome.sent, outcome.again, outcome.status, outcome.retry_after) == (False, True, status, after)
    assert words in outcome.error
    assert len(receiver.got) == 1


@pytest.mark.parametrize("answer", [Answer(hangs=True), Answer(drips=True)])
def test_post__receiver_hangs_or_drips__ends_within_its_time(answer: Answer) -> None:
    with receiving(answer) as receiver:
        outcome = posted(receiver.url, timeout=0.3)
    assert (outcome.sent, outcome.again, outcome.error) == (False, True, "no answer within 0.3 seconds")


def test_post__nobody_listens__says_so_without_the_address() -> None:
    port = refusing_port()
    outcome = posted(f"http://127.0.0.1:{port}/secret-key")
    assert outcome.again
    assert "cannot be reached" in outcome.error
    assert "secret-key" not in outcome.error


def test_post__long_answer__is_kept_short_and_printable() -> None:
    with receiving(Answer(200, b"\x1b[31mred " + b"x" * 100_000)) as receiver:
        outcome = posted(receiver.url)
    assert len(outcome.answer) == LONGEST_ANSWER
    assert "\x1b" not in outcome.answer


def test_post__private_address_that_is_not_permitted__is_refused_before_anything_is_sent() -> None:
    with receiving() as receiver:
        outcome = posted(receiver.url, permitted="")
    assert (outcome.sent, outcome.again) == (False, False)
    assert "private address" in outcome.error
    assert not receiver.got


@pytest.mark.parametrize("addresses", [["169.254.169.254"], ["93.184.215.14", "169.254.169.254"], ["fe80::1"]])
def test_post__name_that_resolves_to_metadata__is_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_given: answers)
    outcome = posted("https://innocent.example/x", permitted="0.0.0.0/0")
    assert (outcome.sent, outcome.again) == (False, False)
    assert "link-local, metadata or reserved" in outcome.error


def test_post__unencrypted_to_a_public_address__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_given: answers)
    assert "not encrypted" in posted("http://example.org/x").error


def test_post__unknown_name__is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = posted("https://no-such.example/x")
    assert (outcome.again, outcome.error) == (True, "the name no-such.example is not known")


def test_post__name_service_hangs__ends_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def waits(*args: Any, **kwargs: Any) -> list[Any]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", waits)
    outcome = posted("https://slow.example/x", timeout=0.1)
    over.set()
    assert outcome.again
    assert "was not found within 0.1 seconds" in outcome.error


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
@pytest.mark.parametrize(("name", "sent"), [("localhost", True), ("other.test", False)])
def test_post__https__holds_the_certificate_to_the_name_that_was_asked_for(
    name: str, sent: bool, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        trust = ssl.create_default_context(cafile=str(certificate))
        outcome = posted(f"https://localhost:{server.server_address[1]}/x", verify=trust)
    finally:
        server.shutdown()
        server.server_close()
    assert outcome.sent is sent
    assert sent or "certificate is not valid" in outcome.error
