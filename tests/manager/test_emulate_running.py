"""The command that plays dialogues: going on, stopping, Ctrl-C, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from emulator.models import EmulationBatch, EmulationTurn
from emulator.services import emulation_run
from maas.access import as_service
from maas.models import PipelineRun
from manager.services import playing
from sensor.models import SensorEvent

pytestmark = pytest.mark.django_db(transaction=True)


def emulate(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("emulate", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


@pytest.fixture
def pressed_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`pressed_after(3)`: Ctrl-C comes after the third turn."""

    def set_up(turns: int) -> None:
        seen = 0

        def counting(**given: Any) -> EmulationBatch:
            def show(_: Any) -> None:
                nonlocal seen
                seen += 1
                if seen == turns:
                    os.kill(os.getpid(), signal.SIGINT)

            return emulation_run(**{**given, "on_progress": show})

        monkeypatch.setattr(playing, "emulation_run", counting)

    return set_up


def test_emulate__ctrl_c__ends_after_the_turn_says_how_to_go_on_and_goes_on(
    pressed_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed_after(3)
    code, said = emulate("--dialogues", "2", "--turns", "5", "--batch", "my batch", "--parallel", "1")
    assert code == 1
    assert "interrupted; go on with: manage.py emulate --resume 'my batch'" in said
    left = EmulationBatch.objects.get()
    assert left.status == "stopped"
    assert 3 <= left.turns_done < left.turns_total
    assert SensorEvent.objects.count() == left.turns_done, "what was played is recorded"
    first = set(EmulationTurn.objects.filter(finished_at__isnull=False).values_list("id", "finished_at"))

    monkeypatch.undo()
    code, said = emulate("--resume", "my batch", "--json")
    assert (code, json.loads(said)["status"]) == (0, "completed")
    assert first <= set(EmulationTurn.objects.values_list("id", "finished_at")), "finished turns were left alone"
    with as_service():
        assert PipelineRun.objects.count() == EmulationBatch.objects.get().turns_done


def test_emulate__resumed_with_more_at_once__keeps_the_plan(pressed_after: Callable[[int], None]) -> None:
    pressed_after(1)
    emulate("--dialogues", "2", "--turns", "3", "--batch", "b", "--seed", "6")
    code, _said = emulate("--resume", "b", "--parallel", "8")
    batch = EmulationBatch.objects.get()
    assert (code, batch.status, batch.plan["seed"], batch.plan["parallel"]) == (0, "completed", 6, 8)


def test_emulate__stop__of_a_batch_that_waits__stops_it(pressed_after: Callable[[int], None]) -> None:
    pressed_after(1)
    emulate("--dialogues", "1", "--turns", "4", "--batch", "b")
    EmulationBatch.objects.update(status="pending")
    code, said = emulate("--stop", "b", "--json")
    assert (code, json.loads(said)["status"]) == (0, "stopped")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--dialogues", "1", "--resume", "b"],
        ["--resume", "b", "--batch", "c"],
        ["--resume", "nobody"],
        ["--stop", "nobody"],
        ["--dialogues", "0"],
        ["--dialogues", "1", "--parallel", "0"],
        ["--dialogues", "1", "--parallel", "65"],
        ["--dialogues", "1", "--variant", "b"],
        ["--dialogues", "1", "--experiment", "none", "--variant", "b"],
    ],
)
def test_emulate__bad_usage__ends_with_2_and_writes_nothing(arguments: list[str]) -> None:
    assert emulate(*arguments)[0] == 2
    assert not EmulationBatch.objects.exists()


def test_emulate__resume_of_what_is_over__is_bad_usage() -> None:
    emulate("--dialogues", "1", "--turns", "2", "--batch", "b")
    assert emulate("--resume", "b") == (2, "b was played to its end")


@pytest.mark.processes
def test_emulate__ctrl_c_in_a_terminal_session__ends_with_1_and_leaves_a_batch_to_go_on_with() -> None:
    names = {alias: connections[alias].settings_dict["NAME"] for alias in ("default", "maas")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.manager.emulate_process",
            json.dumps(names),
            "--dialogues",
            "400",
            "--batch",
            "b",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "turn 5":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _out, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert "--resume b" in said
    batch = EmulationBatch.objects.get()
    assert batch.status == "stopped"
    assert 5 <= batch.turns_done == EmulationTurn.objects.filter(finished_at__isnull=False).count()
