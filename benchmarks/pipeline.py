"""How many turns a second the student does, end to end, beside the same statements sent bare, and as a service.

`run(quick=…)` writes into the configured `maas` database under users of its own, and removes them afterwards.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections

from benchmarks.service import accepting_milliseconds, answered_per_second, orchestrators
from contracts.maas import NewMemory, RunRequest
from maas.access import ALIAS, as_service
from maas.client import InProcessClient, memories_import

PLACES = ("Kazan", "Perm", "Omsk", "Tver", "Tula", "Ufa", "Pskov", "Sochi")
THINGS = ("cello", "bicycle", "telescope", "kettle", "carpet", "violin", "lantern", "kayak")
START = datetime(2025, 1, 1, tzinfo=UTC)
MEMORIES_PER_USER = 100


def run(quick: bool = False, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Turns a second in this process, with one thread and two; `bare_…`: the same SQL alone; `orchestrated_…`: handed
    in through the service and answered by one orchestrator process, and by two; `accept_…`: POST until its 202, in ms.
    """
    turns = 120 if quick else 1000
    users = [uuid.uuid4() for _ in range(8)]
    try:
        memories_import([_memory(user, number) for user in users for number in range(MEMORIES_PER_USER)])
        _turns(users, 20, mode="dialogue", threads=1)  # caches and connections warm up
        statements = _recorded(users[0])
        dialogue = _turns(users, turns, mode="dialogue", threads=1)
        found = {
            "turns": turns,
            "turns_per_second": dialogue,
            "turns_per_second_two_threads": _turns(users, turns, mode="dialogue", threads=2),
            "evaluations_per_second": _turns(users, turns, mode="evaluation", threads=1),
            "bare_turns_per_second": (bare := _bare(statements, turns)),
            "ratio_to_bare": dialogue / bare,
            "round_trips_per_turn": len(statements),
            **_as_a_service(users, turns),
        }
        for name, value in found.items():
            say(f"{name:<34} {value:.2f}" if isinstance(value, float) else f"{name:<34} {value}")
        return found
    finally:
        with as_service() as cursor:
            for table in ("raw_logs", "pipeline_runs", "lsm_storage"):
                cursor.execute(f"DELETE FROM {table} WHERE user_id = ANY(%s)", [users])  # noqa: S608  own names


def _as_a_service(users: list[uuid.UUID], turns: int) -> dict[str, float]:
    warm_up = 20
    requests = [_request(users, number, "dialogue") for number in range(turns + warm_up)]
    found = {}
    for processes, workers in ((1, 4), (2, 2)):
        with orchestrators(processes=processes, workers=workers):
            found[f"orchestrated_{processes}x{workers}_per_second"] = answered_per_second(requests, warm_up=warm_up)
    for clients in (1, 4):
        times = accepting_milliseconds(requests[:turns], clients=clients)
        found |= {f"accept_{clients}_at_once_{name}_ms": value for name, value in times.items()}
    return found


def _memory(user: uuid.UUID, number: int) -> NewMemory:
    text = (
        f"Bought a {THINGS[number % 8]} number {number} in {PLACES[number // 8 % 8]} for {number * 37 % 900} roubles."
    )
    return NewMemory(memory_id=uuid.uuid4(), user_id=user, text=text, simulated_at=START + timedelta(days=number))


def _request(users: list[uuid.UUID], number: int, mode: Any) -> RunRequest:
    thing, place = THINGS[number % 8], PLACES[number * 5 % 8]
    query = (
        f"Where did I buy the {thing} for my friends in {place}?"
        if number % 2
        else f"I sold the {thing} number {number} in {place} yesterday."
    )
    return RunRequest(
        user_id=users[number % len(users)], query=query, mode=mode, simulated_at=START + timedelta(days=200)
    )


def _turns(users: list[uuid.UUID], turns: int, *, mode: str, threads: int) -> float:
    """Turns a second; each thread has users of its own, so that none waits for another's order."""
    client = InProcessClient()

    def work(mine: list[uuid.UUID]) -> None:
        try:
            for number in range(turns // threads):
                answer = client.ask(_request(mine, number, mode))
                assert answer.status == "COMPLETED", answer
        finally:
            if threads > 1:
                connections.close_all()

    started = time.perf_counter()
    if threads == 1:
        work(users)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, [users[index::threads] for index in range(threads)]))
    return turns / (time.perf_counter() - started)


@contextmanager
def _watching(statements: list[tuple[str, Any]]) -> Iterator[None]:
    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connections[ALIAS].execute_wrapper(note):
        yield


def _recorded(user: uuid.UUID) -> list[tuple[str, Any]]:
    """The statements of one turn, as the application sends them."""
    statements: list[tuple[str, Any]] = []
    with _watching(statements):
        InProcessClient().ask(_request([user], 1, "dialogue"))
    return statements


def _bare(statements: list[tuple[str, Any]], turns: int) -> float:
    """The same round trips over the driver alone: roles, transactions and statements as they were sent.

    Writes find their run already finished and change nothing, so this is what the round trips and plans cost at least.
    """
    connection = connections[ALIAS]
    connection.ensure_connection()
    raw = connection.connection
    assert raw is not None
    started = time.perf_counter()
    with raw.cursor() as cursor:
        for _ in range(turns):
            for sql, params in statements:
                cursor.execute(sql, params)
    return turns / (time.perf_counter() - started)
