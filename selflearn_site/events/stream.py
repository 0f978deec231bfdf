"""`GET /events` under ASGI: Django answers who may read and what was missed, then its thread and connection go back,
and this goes on with the stream. One reader asks the database for all clients of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection

from selflearn_site.events.outbox import Cursor, Told, cursor_read, events_after

logger = logging.getLogger(__name__)
PATH = "/api/v1/events"
CURSOR_HEADER = "X-Events-Cursor"
LONGEST = 600.0
"""Seconds of one stream; then the client comes again, and is asked again who it is: tokens are revoked."""
KEEP_ALIVE = 15.0
PAUSE = 0.5
RECENT, WAITING = 2000, 1000

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Any, Receive, Send], Awaitable[None]]


class Hub:
    """The process's one reader. It runs while somebody listens."""

    def __init__(self, read: Callable[[Cursor], Awaitable[list[Told]]]):
        self._read = read
        self._queues: set[asyncio.Queue[Told | None]] = set()
        self._recent: deque[Told] = deque(maxlen=RECENT)
        self._floor: Cursor = 0
        self._at: Cursor = 0
        self._task: asyncio.Task[None] | None = None

    def join(self, since: Cursor) -> asyncio.Queue[Told | None] | None:
        """A queue of all events after `since`; None when they are not at hand any more: the client asks again."""
        if not self._queues:
            self._recent.clear()
            self._floor = self._at = since
        if since < self._floor:
            return None
        queue: asyncio.Queue[Told | None] = asyncio.Queue()
        for told in self._recent:
            if told.cursor > since:
                queue.put_nowait(told)
        self._queues.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return queue

    def leave(self, queue: asyncio.Queue[Told | None]) -> None:
        self._queues.discard(queue)
        if not self._queues and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                found = await self._read(self._at)
            except Exception:
                logger.warning("events cannot be read now", exc_info=True)
                found = []
            for told in found:
                self._tell(told)
            await asyncio.sleep(0 if found else PAUSE)

    def _tell(self, told: Told) -> None:
        if len(self._recent) == RECENT:
            self._floor = self._recent[0].cursor
        self._recent.append(told)
        self._at = told.cursor
        for queue in tuple(self._queues):
            if queue.qsize() < WAITING:
                queue.put_nowait(told)
            elif queue.qsize() == WAITING:  # too slow: its stream ends, and goes on from its last id
                queue.put_nowait(None)


def _read(at: Cursor) -> list[Told]:
    try:
        return events_after(at)
    finally:
        connection.close()


_hub = Hub(sync_to_async(_read, thread_sensitive=False))


def with_streams(django: App, hub: Hub = _hub) -> App:
    """The ASGI application around Django's."""

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await django(scope, receive, send)
            return
        since: Cursor | None = None

        async def begin(message: Message) -> None:
            nonlocal since
            if message["type"] == "http.response.start":
                name = CURSOR_HEADER.lower().encode()
                given = {key.lower(): value for key, value in message["headers"]}
                if name in given and scope["method"] == "GET":
                    since = cursor_read(given[name].decode())
                    left = [item for item in message["headers"] if item[0].lower() not in (name, b"content-length")]
                    message = {**message, "headers": left}
            elif since is not None:
                message = {**message, "more_body": True}
            await send(message)

        await django(scope, receive, begin)
        if since is not None:
            await _go_on(hub, since, receive, send)

    return application


async def _go_on(hub: Hub, since: Cursor, receive: Receive, send: Send) -> None:
    queue = hub.join(since)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        async with asyncio.timeout(LONGEST):
            while queue is not None:
                taken = asyncio.create_task(queue.get())
                done, _ = await asyncio.wait({taken, gone}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
                if taken not in done:
                    taken.cancel()
                if gone in done:
                    return
                told = taken.result() if taken in done else None
                if taken in done and told is None:
                    break
                if told is None:
                    await _body(send, b": still here\n\n")
                elif told.cursor > since:
                    await _body(send, told.frame)
    except TimeoutError:
        pass
    finally:
        gone.cancel()
        if queue is not None:
            hub.leave(queue)
    with contextlib.suppress(OSError):
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
