"""Over real HTTP: a service that asks to slow down or hangs up delays the client, and fails nothing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from contracts.maas import RunAnswer, RunRequest
from kernel.errors import Unavailable
from maas import pace
from maas.http_client import HttpClient
from maas.pace import Pace, pause_of
from tests.maas.grumpy import grumpy_server

USER = uuid.UUID("00000000-0000-4000-8000-0000000000a1")


def ask(client: HttpClient) -> RunAnswer:
    return client.ask(RunRequest(user_id=USER, query="What colour?", run_id=uuid.uuid4()))


@pytest.mark.parametrize("status", [429, 503])
def test_ask__told_to_slow_down__waits_as_long_as_told_and_is_answered(status: int) -> None:
    with grumpy_server(lambda number, _: (status, {"Retry-After": "1"}) if number == 0 else None) as server:
        answer = ask(HttpClient(server.url))
        assert answer.status == "COMPLETED"
        assert server.calls[1][0] - server.calls[0][0] >= 1.0


def test_ask__told_to_slow_down_without_a_time__tries_again_until_served() -> None:
    with grumpy_server(lambda number, _: 429 if number < 3 else None) as server:
        assert ask(HttpClient(server.url)).status == "COMPLETED"
        assert [method for _, method, _ in server.calls] == ["POST"] * 4 + ["GET"]


def test_ask__refused_for_longer_than_its_patience__is_unavailable_and_says_why() -> None:
    with (
        grumpy_server(lambda *_: (429, {"Retry-After": "3600"})) as server,
        pytest.raises(Unavailable, match="slow down for longer than 5 s: 429 slow down"),
    ):
        ask(HttpClient(server.url, patience=5))
    assert len(server.calls) == 1, "waiting an hour would not help"


def test_submit__connection_reset_and_answer_lost__is_one_run_of_the_same_id() -> None:
    moods = ["reset", "lost", None]
    with grumpy_server(lambda number, _: moods[number] if number < len(moods) else None) as server:
        client = HttpClient(server.url)
        client._calls._reached = True  # as after any earlier call
        given = client.submit(RunRequest(user_id=USER, query="no id of its own"))
        assert server.runs == {str(given): 2}, "the second try had come through, the third is the same run"


def test_call__proxy_without_a_service__is_tried_again() -> None:
    with grumpy_server(lambda number, _: (502, 504)[number] if number < 2 else None) as server:
        assert ask(HttpClient(server.url)).status == "COMPLETED"
        assert len(server.calls) == 4


def test_client__overloaded_by_many_threads__comes_down_and_answers_every_one_once() -> None:
    """The server takes three calls at once and refuses the rest."""
    with grumpy_server(delay=0.01) as server:
        server.mood = lambda _number, _method: 503 if server.at_once > 3 else None
        client = HttpClient(server.url)
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda _: ask(client), range(96)))
        assert {answer.status for answer in answers} == {"COMPLETED"}
        assert sorted(server.runs.values()) == [1] * 96
        refused = len(server.calls) - 2 * 96
        assert refused < 2 * 96, "it learns: not every call is refused before it is served"
        assert client.at_once < pace.CEILING


def test_client__many_threads__keep_their_connections() -> None:
    with grumpy_server() as server:
        client = HttpClient(server.url)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: ask(client), range(80)))
        assert len(server.calls) == 160
        assert len(server.peers) <= 8


def test_pause__by_header__is_seconds_or_a_date_and_never_less() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 7.0 <= pause_of("7", 0) < 8.0
    assert 28.0 <= pause_of(soon, 0) <= 31.0
    assert pause_of("Mon, 01 Jan 2001 00:00:00 GMT", 0) < 1.0


@pytest.mark.parametrize("header", [None, "soon", "-5", "1.5"])
def test_pause__without_a_usable_header__grows_and_is_bounded(header: str | None) -> None:
    assert max(pause_of(header, 0) for _ in range(50)) <= pace.FIRST_PAUSE
    late = [pause_of(header, 1000) for _ in range(200)]
    assert pace.LONGEST_PAUSE / 3 < max(late) <= pace.LONGEST_PAUSE


def test_pace__burst_of_refusals__halves_once_and_recovers_step_by_step() -> None:
    shared = Pace(ceiling=16)
    with shared.slot() as first, shared.slot() as second, shared.slot(), shared.slot():
        shared.slow_down(first, pause=0)
        shared.slow_down(second, pause=0)
    assert shared.limit == 2
    for _ in range(5):
        shared.went_well()
    assert 2 < shared.limit < 16
    for _ in range(1000):
        shared.went_well()
    assert shared.limit == 16
