"""Users who listen: what they hear decides what they say, and what they add keeps truth and counts right."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.actor import Actor
from contracts.maas import RunRequest
from emulator.domain.script import EmulationPlan, turn_run_id
from emulator.domain.words import carriers, holds_word
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.selectors import ground_truths
from emulator.services import emulation_run, emulation_start
from kernel.canonical import derive_uuid
from tests.emulator.fakes import FakeMaas
from tests.emulator.talk import (
    BYE,
    CAT,
    DOG,
    HELLO,
    NO_MEMORY,
    WHICH_CAT,
    WHICH_DOG,
    acts_of,
    asks,
    knows,
    pets,
    play,
    says,
    talk,
    turns_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

KNOWS_ALL = {WHICH_CAT: "Your cat is called Tiger.", WHICH_DOG: "The dog next door is Biscuit."}


class Remembers:
    """Brings up what it was told that shares most words with the message."""

    def __init__(self) -> None:
        self._told: dict[object, list[str]] = {}

    def __call__(self, request: RunRequest) -> str:
        told = self._told.setdefault(request.user_id, [])
        best = max(told, key=lambda text: sum(holds_word(request.query, word) for word in carriers(text)), default="")
        told.append(request.query)
        return f"You told me: {best}" if best else "Welcome."


Reply = Callable[[RunRequest], str]
Student = Callable[[], Reply]


def _says(text: str) -> Reply:
    return lambda _: text


def transcripts(actor: Actor, batch: str, maas: FakeMaas, *, dialogues: int = 36) -> dict[str, list[str]]:
    plan = EmulationPlan(batch=batch, dialogues=dialogues, seed=3, user_salt="same")
    made = emulation_run(batch_id=emulation_start(plan=plan, actor=actor).pk, client=maas)
    assert made.dialogues_invalid == 0
    return {
        dialogue.dialogue: [turn.text for turn in dialogue.turns.order_by("position")]
        for dialogue in made.dialogues.order_by("ordinal")
    }


@pytest.mark.parametrize(
    ("kind", "other_kind"), [(Remembers, lambda: _says(NO_MEMORY)), (lambda: _says("Noted."), lambda: _says(NO_MEMORY))]
)
def test_emulation_run__other_answers__change_at_least_half_of_the_next_turns(
    bob: Actor, kind: Student, other_kind: Student
) -> None:
    one = transcripts(bob, "one", FakeMaas(reply=kind()))
    other = transcripts(bob, "other", FakeMaas(reply=other_kind()))
    pairs = [
        (first, second) for name, said in one.items() for first, second in zip(said[1:], other[name][1:], strict=False)
    ]
    changed = sum(first != second for first, second in pairs)
    assert len(one) >= 30
    assert changed >= len(pairs) / 2


def test_emulation_run__same_seed_and_same_answers__say_the_same(bob: Actor) -> None:
    first = transcripts(bob, "one", FakeMaas(reply=Remembers()), dialogues=24)
    assert transcripts(bob, "other", FakeMaas(reply=Remembers()), dialogues=24) == first


def test_emulation_run__bundled_dialogues_and_no_help__grow_by_a_quarter_at_most(bob: Actor) -> None:
    plan = EmulationPlan(batch="one", dialogues=24)
    batch = emulation_start(plan=plan, actor=bob)
    planned = batch.turns_total
    done = emulation_run(batch_id=batch.pk, client=FakeMaas(reply=lambda _: NO_MEMORY))
    assert done.turns_total == done.turns_done <= planned * 1.25


def test_emulation_run__all_answered_well__follows_the_agenda_and_reaches_its_goal(bob: Actor) -> None:
    batch = play(bob, pets(), maas=FakeMaas(reply=knows(KNOWS_ALL)))
    assert set(acts_of()) <= {"say", "sum up"}
    assert EmulationDialogue.objects.get().ending == "goal reached"
    assert (batch.dialogues_done, batch.dialogues_invalid) == (1, 0)
    said = " ".join(turn.text for turn in turns_of())
    assert all(text in said for text in (HELLO, CAT, DOG, WHICH_CAT, WHICH_DOG, BYE))


def test_emulation_run__not_remembered__asks_more_simply_with_a_hint_and_counts_the_question_once(bob: Actor) -> None:
    play(bob, pets(), maas=FakeMaas(reply=knows({**KNOWS_ALL, WHICH_CAT: NO_MEMORY})))
    assert acts_of() == ["say", "say", "say", "say", "ask simpler", "say", "say"]
    again = turns_of()[4]
    assert (again.asked_again, again.query_id) == ("q-cat", "")
    assert "“wardrobe”" in again.text
    assert "Tiger" not in again.text
    assert [truth.example_id for truth in ground_truths(batch="b1")] == ["d1:q-cat", "d1:q-dog"]


def test_emulation_run__wrong_answer__says_the_right_value_again_as_a_repetition(bob: Actor) -> None:
    later = talk("d2", asks(60, "Which animal sleeps among my clothes?", "q-later", "cat"), ordinal=1)
    play(bob, pets(), later, maas=FakeMaas(reply=knows({**KNOWS_ALL, WHICH_CAT: "Your parrot is Coco."})))
    correction = turns_of()[4]
    assert (correction.act, correction.repeats, correction.query_id) == ("correct", ["cat"], "")
    assert CAT in correction.text
    truths = {truth.example_id: truth.expected_memory_ids for truth in ground_truths(batch="b1")}
    first, again = (derive_uuid("fake-memory", turn_run_id(batch="b1", dialogue="d1", position=p)) for p in (1, 4))
    assert truths["d1:q-cat"] == (first,)
    assert truths["d2:q-later"] == (first, again)


def test_emulation_run__correction_not_remembered__takes_nothing_from_the_first_telling(bob: Actor) -> None:
    later = talk("d2", asks(60, "Which animal sleeps among my clothes?", "q-later", "cat"), ordinal=1)
    replies = knows({**KNOWS_ALL, WHICH_CAT: "Your parrot is Coco."})
    forgets = FakeMaas(reply=replies, forget=lambda request: f"“{CAT}”" in request.query)
    batch = play(bob, pets(), later, maas=forgets)
    (truth,) = [truth for truth in ground_truths(batch="b1") if truth.example_id == "d2:q-later"]
    assert truth.expected_memory_ids == (
        derive_uuid("fake-memory", turn_run_id(batch="b1", dialogue="d1", position=1)),
    )
    assert batch.statements_unremembered == 0


def test_emulation_run__former_state_asked_for__is_never_said_again_as_if_it_held(bob: Actor) -> None:
    old = talk(
        "d1",
        says(0, "The course costs 2,400 pounds.", "fee"),
        says(3, "The price fell to 2,050 pounds.", "fee2", supersedes=("fee",)),
        asks(6, "What was the first price?", "q-old", "fee", key_facts=("2,400",), category="temporal"),
        says(9, BYE),
    )
    play(bob, old, maas=FakeMaas(reply=knows({"first price": "It was a bicycle."})))
    assert "correct" not in acts_of()


def test_emulation_run__no_help_at_all__loses_patience_says_goodbye_and_tells_no_more(bob: Actor) -> None:
    questions = [
        asks(6 + 3 * n, f"Question {n} about the cat?", f"q{n}", "cat", key_facts=("Tiger",)) for n in range(5)
    ]
    agenda = [says(0, CAT, "cat"), *questions, says(40, DOG, "dog"), says(43, BYE)]
    after = talk("d2", asks(90, WHICH_DOG, "q-dog", "dog"), asks(93, WHICH_CAT, "q-cat", "cat"), ordinal=1)
    hasty = talk("d1", *agenda, persona="tess-founder")
    batch = play(bob, hasty, after, maas=FakeMaas(reply=lambda _: NO_MEMORY))
    assert EmulationDialogue.objects.get(dialogue="d1").ending == "patience lost"
    assert acts_of()[-1] == "leave"
    assert not EmulationTurn.objects.filter(event_ids__contains=["dog"]).exists()
    assert [turn.query_id for turn in turns_of("d2") if turn.query_id] == ["q-cat"]
    assert (batch.turns_total, batch.dialogues_invalid) == (batch.turns_done, 0)


def test_emulation_run__two_answers_without_help__takes_another_question_first(bob: Actor) -> None:
    questions = [asks(6 + 3 * n, f"Question {n} about the cat?", f"q{n}", "cat") for n in range(4)]
    play(bob, talk("d1", says(0, CAT, "cat"), *questions), maas=FakeMaas(reply=lambda _: NO_MEMORY))
    shifted = next(turn for turn in turns_of() if turn.act == "shift focus")
    assert shifted.point == 3
    assert sorted(turn.query_id for turn in turns_of() if turn.query_id) == ["q0", "q1", "q2", "q3"]


def test_emulation_run__turn_limit__stops_there_and_says_so(bob: Actor) -> None:
    batch = play(bob, pets(), turns=3)
    assert EmulationDialogue.objects.get().ending == "turn limit"
    assert (batch.turns_done, batch.turns_total, batch.dialogues_invalid) == (3, 3, 0)


def test_emulation_run__added_turns__lie_in_time_between_the_others(bob: Actor) -> None:
    play(bob, pets(), maas=FakeMaas(reply=lambda _: NO_MEMORY))
    times = [turn.simulated_at for turn in turns_of()]
    assert "ask simpler" in acts_of()
    assert times == sorted(set(times))
    assert times[-1] == pets().turns[-1].simulated_at


def test_emulation_run__killed_in_between__goes_on_from_the_rows_and_decides_the_same(bob: Actor) -> None:
    class Killed(BaseException):
        pass

    def die(request: RunRequest) -> None:
        if WHICH_DOG in request.query:
            raise Killed

    play(bob, pets(), batch="whole", maas=FakeMaas(reply=lambda _: NO_MEMORY))
    whole = list(EmulationTurn.objects.order_by("position").values_list("text", flat=True))
    first = FakeMaas(before=die, reply=lambda _: NO_MEMORY)
    with pytest.raises(Killed):
        play(bob, pets(), maas=first)
    heir = FakeMaas(reply=lambda _: NO_MEMORY)
    batch = play(bob, pets(), maas=heir)
    assert len(first.asked) + len(heir.asked) == batch.turns_done == batch.turns_total
    assert list(EmulationTurn.objects.filter(batch=batch).order_by("position").values_list("text", flat=True)) == whole


def test_emulation_start__users_who_listen__have_agendas_and_no_turns_yet(bob: Actor) -> None:
    batch = emulation_start(plan=EmulationPlan(batch="b1", dialogues=4), actor=bob)
    assert EmulationTurn.objects.count() == 0
    assert batch.turns_total == sum(len(dialogue.agenda) for dialogue in batch.dialogues.all())
    assert batch.turns_total < batch.turns_limit <= batch.turns_total * 1.25 + 4


def test_emulation_start__stored_before_there_were_drivers__is_gone_on_with(bob: Actor) -> None:
    plan = EmulationPlan(batch="b1", dialogues=2, driver="script")
    first = emulation_start(plan=plan, actor=bob)
    EmulationBatch.objects.update(plan={k: v for k, v in first.plan.items() if k != "driver"})
    assert emulation_start(plan=EmulationPlan(batch="b1", dialogues=2), actor=bob).pk == first.pk


def test_emulation_run__two_players_of_one_batch__say_each_turn_once_and_count_alike(bob: Actor) -> None:
    batch = emulation_start(plan=EmulationPlan(batch="b1", dialogues=24, parallel=2), actor=bob)
    maas = FakeMaas(reply=lambda _: NO_MEMORY)
    with ThreadPoolExecutor(2) as players:
        for player in [players.submit(emulation_run, batch_id=batch.pk, client=maas) for _ in range(2)]:
            player.result()
    batch.refresh_from_db()
    assert batch.turns_done == batch.turns_total == EmulationTurn.objects.count() == len(maas.answers)
    assert (batch.dialogues_done, batch.dialogues_invalid) == (24, 0)
    assert sum(EmulationDialogue.objects.values_list("turns_expected", flat=True)) == batch.turns_total
