"""Real processes: two that want one run, and one that is killed in the middle of each stage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from maas.access import as_service
from maas.claims import claim_next
from maas.client import get_client, memories_count
from selflearn_site.database.connection import wrapper
from tests.maas.conftest import request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
TEXT = "I bought a red cello in Kazan."
Worker = subprocess.Popen[str]


@pytest.fixture
def started() -> Iterator[list[Worker]]:
    workers: list[Worker] = []
    yield workers
    for worker in workers:
        worker.kill()
        worker.communicate()


def start(started: list[Worker], module: str, *arguments: object) -> Worker:
    worker = subprocess.Popen(
        [sys.executable, "-m", module, connections["maas"].settings_dict["NAME"], *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )
    started.append(worker)
    return worker


def heard(worker: Worker) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def leases_run_out() -> None:
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until > now()"
        )


def test_claim__by_two_processes__is_won_by_one(anna: uuid.UUID, started: list[Worker]) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    workers = [start(started, "tests.maas.worker", "claim", run_id, anna) for _ in range(2)]
    assert [heard(worker) for worker in workers] == ["ready", "ready"]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert sorted(heard(worker) for worker in workers) == ["lost", "won"]


def test_claim__of_two_runs_of_one_user__is_won_by_one(anna: uuid.UUID, started: list[Worker]) -> None:
    runs = [get_client().submit(request_of(anna, TEXT)) for _ in range(2)]
    workers = [start(started, "tests.maas.worker", "claim", run_id, anna) for run_id in runs]
    for worker in workers:
        assert heard(worker) == "ready"
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [heard(worker) for worker in workers] == ["won", "lost"]


@pytest.mark.parametrize("stage", ["analysis", "assembly", "response", "archive"])
def test_worker__killed_in_a_stage__another_takes_over_once_the_lease_is_out(
    stage: str, anna: uuid.UUID, started: list[Worker]
) -> None:
    run_id = get_client().submit(request_of(anna, TEXT))
    worker = start(started, "tests.maas.worker", "hang", run_id, anna, stage)
    assert heard(worker) == "hanging"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert claim_next() is None  # held until its lease runs out
    leases_run_out()
    answer = get_client().wait(run_id, user_id=anna, timeout=5)
    assert answer.status == "COMPLETED"
    assert answer.memory_id is not None
    assert memories_count(user_id=anna) == 1
    with as_service() as cursor:
        cursor.execute("SELECT retry_count FROM pipeline_runs WHERE id = %s", [run_id])
        assert cursor.fetchone()[0] == 1


def wait_for(what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with as_service() as cursor:
            cursor.execute(f"SELECT {what}")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def test_orchestrator__what_waited_and_what_comes__is_answered_in_order(started: list[Worker]) -> None:
    users = [uuid.uuid4() for _ in range(5)]
    waited = [get_client().submit(request_of(user, f"{TEXT} Number {n}.")) for n in range(3) for user in users]
    worker = start(started, "tests.maas.orchestrator_process")
    assert "started" in heard(worker)
    wait_for(f"count(*) = {len(waited)} FROM pipeline_runs WHERE finished_at IS NOT NULL")
    get_client().submit(request_of(users[0], "What colour is the cello that I bought?"))
    wait_for(f"count(*) = {len(waited) + 1} FROM pipeline_runs WHERE finished_at IS NOT NULL")
    with as_service() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pipeline_runs a JOIN pipeline_runs b ON a.user_id = b.user_id"
            " AND (a.created_at, a.id) < (b.created_at, b.id) AND a.finished_at > b.answered_at"
        )
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM pipeline_runs WHERE status <> 'COMPLETED' OR retry_count > 0")
        assert cursor.fetchone()[0] == 0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    assert "stopped" in heard(worker)


def test_orchestrator__its_listening_connection_cut__goes_on(anna: uuid.UUID, started: list[Worker]) -> None:
    worker = start(started, "tests.maas.orchestrator_process")
    assert "started" in heard(worker)
    deadline = time.monotonic() + 20
    with connections["maas"].cursor() as cursor:  # the login itself: a role may end sessions of its own kind only
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the orchestrator does not listen")
    get_client().submit(request_of(anna, TEXT))
    wait_for("count(*) = 1 FROM pipeline_runs WHERE finished_at IS NOT NULL")


def test_orchestrator__told_to_stop_under_load__leaves_nothing_half_done(started: list[Worker]) -> None:
    for number in range(60):
        get_client().submit(request_of(uuid.UUID(int=number % 6 + 1), f"{TEXT} Number {number}."))
    worker = start(started, "tests.maas.orchestrator_process")
    wait_for("count(*) >= 5 FROM pipeline_runs WHERE finished_at IS NOT NULL")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    with as_service() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*) FILTER (WHERE claimed_by IS NOT NULL"
            " OR lease_until IS NOT NULL), count(*) FILTER (WHERE retry_count > 0) FROM pipeline_runs"
        )
        left, held, tried_again = cursor.fetchone()
    assert left > 0
    assert (held, tried_again) == (0, 0)


def test_orchestrator__database_away_for_a_while__goes_on_when_it_is_back(started: list[Worker]) -> None:
    name = connections["maas"].settings_dict["NAME"]
    for number in range(60):
        get_client().submit(request_of(uuid.UUID(int=number % 6 + 1), f"{TEXT} Number {number}."))
    with wrapper("maas").owner():
        as_owner = connections["maas"].get_connection_params()
    with psycopg.connect(**as_owner, autocommit=True) as owner, connections["maas"].cursor() as cursor:
        worker = start(started, "tests.maas.orchestrator_process")
        wait_for("count(*) >= 5 FROM pipeline_runs WHERE finished_at IS NOT NULL")
        owner.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        try:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 1
            time.sleep(1.5)
            assert worker.poll() is None
        finally:
            owner.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
    wait_for("count(*) = 60 FROM pipeline_runs WHERE finished_at IS NOT NULL")
    with as_service() as cursor:
        cursor.execute("SELECT count(*) FROM pipeline_runs WHERE status <> 'COMPLETED'")
        assert cursor.fetchone()[0] == 0
