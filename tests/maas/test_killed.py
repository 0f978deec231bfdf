"""SIGKILL of orchestrators under load: nothing is lost, nothing is done twice, and each user's runs stay in order.

At the scale of a soak: `SELFLEARN_SOAK=turns,kills pytest tests/maas/test_killed.py`.
"""

from __future__ import annotations

import logging
import os
import random
import time

import pytest

from maas.access import as_service
from tests.maas.load import Load, forget_all, outcome, wrongs
from tests.maas.test_processes import Worker, heard, leases_run_out, start, started, wait_for

log = logging.getLogger(__name__)
__all__ = ["started"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
TURNS, KILLS = map(int, os.environ.get("SELFLEARN_SOAK", "90,2").split(","))
STAGES = ("analysis", "assembly", "response", "archive")
ALL_DONE = "count(*) = 0 FROM pipeline_runs WHERE finished_at IS NULL"


def stop(worker: Worker) -> None:
    worker.terminate()
    assert worker.wait(timeout=15) == 0


def count(what: str) -> int:
    with as_service() as cursor:
        cursor.execute(f"SELECT count(*) FROM {what}")  # noqa: S608  own names
        return int(cursor.fetchone()[0])


def test_orchestrator__killed_in_each_stage_under_load__all_ends_as_if_undisturbed(started: list[Worker]) -> None:
    load = Load(users=6, turns=5, evaluations=6)
    workers = {stage: start(started, "tests.maas.orchestrator_process", stage, 4) for stage in STAGES}
    load.hand_in()
    load.answer_undisturbed()
    undisturbed = outcome()
    assert wrongs() == {}
    forget_all()

    load.hand_in()
    for stage, worker in workers.items():
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
        assert "started" in heard(worker)
        assert heard(worker) == "inside"
        worker.kill()
        worker.wait()
        assert count("pipeline_runs WHERE lease_until > now()") >= 1, stage
        leases_run_out()
    last = start(started, "tests.maas.orchestrator_process")
    wait_for(ALL_DONE, seconds=30)
    stop(last)

    assert count("pipeline_runs WHERE retry_count > 0") >= 4
    assert wrongs() == {}
    assert outcome() == undisturbed


def test_orchestrators__one_of_two_killed_at_any_moment__nothing_is_lost_or_done_twice(started: list[Worker]) -> None:
    load = Load(users=12, turns=TURNS // 12, evaluations=TURNS // 10)
    load.hand_in()
    load.answer_undisturbed()
    undisturbed = outcome()
    forget_all()

    load.hand_in()
    chance, killed_at_work = random.Random(7), 0
    workers = [start(started, "tests.maas.orchestrator_process") for _ in range(2)]
    assert all("started" in heard(worker) for worker in workers)
    for number in range(KILLS):
        done = len(load.requests) * (number + 1) // (KILLS + 2)
        wait_for(f"count(*) >= {done} FROM pipeline_runs WHERE finished_at IS NOT NULL", seconds=60 + TURNS / 10)
        time.sleep(chance.random() * 0.02)
        workers[0].kill()
        workers.pop(0).wait()
        time.sleep(0.2)  # what the other one holds it has renewed since; what is older was the killed one's
        killed_at_work += orphans_run_out()
        workers.append(start(started, "tests.maas.orchestrator_process"))
        assert "started" in heard(workers[-1])
    wait_for(ALL_DONE, seconds=60 + TURNS / 10)
    for worker in workers:
        stop(worker)

    log.info("%s runs, %s kills, %s runs in the hands of the killed", len(load.requests), KILLS, killed_at_work)
    assert wrongs() == {}
    assert outcome() == undisturbed


def orphans_run_out() -> int:
    """End the leases that nobody has renewed for a while, as time would. How many."""
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s'"
            " WHERE lease_until > clock_timestamp() AND updated_at < clock_timestamp() - interval '0.15 s'"
        )
        return int(cursor.rowcount)
