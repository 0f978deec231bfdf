"""A pass: each example once under each arm, interleaved, resumable, and always the same runs."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from contracts.maas import RunRequest
from experiments.models import EvaluationPass
from experiments.runner import PassPlan, PassProgress, PassStopped, pass_close, pass_run
from experiments.selectors import golden_looks
from kernel.errors import Conflict
from tests.emulator.fakes import FakeMaas
from tests.experiments.makers import example

pytestmark = pytest.mark.django_db

ARMS = {"baseline": 1, "variant": 2}


def plan(count: int = 20, *, users: int = 1, **fields: Any) -> PassPlan:
    given: dict[str, Any] = {
        "batch": "b1", "dataset": "d", "split": "validation", "purpose": "experiment", "arms": ARMS,
        "examples": [example(f"e{number:02d}", user=1 + number % users) for number in range(count)],
        "seed": 7, "experiment": "e-1", **fields,
    }  # fmt: skip
    return PassPlan(**given)


def asked(maas: FakeMaas) -> list[tuple[str, str | None]]:
    return [(request.query, request.variant) for request in maas.asked]


@pytest.mark.parametrize("users", [1, 3])
def test_pass__run_to_its_end__asks_each_example_once_under_each_arm(users: int) -> None:
    maas = FakeMaas()

    truths = pass_run(plan(users=users), client=maas)

    assert set(Counter(asked(maas)).values()) == {1}
    assert len(maas.asked) == len(truths) == 40
    assert {truth.run_id for truth in truths} == {request.run_id for request in maas.asked}
    row = EvaluationPass.objects.get()
    assert (row.planned, row.done, row.finished_at is not None) == (40, 40, True)


def test_pass__request__evaluates_a_pinned_version_at_the_examples_own_time() -> None:
    maas = FakeMaas()

    pass_run(plan(1), client=maas)

    value = example("e00")
    for request in maas.asked:
        assert (request.mode, request.client_kind, request.experiment) == ("evaluation", "emulator", "e-1")
        assert request.pinned_version == ARMS[request.variant or ""]
        assert (request.simulated_at, request.user_id) == (value.asked_at, value.user_id)


def test_pass__both_arms_of_an_example__share_the_seed_and_examples_do_not() -> None:
    maas = FakeMaas()

    pass_run(plan(), client=maas)

    seeds = {request.query: set[int | None]() for request in maas.asked}
    for request in maas.asked:
        seeds[request.query].add(request.seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len({next(iter(found)) for found in seeds.values()}) == 20


def test_pass__order_of_arms__is_interleaved_by_a_hash_and_the_same_again() -> None:
    first, again, other = FakeMaas(), FakeMaas(), FakeMaas()

    pass_run(plan(60), client=first)
    EvaluationPass.objects.all().delete()
    pass_run(plan(60), client=again)
    pass_run(plan(60, batch="b2"), client=other)

    assert asked(first) == asked(again) != asked(other)
    leads = Counter(variant for _, variant in asked(first)[::2])
    assert min(leads["baseline"], leads["variant"]) >= 15  # of 60; one in a million falls short by chance
    assert all(left[0] == right[0] for left, right in zip(asked(first)[::2], asked(first)[1::2], strict=True))


def test_pass__without_an_experiment__gives_runs_no_variant() -> None:
    maas = FakeMaas()

    pass_run(plan(1, arms={"active": 3}, experiment=None, purpose="monitor"), client=maas)

    assert [(request.variant, request.pinned_version) for request in maas.asked] == [(None, 3)]


def test_pass__truth__names_batch_split_and_what_was_expected() -> None:
    (truth, _) = pass_run(plan(1), client=FakeMaas())

    value = example("e00")
    assert (truth.batch, truth.dataset, truth.split, truth.example_id) == ("b1", "d", "validation", "e00")
    assert (truth.expected_memory_ids, truth.cluster) == (value.expected_memory_ids, "c")


def test_pass__finished_and_run_again__asks_nothing_and_gives_the_same_truths() -> None:
    first = pass_run(plan(), client=FakeMaas())
    maas = FakeMaas()

    assert pass_run(plan(), client=maas) == first
    assert maas.asked == []


def test_pass__broken_off__goes_on_with_the_same_runs_and_answers_none_twice() -> None:
    def die_at_the_thirteenth(_: RunRequest) -> None:
        if len(maas.asked) == 13:
            raise ConnectionError("gone")

    maas = FakeMaas(before=die_at_the_thirteenth)
    with pytest.raises(ConnectionError):
        pass_run(plan(), client=maas)
    assert EvaluationPass.objects.get().finished_at is None
    before = set(maas.answers)

    resumed = FakeMaas()
    resumed.answers = maas.answers
    pass_run(plan(), client=resumed)

    assert before < set(resumed.answers)
    assert len(resumed.answers) == 40
    assert EvaluationPass.objects.count() == 1


def test_pass__one_of_several_threads_fails__ends_the_others_and_raises() -> None:
    def die(request: RunRequest) -> None:
        if request.query == "What of e01?":
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        pass_run(plan(200, users=2), client=FakeMaas(before=die))
    assert EvaluationPass.objects.get().finished_at is None


def test_pass__told_to_stop__is_a_conflict_and_goes_on_later() -> None:
    maas = FakeMaas()

    with pytest.raises(Conflict, match="was stopped; it goes on where it was"):
        pass_run(plan(), client=maas, should_stop=lambda: len(maas.asked) >= 10)

    assert len(maas.asked) == 10
    pass_run(plan(), client=maas)
    assert len(maas.answers) == 40


@pytest.mark.parametrize("arms", [{"baseline": 1, "variant": 3}, {"baseline": 1}, {"baseline": 1, "other": 2}])
def test_pass__started_with_other_arms__is_a_conflict_and_asks_nothing(arms: dict[str, int]) -> None:
    pass_run(plan(1), client=FakeMaas())
    maas = FakeMaas()

    with pytest.raises(Conflict, match="started with other arms"):
        pass_run(plan(1, arms=arms), client=maas)
    assert maas.asked == []


@pytest.mark.parametrize("users", [1, 3])
def test_pass__gone_on_with_after_a_part__asks_only_what_was_not_asked(users: int) -> None:
    maas = FakeMaas()

    part = pass_run(plan(users=users).until(8), client=maas)
    assert (len(part), len(maas.asked)) == (16, 16)
    row = EvaluationPass.objects.get()
    assert (row.planned, row.done, row.finished_at) == (40, 16, None)

    assert len(pass_run(plan(users=users), client=maas)) == 40
    assert (len(maas.asked), set(Counter(asked(maas)).values())) == (40, {1})
    assert EvaluationPass.objects.get().finished_at is not None


def test_pass__part_that_was_run__is_not_asked_again() -> None:
    maas = FakeMaas()
    pass_run(plan().until(8), client=maas)
    assert len(pass_run(plan().until(8), client=maas)) == 16
    assert len(maas.asked) == 16


def test_pass__closed_after_a_part__asks_nothing_more() -> None:
    maas = FakeMaas()
    pass_run(plan().until(8), client=maas)
    pass_close(batch="b1")
    pass_run(plan(), client=maas)
    row = EvaluationPass.objects.get()
    assert (len(maas.asked), row.done, row.finished_at is not None) == (16, 16, True)


def test_pass__stopped_in_its_middle__goes_on_where_it_was() -> None:
    maas = FakeMaas()
    with pytest.raises(PassStopped):
        pass_run(plan(), client=maas, should_stop=lambda: len(maas.asked) >= 10)
    assert (len(maas.asked), EvaluationPass.objects.get().finished_at) == (10, None)


def test_pass__arms_with_seeds_of_their_own__share_none() -> None:
    maas = FakeMaas()
    pass_run(plan(arm_seeds={"baseline": 1, "variant": 2}), client=maas)
    seeds = {arm: {request.seed for request in maas.asked if request.variant == arm} for arm in ARMS}
    assert (len(seeds["baseline"]), len(seeds["variant"])) == (20, 20)
    assert not seeds["baseline"] & seeds["variant"]


def test_pass__progress__rises_to_what_is_planned() -> None:
    seen: list[PassProgress] = []

    pass_run(plan(users=3), client=FakeMaas(), on_progress=seen.append)

    assert [item.done for item in seen] == list(range(2, 41, 2))
    assert {item.planned for item in seen} == {40}


def test_pass__several_users__are_asked_in_parallel_each_in_its_own_thread() -> None:
    threads: dict[Any, set[int]] = {}

    def note(request: RunRequest) -> None:
        threads.setdefault(request.user_id, set()).add(threading.get_ident())

    pass_run(plan(40, users=4, parallel=2), client=FakeMaas(before=note))

    assert all(len(found) == 1 for found in threads.values())
    assert len(set.union(*threads.values())) <= 2


@pytest.mark.parametrize("purpose", ["experiment", "screening"])
def test_pass__golden_for_anything_but_a_gate_or_monitoring__is_refused_by_the_database(purpose: str) -> None:
    maas = FakeMaas()

    with pytest.raises(IntegrityError, match="golden_only_gates_or_is_monitored"), transaction.atomic():
        pass_run(plan(1, split="golden", purpose=purpose), client=maas)
    assert maas.asked == []


def test_golden_looks__gates__count_and_monitoring_does_not() -> None:
    for batch, purpose in (("g1", "gate"), ("g2", "gate"), ("m1", "monitor")):
        pass_run(plan(1, batch=batch, split="golden", purpose=purpose), client=FakeMaas())
    pass_run(plan(1, batch="v1"), client=FakeMaas())

    assert golden_looks(dataset="d") == 2
