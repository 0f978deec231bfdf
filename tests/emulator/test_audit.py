"""Simulators that lie: each is found out, its dialogue kept, counted and left out of metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.actor import Actor
from emulator.domain.audit import dialogue_faults
from emulator.domain.hearing import Heard, HeardKind
from emulator.domain.policy import Act
from emulator.domain.user import ActKind, Ending, Said, UserState
from emulator.drivers import Scene, Worded
from emulator.drivers.offline import OfflineDriver
from emulator.models import EmulationDialogue, EmulationTurn
from emulator.selectors import ground_truths
from tests.emulator.fakes import FakeMaas
from tests.emulator.talk import CAT, DOG, NO_MEMORY, WHICH_CAT, asks, pets, play, talk

pets_turns = pets().turns


class Liar(OfflineDriver):
    """Says everything as it should, but for what `instead` replaces; None there falls silent."""

    def __init__(self, instead: dict[str, str | None]):
        self._instead = instead

    def word(self, act: Act, scene: Scene) -> Worded | None:
        if act.text in self._instead:
            text = self._instead[act.text]
            return None if text is None else Worded(text)
        return super().word(act, scene)


def fault_of(actor: Actor, instead: dict[str, str | None]) -> str:
    batch = play(actor, pets(), driver=Liar(instead))
    dialogue = EmulationDialogue.objects.get()
    assert (batch.status, batch.dialogues_done, batch.dialogues_invalid) == ("completed", 1, 1)
    assert batch.invalid_rate == 1.0
    assert not dialogue.is_valid
    return dialogue.invalid_reason


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_leaves_out_a_fact__dialogue_is_invalid_and_names_it(bob: Actor) -> None:
    assert "tiger" in fault_of(bob, {CAT: "I have a pet that sleeps in the wardrobe."})


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_says_another_value__dialogue_is_invalid(bob: Actor) -> None:
    assert "biscuit" in fault_of(bob, {DOG: "Our neighbour has a spotted dog by the name of Rusty."})


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_asks_something_else__dialogue_is_invalid(bob: Actor) -> None:
    assert "was not asked" in fault_of(bob, {WHICH_CAT: "What shall we eat tonight?"})


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_falls_silent__dialogue_is_invalid_and_the_batch_ends(bob: Actor) -> None:
    assert "stopped too early" in fault_of(bob, {DOG: None})


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_silent_from_the_first_turn__dialogue_is_invalid(bob: Actor) -> None:
    assert "stopped too early" in fault_of(bob, {pets_turns[0].text: None})


@pytest.mark.django_db(transaction=True)
def test_emulation_run__driver_speaks_another_language__dialogue_is_invalid(bob: Actor) -> None:
    assert "another language (ru)" in fault_of(bob, {pets_turns[0].text: "Здравствуй, это снова я, твой друг."})


@pytest.mark.django_db(transaction=True)
def test_ground_truths__invalid_dialogue__is_kept_and_left_out(bob: Actor) -> None:
    fault_of(bob, {CAT: "I have a pet that sleeps in the wardrobe."})
    assert ground_truths(batch="b1") == []
    assert EmulationTurn.objects.filter(dialogue__is_valid=False).count() >= len(pets_turns)


@pytest.mark.django_db(transaction=True)
def test_ground_truths__what_a_lying_driver_left_out__is_asked_for_elsewhere_without_truth(bob: Actor) -> None:
    later = talk("d2", asks(60, WHICH_CAT, "q-later", "cat"), ordinal=1)
    play(bob, pets(), later, driver=Liar({CAT: "I have a pet that sleeps in the wardrobe."}))
    assert EmulationDialogue.objects.get(dialogue="d2").is_valid
    assert ground_truths(batch="b1") == []
    assert EmulationTurn.objects.get(query_id="q-later").truth_excluded == "not told: cat"


@pytest.mark.django_db(transaction=True)
def test_emulation_run__honest_driver__has_no_invalid_dialogue(bob: Actor) -> None:
    assert play(bob, pets(), maas=FakeMaas(reply=lambda _: NO_MEMORY)).dialogues_invalid == 0


FORGOT = Heard(kind=HeardKind.FORGOT)


def state(*said: Said, patience: int = 6) -> UserState:
    return UserState(
        goal="",
        agenda=pets_turns,
        told={name: "" for turn in said for name in turn.event_ids},
        outdated=frozenset(),
        earlier=(),
        retold=frozenset(),
        patience=patience,
        limit=7,
        luck=1,
        said=said,
    )


def point(number: int, heard: Heard | None = None) -> Said:
    item = pets_turns[number]
    return Said(
        kind=ActKind.SAY,
        text=item.text,
        at=item.simulated_at,
        point=number,
        event_ids=item.event_ids,
        question=item.query.id if item.query else "",
        heard=heard,
    )


WHOLE = tuple(point(number) for number in range(6))


def faults(said: UserState, ending: Ending | None = Ending.GOAL) -> str:
    return "; ".join(dialogue_faults(state=said, ending=ending, language="en"))


def test_dialogue_faults__all_said_in_order__finds_none() -> None:
    assert faults(state(*WHOLE)) == ""


def test_dialogue_faults__asked_before_it_was_told__is_found() -> None:
    assert "not told yet: cat" in faults(state(WHOLE[0], WHOLE[3], WHOLE[1], WHOLE[2], *WHOLE[4:]))


def test_dialogue_faults__statements_exchanged__are_found() -> None:
    assert "said after" in faults(state(WHOLE[0], WHOLE[2], WHOLE[1], *WHOLE[3:]))


def test_dialogue_faults__gave_up_with_patience_left__is_found() -> None:
    assert "gave up" in faults(state(*WHOLE[:4]), Ending.PATIENCE)


def test_dialogue_faults__patience_lost_by_the_rule__may_stop() -> None:
    said = (*WHOLE[:3], point(3, FORGOT))
    assert faults(state(*said, patience=1), Ending.PATIENCE) == ""


def test_dialogue_faults__went_on_after_patience_was_lost__is_found() -> None:
    said = (*WHOLE[:3], point(3, FORGOT), *WHOLE[4:])
    assert "went on after patience was lost" in faults(state(*said, patience=1))


def test_dialogue_faults__stopped_with_points_open__is_found() -> None:
    assert "3 points open" in faults(state(*WHOLE[:3]), None)


def test_dialogue_faults__turn_limit_not_reached__is_found() -> None:
    assert "3 of 7 turns" in faults(state(*WHOLE[:3]), Ending.LIMIT)


def test_dialogue_faults__words_of_the_golden_set__are_found() -> None:
    found = dialogue_faults(
        state=state(*WHOLE), ending=Ending.GOAL, language="en", is_golden=lambda text: "Biscuit" in text
    )
    assert len(found) == 1
    assert "golden" in found[0]


def test_dialogue_faults__paraphrase_with_all_facts__is_accepted() -> None:
    other = replace(WHOLE[1], text="I have a cat, Tiger is what she is called, and the wardrobe is where she sleeps.")
    assert faults(state(WHOLE[0], other, *WHOLE[2:])) == ""
