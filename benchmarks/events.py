"""A hundred event streams while a campaign runs: is every event told to each, and does the web process still answer?

Each stream breaks off once on its way and comes back with its last id. `GET /api/v1/goals` is timed against an idle
server, beside the campaign alone, and beside the campaign with all streams. Writes to the configured databases: a small
data set of its own and one campaign on it.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from benchmarks.service import _web
from benchmarks.small_world import Sizes, lines
from contracts.actor import Actor, Role
from experiments.datasets import dialogues_load
from kernel.canonical import canonical_json
from selflearn_site.access.services import token_create

_ME = Actor(kind="person", name="bench", role=Role.META_USER)
DATASET = "bench-events"


@dataclass
class Stream:
    """One client: the ids that it was told, in their order, and how often it had to come back."""

    ids: list[int] = field(default_factory=list)
    connections: int = 0


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """`lost`, `twice`: events over all streams; `events`: those that each should have; times in ms of one GET."""
    streams, requests = (10, 20) if quick else (100, 150)
    _, token = token_create(name=f"bench-{uuid.uuid4().hex[:8]}", role=Role.META_USER, actor=_ME)
    _world()
    with _web() as port:
        found = asyncio.run(_measured(port, token, streams=streams, requests=requests))
    for name in ("idle", "campaign", "campaign_and_streams"):
        say(f"  {name.replace('_', ' '):<24} p50 {found[name]['p50']:6.1f}   p95 {found[name]['p95']:6.1f} ms")
    say(
        f"  {found['streams']} streams, {found['events']} events each, {found['reconnects']} reconnects: "
        f"{found['lost']} lost, {found['twice']} twice"
    )
    return found


def _world() -> None:
    """Loaded again it is the same data set."""
    with tempfile.TemporaryDirectory() as folder:
        path, sizes = Path(folder) / f"{DATASET}.jsonl", Sizes()
        path.write_text("\n".join(canonical_json(line) for line in lines(sizes)), encoding="utf-8")
        splits = {name: [name] for name, _ in sizes.items()}
        dialogues_load(format_name="jsonl", path=path, dataset=DATASET, splits=splits, actor=_ME)


async def _measured(port: int, token: str, *, streams: int, requests: int) -> dict[str, Any]:
    idle = await _timed(port, token, requests)
    first = await asyncio.to_thread(_last_event)
    campaign = _campaign()
    try:
        await _until(lambda: _last_event() > first, seconds=180)  # it works now
        alone = await _timed(port, token, requests)
        begun = await asyncio.to_thread(_last_event)
        clients, over = [Stream() for _ in range(streams)], asyncio.Event()
        listening = [asyncio.create_task(_listen(port, token, one, begun, over, n)) for n, one in enumerate(clients)]
        await _until(lambda: all(one.connections for one in clients), seconds=120)
        beside = await _timed(port, token, requests)
        ended = campaign.poll() is not None  # then streams were measured beside nothing
        await _until(lambda: campaign.poll() is not None, seconds=900)
        last = await asyncio.to_thread(_last_event)
        await _until(lambda: all(one.ids and one.ids[-1] >= last for one in clients), seconds=60, strict=False)
        over.set()
        await asyncio.gather(*listening)
    finally:
        campaign.terminate()
    wanted = await asyncio.to_thread(_events_between, begun, last)
    told = [[number for number in one.ids if number <= last] for one in clients]
    return {
        "idle": idle, "campaign": alone, "campaign_and_streams": beside, "streams": streams, "events": len(wanted),
        "reconnects": sum(one.connections - 1 for one in clients), "campaign_ended_early": ended,
        "lost": sum(len(wanted - set(ids)) for ids in told), "twice": sum(len(ids) - len(set(ids)) for ids in told),
    }  # fmt: skip


def _campaign() -> subprocess.Popen[bytes]:
    goal = "Raise recall of memories to 95 % without losing precision"
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "learn", "--goal", goal, "--json"]
    own = ["--dataset", DATASET, "--cycles", "3", "--seed", str(uuid.uuid4().int % 10_000)]
    return subprocess.Popen([*command, *own], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _listen(port: int, token: str, one: Stream, since: int, over: asyncio.Event, number: int) -> None:
    """Until `over`; the first connection is broken off after a few events, another number of them for each client."""
    while not over.is_set():
        at = one.ids[-1] if one.ids else since
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_request("/api/v1/events", token, f"Last-Event-ID: {at}"))
        await writer.drain()
        one.connections += 1
        try:
            while not over.is_set():
                try:
                    line = await asyncio.wait_for(reader.readline(), timeout=1)
                except TimeoutError:
                    continue
                if not line:
                    break
                if line.startswith(b"id: "):
                    one.ids.append(int(line[4:]))
                    if one.connections == 1 and len(one.ids) > number % 7:
                        break
        finally:
            writer.close()


async def _timed(port: int, token: str, requests: int) -> dict[str, float]:
    """Milliseconds of one request after the other, each with its own connection; three warm up."""
    times = []
    for place in range(requests + 3):
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_request("/api/v1/goals", token, "Connection: close"))
        await writer.drain()
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer[:20]:
            raise RuntimeError(answer[:300].decode(errors="replace"))
        if place >= 3:
            times.append((time.perf_counter() - started) * 1000)
    return {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


def _request(path: str, token: str, header: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{header}\r\n\r\n".encode()


async def _until(done: Callable[[], bool], *, seconds: float, strict: bool = True) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(done):
        if time.monotonic() > deadline:
            if strict:
                raise TimeoutError(f"not within {seconds:g} s")
            return
        await asyncio.sleep(0.2)


def _last_event() -> int:
    return int(_asked("SELECT coalesce(max(id), 0) FROM site_events", [])[0][0])


def _events_between(after: int, upto: int) -> set[int]:
    return {int(row[0]) for row in _asked("SELECT id FROM site_events WHERE id > %s AND id <= %s", [after, upto])}


def _asked(statement: str, values: list[int]) -> list[tuple[Any, ...]]:
    """Each thread has a connection of its own, and gives it back."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    finally:
        connection.close()
