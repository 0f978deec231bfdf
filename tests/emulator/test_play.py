"""Playing a batch: order, binding of memories, resuming, failures."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Actor
from contracts.maas import RunRequest
from emulator.domain.script import DialogueScript, turn_run_id, unmade_memory_id
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from emulator.selectors import ground_truths, run_ids
from emulator.services import Progress, emulation_run, emulation_start, emulation_stop
from kernel.canonical import derive_uuid
from kernel.errors import Conflict, InvalidInput, NotAuthorised, Unavailable
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import asks, plan, says, script

pytestmark = pytest.mark.django_db(transaction=True)

TWO_THREADS = (
    script("d1", says("cat", "cat"), says("hello"), user=1),
    script("d2", says("dog", "dog"), asks("which pets?", "cat", "dog"), user=1, ordinal=1),
)


def memory_of(batch: str, dialogue: str, position: int) -> object:
    return derive_uuid("fake-memory", turn_run_id(batch=batch, dialogue=dialogue, position=position))


def play(actor: Actor, maas: FakeMaas, *scripts: DialogueScript, **changes: Any) -> EmulationBatch:
    batch = emulation_start(plan=plan(*scripts, **changes), actor=actor)
    return emulation_run(batch_id=batch.pk, client=maas)


def test_emulation_run__two_threads_of_one_user__asks_every_turn_in_order(bob: Actor) -> None:
    maas = FakeMaas()
    batch = play(bob, maas, *TWO_THREADS)
    assert [request.query for request in maas.asked] == ["cat", "hello", "dog", "which pets?"]
    assert (batch.status, batch.turns_done, batch.dialogues_done, batch.invalid_rate) == ("completed", 4, 2, 0.0)


def test_emulation_run__request__carries_time_thread_and_client_kind_but_no_truth(bob: Actor) -> None:
    maas = FakeMaas()
    play(bob, maas, *TWO_THREADS, pinned_version=3)
    request = maas.asked[-1]
    assert (request.client_kind, request.mode, request.pinned_version) == ("emulator", "dialogue", 3)
    assert request.simulated_at == TWO_THREADS[1].turns[1].simulated_at
    assert request.thread_id == TWO_THREADS[1].thread_id


def test_ground_truths__statements_remembered__expect_the_memories_they_became(bob: Actor) -> None:
    play(bob, FakeMaas(), *TWO_THREADS)
    (truth,) = ground_truths(batch="b1")
    assert truth.expected_memory_ids == (memory_of("b1", "d1", 0), memory_of("b1", "d2", 0))
    assert truth.example_id == "d2:q-which pets?"
    assert truth.run_id == run_ids(batch="b1")[-1]


def test_ground_truths__statement_not_remembered__expects_an_id_that_cannot_be_found(bob: Actor) -> None:
    batch = play(bob, FakeMaas(forget=lambda request: request.query == "cat"), *TWO_THREADS)
    (truth,) = ground_truths(batch="b1")
    lost = unmade_memory_id(turn_run_id(batch="b1", dialogue="d1", position=0))
    assert truth.expected_memory_ids == (lost, memory_of("b1", "d2", 0))
    assert batch.statements_unremembered == 1


def test_ground_truths__imported_memories__are_expected_as_given(bob: Actor) -> None:
    memory = derive_uuid("imported")
    play(bob, FakeMaas(), script("d1", asks("old?", expected_memory_ids=(memory,))))
    assert ground_truths(batch="b1")[0].expected_memory_ids == (memory,)


def test_emulation_run__failed_run__makes_its_dialogue_invalid_and_goes_on(bob: Actor) -> None:
    maas = FakeMaas(fail=lambda request: request.query == "dog")
    batch = play(bob, maas, *TWO_THREADS)
    assert (batch.status, batch.turns_failed, batch.dialogues_invalid, batch.invalid_rate) == ("completed", 1, 1, 0.5)
    assert ground_truths(batch="b1") == []


def test_ground_truths__expected_statement_failed_in_another_dialogue__leaves_the_question_out(bob: Actor) -> None:
    play(bob, FakeMaas(fail=lambda request: request.query == "cat"), *TWO_THREADS)
    assert ground_truths(batch="b1") == []
    assert "cat" in EmulationTurn.objects.get(text="which pets?").truth_excluded


def test_emulation_run__killed_before_the_third_turn__resumes_without_repeating(bob: Actor) -> None:
    class Killed(BaseException):
        pass

    def die(request: RunRequest) -> None:
        if request.query == "dog":
            raise Killed

    first = FakeMaas(before=die)
    with pytest.raises(Killed):
        play(bob, first, *TWO_THREADS)
    second = FakeMaas()
    batch = play(bob, second, *TWO_THREADS)
    assert [request.query for request in second.asked] == ["dog", "which pets?"]
    assert batch.turns_done == 4
    assert ground_truths(batch="b1")[0].expected_memory_ids == (memory_of("b1", "d1", 0), memory_of("b1", "d2", 0))


def test_emulation_run__answered_but_not_written__asks_with_the_same_run_and_counts_once(bob: Actor) -> None:
    maas = FakeMaas()
    play(bob, maas, *TWO_THREADS)
    EmulationTurn.objects.filter(text="dog").update(finished_at=None, memory_id=None)
    EmulationDialogue.objects.filter(dialogue="d2").update(finished_at=None)
    EmulationBatch.objects.update(status="running", turns_done=3, dialogues_done=1)
    batch = play(bob, maas, *TWO_THREADS)
    assert len(maas.answers) == 4
    assert (batch.turns_done, batch.dialogues_done) == (4, 2)


def test_emulation_run__completed__asks_nothing_more(bob: Actor) -> None:
    play(bob, FakeMaas(), *TWO_THREADS)
    again = FakeMaas()
    assert play(bob, again, *TWO_THREADS).status == "completed"
    assert again.asked == []


def test_emulation_run__client_cannot_be_reached__fails_with_the_reason_and_can_go_on(bob: Actor) -> None:
    def refuse(request: RunRequest) -> None:
        raise Unavailable("no connection")

    with pytest.raises(Unavailable):
        play(bob, FakeMaas(before=refuse), *TWO_THREADS)
    broken = EmulationBatch.objects.get()
    assert (broken.status, broken.error) == ("failed", "Unavailable: no connection")
    assert play(bob, FakeMaas(), *TWO_THREADS).status == "completed"


def test_emulation_run__should_stop__stops_after_the_turn_at_hand(bob: Actor) -> None:
    maas = FakeMaas()
    batch = emulation_start(plan=plan(*TWO_THREADS), actor=bob)
    done = emulation_run(batch_id=batch.pk, client=maas, should_stop=lambda: len(maas.asked) == 2)
    assert (done.status, done.turns_done) == ("stopped", 2)
    assert play(bob, maas, *TWO_THREADS).status == "completed"


def test_emulation_run__stop_asked_for_in_the_database__stops(bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.services.play._STOP_POLL_SECONDS", 0)
    batch = emulation_start(plan=plan(*TWO_THREADS), actor=bob)

    def stop(request: RunRequest) -> None:
        if request.query == "hello":
            emulation_stop(batch_id=batch.pk, actor=bob)

    done = emulation_run(batch_id=batch.pk, client=FakeMaas(before=stop))
    assert (done.status, done.turns_done) == ("stopped", 2)


def test_emulation_run__several_users_in_parallel__keeps_each_users_order(bob: Actor) -> None:
    users = [
        script(f"{thread}-{user}", says(f"{user}.{thread}.a"), says(f"{user}.{thread}.b"), user=user, ordinal=thread)
        for user in range(1, 5)
        for thread in (0, 1)
    ]
    maas = FakeMaas()
    batch = emulation_start(plan=plan(*users).model_copy(update={"parallel": 4}), actor=bob)
    assert emulation_run(batch_id=batch.pk, client=maas).turns_done == 16
    for user in range(1, 5):
        said = [request.query for request in maas.asked if request.user_id.int == user]
        assert said == [f"{user}.0.a", f"{user}.0.b", f"{user}.1.a", f"{user}.1.b"]


def test_emulation_run__progress__ends_at_all_turns(bob: Actor) -> None:
    seen: list[Progress] = []
    batch = emulation_start(plan=plan(*TWO_THREADS), actor=bob)
    emulation_run(batch_id=batch.pk, client=FakeMaas(), on_progress=seen.append)
    assert (seen[-1].turns_done, seen[-1].turns_total, seen[-1].dialogues_done) == (4, 4, 2)
    assert seen[-1].rate > 0


def test_emulation_start__same_plan_again__returns_the_same_batch(bob: Actor) -> None:
    first = emulation_start(plan=plan(*TWO_THREADS), actor=bob)
    assert emulation_start(plan=plan(*TWO_THREADS), actor=bob).pk == first.pk
    assert EmulationTurn.objects.count() == 4


def test_emulation_start__same_name_other_plan__conflicts(bob: Actor) -> None:
    emulation_start(plan=plan(*TWO_THREADS), actor=bob)
    with pytest.raises(Conflict):
        emulation_start(plan=plan(*TWO_THREADS, seed=9), actor=bob)


def test_emulation_start__two_dialogues_of_one_name__is_refused(bob: Actor) -> None:
    with pytest.raises(InvalidInput):
        emulation_start(plan=plan(TWO_THREADS[0], TWO_THREADS[0]), actor=bob)


def test_emulation_start__viewer__is_refused(charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        emulation_start(plan=plan(*TWO_THREADS), actor=charlie)


def test_emulation_start__turn_limit__drops_questions_whose_answer_is_cut(bob: Actor) -> None:
    emulation_start(
        plan=plan(
            script("d1", says("cat", "cat"), says("dog", "dog")),
            script("d2", asks("dog?", "dog"), ordinal=1),
            script("d3", asks("cat?", "cat"), ordinal=2),
            turns=1,
        ),
        actor=bob,
    )
    assert list(EmulationTurn.objects.order_by("text").values_list("text", flat=True)) == ["cat", "cat?"]
