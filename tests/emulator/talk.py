"""Users who listen, in small: agendas, answers, and plays of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from contracts.actor import Actor
from contracts.maas import RunRequest
from emulator.domain.script import DialogueScript, EmulationPlan, QueryTruth, ScriptTurn
from emulator.drivers import Driver
from emulator.models import EmulationBatch, EmulationTurn
from emulator.services import emulation_run, emulation_start
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import START, script

NO_MEMORY = "I have no memory of that."
CAT = "My cat is called Tiger and sleeps in the wardrobe."
DOG = "Our neighbour has a spotted dog by the name of Biscuit."
WHICH_CAT, WHICH_DOG = "How is my cat called?", "What is the name of the dog next door?"
HELLO, BYE = "Hello, it is me again.", "Thanks, bye for now."


def says(minute: int, text: str, *events: str, **changes: Any) -> ScriptTurn:
    return ScriptTurn(text=text, simulated_at=START + timedelta(minutes=minute), event_ids=events, **changes)


def asks(minute: int, text: str, name: str, *expects: str, **changes: Any) -> ScriptTurn:
    truth = QueryTruth(id=name, expects=expects, **changes)
    return ScriptTurn(text=text, simulated_at=START + timedelta(minutes=minute), query=truth)


def talk(name: str, *turns: ScriptTurn, language: str = "en", persona: str = "nora-accountant", **changes: Any) -> Any:
    made: DialogueScript = script(name, *turns, **changes)
    return made.model_copy(update={"language": language, "persona": persona})


def pets(name: str = "d1") -> DialogueScript:
    """Two statements and a question about each, in one dialogue."""
    made: DialogueScript = talk(
        name,
        says(0, HELLO),
        says(3, CAT, "cat"),
        says(6, DOG, "dog"),
        asks(9, WHICH_CAT, "q-cat", "cat", key_facts=("Tiger",)),
        asks(12, WHICH_DOG, "q-dog", "dog", key_facts=("Biscuit",)),
        says(15, BYE),
    )
    return made


NOTED = "Yes, I have that now."


def knows(answers: dict[str, str], *, otherwise: str = NOTED) -> Callable[[RunRequest], str]:
    """Answers by what the query holds."""
    return lambda request: next((text for held, text in answers.items() if held in request.query), otherwise)


def play(
    actor: Actor, *scripts: DialogueScript, maas: FakeMaas | None = None, driver: Driver | None = None, **changes: Any
) -> EmulationBatch:
    wanted: dict[str, Any] = {"batch": "b1", "driver": "offline", "parallel": 1, **changes}
    plan = EmulationPlan(dialogues=len(scripts), scripts=scripts, **wanted)
    batch = emulation_start(plan=plan, actor=actor)
    return emulation_run(batch_id=batch.pk, client=maas or FakeMaas(), driver=driver)


def turns_of(dialogue: str = "d1") -> list[EmulationTurn]:
    return list(EmulationTurn.objects.filter(dialogue__dialogue=dialogue).order_by("position"))


def acts_of(dialogue: str = "d1") -> list[str]:
    return [turn.act for turn in turns_of(dialogue)]
