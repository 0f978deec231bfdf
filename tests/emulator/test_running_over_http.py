"""A batch against the real site over HTTP, many users at once: what is said and answered is what it is in-process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connections
from pytest_django import Settings

from contracts.actor import Actor, Role
from emulator.domain.script import EmulationPlan
from emulator.models import EmulationBatch, EmulationTurn
from emulator.services import emulation_run, emulation_start
from maas.access import as_service
from maas.client import get_client, memories_count
from maas.models import PipelineRun
from tests.access.people import bearer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def orchestrator() -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.maas.orchestrator_process", connections["maas"].settings_dict["NAME"]],
        stdout=subprocess.DEVNULL,
        cwd=Path(site.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(site.BASE_DIR)},
    )
    yield
    process.terminate()
    process.communicate()


def played(name: str, bob: Actor) -> EmulationBatch:
    plan = EmulationPlan(batch=name, dialogues=24, turns=3, seed=5, parallel=24)
    return emulation_run(batch_id=emulation_start(plan=plan, actor=bob).pk, client=get_client())


def transcript(name: str) -> list[tuple[Any, ...]]:
    rows = EmulationTurn.objects.filter(batch__batch=name).order_by("dialogue__dialogue", "position")
    return list(rows.values_list("dialogue__dialogue", "position", "text", "answer_excerpt", "run_status"))


def test_emulation_run__24_at_once_over_http__says_what_it_says_in_process_and_no_turn_twice(
    live_server: Any, orchestrator: None, settings: Settings, bob: Actor
) -> None:
    settings.MAAS_PARAMETER_PROVIDER = ""
    here = played("here", bob)
    settings.MAAS_URL = live_server.url
    settings.MAAS_TOKEN = bearer(Role.OPERATOR)["Authorization"].split()[1]

    there = played("there", bob)

    assert (there.status, there.turns_failed, there.turns_done) == ("completed", 0, here.turns_done)
    assert transcript("there") == transcript("here")
    user = there.dialogues.first()
    assert user is not None
    assert memories_count(user_id=user.user_id) > 200, "everyday notes came over HTTP too"
    users = list(there.dialogues.values_list("user_id", flat=True))
    with as_service():
        assert PipelineRun.objects.filter(user_id__in=users).count() == there.turns_done
