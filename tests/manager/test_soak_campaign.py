"""The soak of a campaign: its plan of kills, how it tells differences, and its short form with real kills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from django.conf import settings

from benchmarks.soak_campaign_account import Story, differences
from benchmarks.soak_campaign_plan import What, blows_plan

PATIENCE = 500
RUN = uuid.UUID(int=1)
STORY = Story(
    status="completed",
    end_reason="all 2 cycles are spent",
    cycles=[(1, "IDLE", "applied", "top_k 3 → 4")],
    decisions=[(1, "retrieval.top_k", 3, 4, "applied", "it won", "winner", {"n": 62, "metrics": {"mrr": 0.5}})],
    journal=[(1, "k1-TUNING-0", "applied", "top_k 3 → 4", "it won")],
    parameters={"retrieval.top_k": 4},
    metrics={"golden": {"metrics": {"mrr": 0.5}}},
    tokens=100,
    usd=Decimal("0.01"),
    paid=frozenset({f"run:{RUN}"}),
    runs=frozenset({RUN}),
)


def test_blows_plan__same_seed__is_the_same_and_falls_within_the_campaign() -> None:
    kills: dict[What, int] = {"worker": 10, "orchestrator": 5, "database": 3}
    plan = blows_plan(runs=1000, kills=kills, seed=3)

    assert plan == blows_plan(runs=1000, kills=kills, seed=3)
    assert plan != blows_plan(runs=1000, kills=kills, seed=4)
    assert {what: sum(blow.what == what for blow in plan) for what in kills} == kills
    assert all(0 < blow.at < 1000 for blow in plan)


@pytest.mark.parametrize(
    ("otherwise", "told"),
    [
        ({"parameters": {"retrieval.top_k": 3}}, "parameters differ: .retrieval.top_k 4 became 3"),
        ({"tokens": 101}, "tokens differ:  100 became 101"),
        ({"runs": frozenset()}, f"runs differ:  [{RUN!r}] became []"),
        ({"journal": []}, "journal differ:  "),
    ],
)
def test_differences__something_came_out_otherwise__is_told_with_its_place(
    otherwise: dict[str, object], told: str
) -> None:
    (found,) = differences(STORY, replace(STORY, **otherwise))  # type: ignore[arg-type]

    assert found.startswith(told)


def test_differences__the_same__tells_none() -> None:
    assert differences(STORY, replace(STORY)) == []


@pytest.mark.processes
def test_soak__campaign_whose_worker_orchestrator_and_database_are_killed__decides_as_undisturbed() -> None:
    sizes = {"cycles": 2, "workers": 2, "orchestrators": 1, "databases": 1, "seed": 1, "lease": 2}
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "soak", "campaign", "--small", "--json"),
            *(f"--{name}={value}" for name, value in sizes.items()),
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["killed"] == {"worker": 2, "orchestrator": 1, "database": 1}
    assert (found["cycles"], found["experiments"]) == (2, 2)
    assert "applied" in {decision for *_, decision in found["decisions"]}
