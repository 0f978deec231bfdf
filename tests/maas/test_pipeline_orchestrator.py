"""The orchestrator in this process, without its sweep: what it does at once it does because it was told."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import OperationalError

from maas import orchestrator, pipeline
from maas.access import as_service
from maas.agents import asking
from maas.claims import Run, claim_next
from maas.client import get_client
from maas.orchestrator import Orchestrator
from tests.maas.conftest import request_of
from tests.maas.models import FlakyModel

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "I bought a red cello in Kazan."


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestrator, "SWEEP_SECONDS", 3600.0)
    monkeypatch.setattr(orchestrator, "RECONNECT_SECONDS", (0.02, 0.1))


@contextmanager
def running(*, workers: int) -> Iterator[Orchestrator]:
    it = Orchestrator(workers=workers)
    thread = threading.Thread(target=it.run)
    thread.start()
    try:
        yield it
    finally:
        it.stop()
        thread.join(20)
        assert not thread.is_alive()


def settled_in_order() -> list[uuid.UUID]:
    with as_service() as cursor:
        cursor.execute("SELECT id FROM pipeline_runs WHERE finished_at IS NOT NULL ORDER BY finished_at")
        return [row[0] for row in cursor.fetchall()]


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.01)


def submit(user: uuid.UUID) -> uuid.UUID:
    return get_client().submit(request_of(user, TEXT))


def test_notification__while_all_workers_sleep__wakes_one(anna: uuid.UUID) -> None:
    with running(workers=2):
        first = submit(anna)
        wait_until(lambda: settled_in_order() == [first])
        second = submit(anna)  # by now everybody sleeps
        wait_until(lambda: len(settled_in_order()) == 2)
    assert settled_in_order() == [first, second]


def test_backlog__of_one_user_and_of_many__is_worked_off_without_being_told_again(anna: uuid.UUID) -> None:
    mine = [submit(anna) for _ in range(6)]
    for _ in range(6):
        submit(uuid.uuid4())
    with running(workers=3):
        wait_until(lambda: len(settled_in_order()) == 12)
    assert [run_id for run_id in settled_in_order() if run_id in mine] == mine


def test_failing_run__between_its_tries__leaves_the_worker_to_others(
    anna: uuid.UUID, boris: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FlakyModel(task="keywords", failures=1, error=TimeoutError("the model is away"))
    monkeypatch.setattr(asking, "get_chat_model", lambda _name=None: model)
    monkeypatch.setattr(pipeline, "BACKOFF_SECONDS", 1.0)
    failing, other = submit(anna), submit(boris)
    with running(workers=1):
        wait_until(lambda: len(settled_in_order()) == 2)
    assert settled_in_order() == [other, failing]


def test_database__lost_with_a_run_in_hand__the_run_goes_on_without_its_lease_running_out(
    anna: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[uuid.UUID] = []

    def carry_on(run: Run, **options: object) -> float | None:
        if not lost:
            lost.append(run.id)
            raise OperationalError("the server closed the connection")
        return pipeline.carry_on(run, patient=False)

    monkeypatch.setattr(orchestrator, "carry_on", carry_on)
    run_id = submit(anna)
    with running(workers=1):
        wait_until(lambda: settled_in_order() == [run_id])
    assert lost == [run_id]


def test_queue__unreadable_for_a_while__is_read_again(anna: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = iter(range(3))

    def unsteady() -> Run | None:
        if next(broken, None) is not None:
            raise OperationalError("the database system is starting up")
        return claim_next()

    monkeypatch.setattr(orchestrator, "claim_next", unsteady)
    run_id = submit(anna)
    with running(workers=1):
        wait_until(lambda: settled_in_order() == [run_id])
    assert next(broken, None) is None


def test_listening__broken_in_whatever_way__begins_again(anna: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [RuntimeError("no such place"), OSError("no such host")]
    listening = threading.Event()
    real = psycopg.connect

    def connect(**options: Any) -> Any:
        if failures:
            raise failures.pop()
        listening.set()
        return real(**options)

    monkeypatch.setattr("maas.orchestrator.psycopg", SimpleNamespace(connect=connect))
    with running(workers=1):
        assert listening.wait(20)
        run_id = submit(anna)
        wait_until(lambda: settled_in_order() == [run_id])
