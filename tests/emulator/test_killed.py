"""A player killed for real, in the middle of a turn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from contracts.actor import Actor
from emulator.domain.script import EmulationPlan
from emulator.models import EmulationBatch, EmulationTurn
from emulator.selectors import ground_truths
from emulator.services import emulation_run, emulation_start
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import asks, plan, says, script
from tests.emulator.talk import WHICH_CAT, pets, play


def killed_at(text: str, batch: EmulationBatch) -> None:
    """Have another process play the batch, and kill it while the student answers the turn that holds `text`."""
    player = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.emulator.player",
            connections["default"].settings_dict["NAME"],
            str(batch.pk),
            text,
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )
    assert player.stdout is not None
    said = player.stdout.readline().strip()
    player.kill()
    player.communicate()
    assert said == "hanging"


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_emulation_run__player_killed_in_a_turn__the_next_goes_on_and_repeats_no_finished_turn(bob: Actor) -> None:
    batch = emulation_start(
        plan=plan(script("d1", says("cat", "cat"), says("dog", "dog"), says("hen"), asks("pets?", "cat", "dog"))),
        actor=bob,
    )
    killed_at("hen", batch)
    left = EmulationBatch.objects.get()
    assert (left.status, left.turns_done) == ("running", 2)
    heir = FakeMaas()
    done = emulation_run(batch_id=batch.pk, client=heir)
    assert [request.query for request in heir.asked] == ["hen", "pets?"]
    assert (done.status, done.turns_done) == ("completed", 4)
    assert len(ground_truths(batch="b1")[0].expected_memory_ids) == 2


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_emulation_run__player_killed_in_a_turn_of_a_user_who_listens__the_next_decides_as_it_would(bob: Actor) -> None:
    whole = play(bob, pets(), batch="whole")
    plan = EmulationPlan(batch="b1", dialogues=1, scripts=(pets(),), driver="offline", parallel=1)
    batch = emulation_start(plan=plan, actor=bob)
    killed_at(WHICH_CAT, batch)
    heir = FakeMaas()
    done = emulation_run(batch_id=batch.pk, client=heir)
    assert (done.status, done.turns_done) == ("completed", whole.turns_done)
    assert len(heir.asked) == done.turns_done - 3
    said, expected = (
        list(EmulationTurn.objects.filter(batch=one).order_by("position").values_list("text", flat=True))
        for one in (done, whole)
    )
    assert said == expected
