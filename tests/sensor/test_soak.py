"""The soak: its account tells what is missing or double, and its short form passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks import soak
from benchmarks.soak_account import account
from benchmarks.soak_load import requests_make
from sensor.models import LedgerEntry, SensorEvent, TelemetryEvent
from sensor.services import catch_up
from tests.sensor import factories

PATIENCE = 300.0


def _twice(table: str) -> None:
    names = [
        f.name for f in (SensorEvent if table == "sensor_events" else TelemetryEvent)._meta.fields if f.name != "id"
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, {', '.join(names)}) SELECT gen_random_uuid(), {', '.join(names)}"  # noqa: S608
            f" FROM {table} LIMIT 1"
        )


BREAKAGES: dict[str, tuple[Callable[[], Any], str]] = {
    "run not recorded": (lambda: SensorEvent.objects.all().delete(), "3 settled runs are not recorded"),
    "run recorded twice": (lambda: _twice("sensor_events"), "1 runs are recorded more than once"),
    "recorded otherwise": (lambda: SensorEvent.objects.update(status="FAILED"), "3 runs are recorded otherwise"),
    "stage missing": (lambda: TelemetryEvent.objects.filter(stage="e2e").delete(), "3 stages have no telemetry row"),
    "stage twice": (lambda: _twice("telemetry_events"), "1 stages have more than one telemetry row"),
    "ledger without row": (lambda: SensorEvent.objects.all().delete(), "3 ledger entries have no row"),
    "row without ledger": (
        lambda: LedgerEntry.objects.filter(stage="archivist").delete(),
        "3 rows have no ledger entry",
    ),
    "unknown run": (
        lambda: SensorEvent.objects.filter(id=SensorEvent.objects.values("id")[:1]).update(
            pipeline_run_id=uuid.uuid4()
        ),
        "1 recorded runs are not settled in the student",
    ),
    "run unsettled": (lambda: factories.run(finished_at=None), "1 requested runs are neither answered nor failed"),
    "run settled late": (factories.run, "1 runs were recorded only when the whole history was gone through"),
}


@pytest.mark.django_db
def test_account__everything_recorded__finds_nothing_wrong() -> None:
    timings = '{"analyzer": 1.0, "keywords": 0.5}'
    runs = [factories.run(), factories.run(status="FAILED", error_message="no answer", stage_timings=timings)]
    catch_up()

    figures, problems = account(runs)

    assert problems == []
    assert (figures["settled"], figures["failed"], figures["events"], figures["telemetry_rows"]) == (2, 1, 2, 7)


@pytest.mark.django_db
@pytest.mark.parametrize(("break_it", "told"), BREAKAGES.values(), ids=BREAKAGES)
def test_account__something_wrong__says_what(break_it: Callable[[], Any], told: str) -> None:
    runs = [factories.run() for _ in range(3)]
    catch_up()
    made = break_it()

    _, problems = account([*runs, made] if isinstance(made, uuid.UUID) else runs)

    assert any(problem.startswith(told) for problem in problems), problems


def test_blows_plan__same_seed__is_the_same_and_falls_within_the_load() -> None:
    plan = soak.blows_plan(runs=1000, kills=10, restarts=2, seed=3)

    assert plan == soak.blows_plan(runs=1000, kills=10, restarts=2, seed=3)
    assert plan != soak.blows_plan(runs=1000, kills=10, restarts=2, seed=4)
    assert [blow.what for blow in plan if blow.what != "kill"] == ["immediate", "fast"]
    assert len(plan) == 12
    assert all(0 < blow.at < 1000 for blow in plan)


def test_requests_make__load__mixes_real_and_simulated_users() -> None:
    requests = requests_make(runs=400, seed=1)

    assert {request.client_kind for request in requests} == {"user", "emulator"}
    assert {request.mode for request in requests} == {"dialogue", "evaluation"}
    assert 0 < sum(request.pinned_version is not None for request in requests) < 40
    assert len({request.run_id for request in requests}) == 400


def test_soak__something_wrong__ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "run", lambda **_: {"problems": ["1 settled runs are not recorded: …"]})

    with pytest.raises(SystemExit) as ended:
        call_command("soak", "--json")

    assert ended.value.code == 1


@pytest.mark.processes
def test_soak__sensor_killed_and_database_crashed_under_load__each_run_is_recorded_once() -> None:
    sizes = {"runs": 300, "kills": 3, "restarts": 1, "seed": 1, "rate": 40, "lease": 3}
    command = [sys.executable, "manage.py", "soak", "--json", *(f"--{name}={value}" for name, value in sizes.items())]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env={**os.environ, "LOG_LEVEL": "ERROR"}, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert (found["requested"], found["settled"], found["events"]) == (300, 300, 300)
    assert sorted(blow["what"] for blow in found["blows"]) == ["immediate", "kill", "kill", "kill"]
