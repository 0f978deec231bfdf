"""No event is lost, whoever commits first, and a hundred streams cost one reader."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from contracts.actor import Role
from incidents.models import Incident
from kernel.errors import InvalidInput
from selflearn_site.events.models import Event
from selflearn_site.events.outbox import Cursor, Told, cursor_now, cursor_read, events_after, events_forget
from selflearn_site.events.stream import CURSOR_HEADER, RECENT, Hub, with_streams
from tests.access.people import bearer


def _incident(name: str) -> Incident:
    return Incident.objects.create(kind="test", severity="info", title=name, subject=name, actor="component:test")


def test_incident__opened_and_changed__is_told_once_each(transactional_db: None) -> None:
    since = cursor_now()
    row = _incident("a")
    Incident.objects.filter(pk=row.pk).update(detail="nothing that is told")
    Incident.objects.filter(pk=row.pk).update(status="acknowledged")
    told = events_after(since)
    assert [item.kind for item in told] == ["incident", "incident"]
    assert '"acknowledged"' in told[1].text
    assert events_after(told[-1].cursor) == []


def test_event__of_a_transaction_that_commits_late__is_not_missed(transactional_db: None) -> None:
    """It took its id first. A reader that saw the later one already would never look behind it."""
    since, held, go = cursor_now(), threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            _incident("late")
            held.set()
            go.wait(10)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert held.wait(10)
    _incident("early")
    seen = events_after(since)
    go.set()
    thread.join()
    assert seen == [], "the later event waits for the earlier one"
    assert ["late" in item.text for item in events_after(since)] == [True, False]


def test_event__beside_a_transaction_that_tells_nothing__is_not_held_back(transactional_db: None) -> None:
    since, held, go = cursor_now(), threading.Event(), threading.Event()

    def other() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            held.set()
            go.wait(10)
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(10)
    _incident("quick")
    seen = events_after(since)
    go.set()
    thread.join()
    assert ["quick" in item.text for item in seen] == [True]


def test_event__after_a_savepoint_that_was_undone__still_holds_later_ones_back(transactional_db: None) -> None:
    """The lock goes with the savepoint: the next event must take it anew."""
    since, held, go = cursor_now(), threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            point = transaction.savepoint()
            _incident("undone")
            transaction.savepoint_rollback(point)
            _incident("late")
            held.set()
            go.wait(10)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert held.wait(10)
    _incident("early")
    seen = events_after(since)
    go.set()
    thread.join()
    assert seen == []
    assert ["late" in item.text for item in events_after(since)] == [True, False]


def test_transaction__of_many_events__takes_one_lock(transactional_db: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for number in range(5):
            _incident(f"many {number}")
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (1,)


def test_get__with_the_last_id__gives_what_came_since(transactional_db: None, client: Client) -> None:
    headers = bearer(Role.VIEWER)
    first = client.get("/api/v1/events", headers=headers)
    assert first.headers["Content-Type"].startswith("text/event-stream")
    _incident("missed")
    resumed = client.get("/api/v1/events", headers=headers | {"Last-Event-ID": first.headers[CURSOR_HEADER]})
    assert resumed.content.decode().count("event: incident") == 1
    assert '"missed"' in resumed.content.decode()


def test_forget__of_what_is_older_than_a_week__leaves_the_rest(db: None) -> None:
    Event.objects.create(kind="cycle", data={}, at=timezone.now() - timedelta(days=8))
    last = Event.objects.create(kind="cycle", data={}, at=timezone.now() - timedelta(days=8))
    young = Event.objects.create(kind="cycle", data={})
    assert events_forget() == 1
    assert list(Event.objects.all()) == [last, young]


def test_get__with_an_id_older_than_what_is_kept__begins_with_a_gap(db: None, client: Client) -> None:
    kept = Event.objects.create(kind="cycle", data={}, at=timezone.now() - timedelta(days=8))
    headers = bearer(Role.VIEWER)
    late = client.get("/api/v1/events", headers=headers | {"Last-Event-ID": str(kept.pk - 1)}).content.decode()
    assert late.index("event: gap") < late.index("event: cycle")
    assert "event: gap" not in client.get("/api/v1/events", headers=headers).content.decode()
    known = client.get("/api/v1/events", headers=headers | {"Last-Event-ID": str(kept.pk)}).content.decode()
    assert "event: gap" not in known


def test_get__without_login__is_401(client: Client, db: None) -> None:
    assert client.get("/api/v1/events").status_code == 401


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "1-2", "1" * 19])
def test_cursor__that_no_stream_gave__is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        cursor_read(text)


def _told(number: int) -> Told:
    return Told(number, "cycle", "{}")


class _Source:
    """Events that were committed, read as the outbox is."""

    def __init__(self) -> None:
        self.rows: list[Told] = []
        self.reads = 0

    async def read(self, at: Cursor) -> list[Told]:
        self.reads += 1
        return [row for row in self.rows if row.cursor > at][:500]


async def _stream(hub: Hub, since: int, until: int) -> list[str]:
    """Ids that a client gets; it leaves when it has `until`."""
    sent: list[bytes] = []
    left = asyncio.Event()

    async def django(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(CURSOR_HEADER.encode(), str(since).encode()), (b"Content-Length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["headers"] == []
            return
        sent.append(message["body"])
        if f"id: {until}\n".encode() in message["body"]:
            left.set()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": "/api/v1/events", "method": "GET"}
    await asyncio.wait_for(with_streams(django, hub)(scope, receive, send), 20)
    return [line[4:] for line in b"".join(sent).decode().splitlines() if line.startswith("id: ")]


def test_hundred_streams__that_break_and_resume__get_every_event_once() -> None:
    source = _Source()

    async def client(hub: Hub, number: int) -> list[str]:
        cut = 20 + number
        return await _stream(hub, 0, cut) + await _stream(hub, cut, 300)

    async def run() -> list[list[str]]:
        hub = Hub(source.read)

        async def write() -> None:
            for number in range(1, 301):
                source.rows.append(_told(number))
                await asyncio.sleep(0)

        writing = asyncio.create_task(write())
        found = await asyncio.gather(*(client(hub, number) for number in range(100)))
        await writing
        return list(found)

    wanted = [str(number) for number in range(1, 301)]
    assert all(found == wanted for found in asyncio.run(run()))
    assert source.reads < 320, "one reader for all, not one each"


def test_join__before_what_is_at_hand__sends_the_client_back_to_the_database() -> None:
    async def run() -> tuple[bool, bool]:
        source = _Source()
        source.rows = [_told(number) for number in range(1, RECENT + 100)]
        hub = Hub(source.read)
        first = hub.join(0)
        assert first is not None
        while hub._at < source.rows[-1].cursor:
            await asyncio.sleep(0)
        result = hub.join(1) is None, hub.join(source.rows[-1].cursor) is not None
        hub._queues.clear()
        hub.leave(first)
        return result

    assert asyncio.run(run()) == (True, True)
