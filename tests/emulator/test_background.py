"""Everyday notes come before a bundled user's first word, once, and to no user of a loaded data set."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.actor import Actor
from contracts.maas import NewMemory, RunRequest
from emulator.domain.script import EmulationPlan
from emulator.everyday import EVERYDAY_NOTES
from emulator.models import EmulationBatch
from emulator.services import emulation_run, emulation_start
from maas.client import memories_count, memories_import
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import plan, says, script

pytestmark = pytest.mark.django_db(transaction=True)

BUNDLED = EmulationPlan(batch="notes", dialogues=2, scenarios=("career-change",), parallel=1)


class Import:
    """The real import; keeps how many each call added."""

    def __init__(self) -> None:
        self.added: list[int] = []

    def __call__(self, memories: Sequence[NewMemory]) -> int:
        self.added.append(memories_import(memories))
        return self.added[-1]


def user_memories(batch: EmulationBatch) -> list[int]:
    users = set(batch.dialogues.values_list("user_id", flat=True))
    return [memories_count(user_id=user) for user in users]


def test_emulation_run__bundled_scenario__imports_its_users_notes_before_the_first_turn(bob: Actor) -> None:
    batch = emulation_start(plan=BUNDLED, actor=bob)
    seen: list[int] = []

    def look(request: RunRequest) -> None:
        seen.append(memories_count(user_id=request.user_id))

    emulation_run(batch_id=batch.pk, client=FakeMaas(before=look))

    assert set(seen) == {EVERYDAY_NOTES}


def test_emulation_run__stopped_and_resumed__imports_nothing_twice(bob: Actor) -> None:
    batch = emulation_start(plan=BUNDLED, actor=bob)
    imports, maas = Import(), FakeMaas()

    emulation_run(batch_id=batch.pk, client=maas, should_stop=lambda: len(maas.asked) == 2, memories_import=imports)
    done = emulation_run(batch_id=batch.pk, client=maas, memories_import=imports)

    assert (done.status, imports.added) == ("completed", [EVERYDAY_NOTES, 0])
    assert user_memories(done) == [EVERYDAY_NOTES]


def test_emulation_run__several_users__gives_each_their_own_notes(bob: Actor) -> None:
    chosen = BUNDLED.model_copy(update={"scenarios": ("career-change", "thesis-writing"), "dialogues": 13})
    batch = emulation_start(plan=chosen, actor=bob)

    done = emulation_run(batch_id=batch.pk, client=FakeMaas())

    assert user_memories(done) == [EVERYDAY_NOTES, EVERYDAY_NOTES]


def test_emulation_run__explicit_scripts__import_nothing_even_under_a_bundled_name(bob: Actor) -> None:
    loaded = script("d1", says("hello")).model_copy(update={"scenario": "career-change-en"})
    imports = Import()

    done = emulation_run(
        batch_id=emulation_start(plan=plan(loaded), actor=bob).pk, client=FakeMaas(), memories_import=imports
    )

    assert (done.status, imports.added, user_memories(done)) == ("completed", [], [0])
