"""The bundled data set: stories told to the student once, and their questions made into examples."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Actor
from contracts.maas import RunRequest
from experiments import bundled
from experiments.golden import golden_examples
from experiments.models import Dataset
from experiments.selectors import examples
from kernel.canonical import derive_uuid
from maas.client import get_client, memories_count
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import query, scenario

pytestmark = pytest.mark.django_db

STORY: list[dict[str, Any]] = [
    {
        "id": "t01",
        "day": 0,
        "turns": [
            {"text": "My cat is called Tiger.", "event": {"id": "cat", "kind": "fact"}},
            {"text": "What a lovely morning it is today."},
            {"text": "Who purrs at home?", "query": query()},
        ],
    },
    {
        "id": "t02",
        "day": 40,
        "turns": [
            {"text": "Tiger the cat sleeps on the stove.", "event": {"id": "again", "kind": "fact", "repeats": "cat"}},
            {"text": "Who sleeps on the stove?", "query": query(id="q2")},
            {"text": "Have I a dog?", "query": query(id="q3", expects=[], key_facts=[], should_retrieve=False)},
        ],
    },
]


@pytest.fixture(autouse=True)
def one_story_each(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scenario(split="validation", threads=STORY)
    sealed = scenario(split="golden", id="seal", family="seal", threads=STORY)
    monkeypatch.setattr(bundled, "bundled_scenarios", lambda _split: (told,))
    monkeypatch.setattr(bundled, "golden_stories", lambda: [sealed])
    # The stories' threads have connections of their own, outside the test's transaction; notes have tests elsewhere.
    monkeypatch.setattr(bundled, "memories_import", lambda _: 0)


def told(maas: FakeMaas, story: str) -> list[RunRequest]:
    user = derive_uuid("bundled-user", "golden" if story == "seal" else "validation", story)
    return [request for request in maas.asked if request.user_id == user]


def memory_of(maas: FakeMaas, text: str, story: str = "tiny") -> Any:
    (request,) = [request for request in told(maas, story) if request.query == text]
    assert request.run_id is not None
    return maas.answers[request.run_id].memory_id


def test_prepare__statements_and_small_talk__are_told_in_order_and_questions_are_not(bob: Actor) -> None:
    maas = FakeMaas()

    bundled.bundled_prepare(client=maas, actor=bob)

    for story in ("tiny", "seal"):
        said = told(maas, story)
        assert [request.query for request in said] == [
            "My cat is called Tiger.", "What a lovely morning it is today.", "Tiger the cat sleeps on the stove.",
        ]  # fmt: skip
        times = [request.simulated_at for request in said if request.simulated_at]
        assert times == sorted(times)
        assert (times[2] - times[0]).days == 40
        assert {request.mode for request in said} == {"dialogue"}


def test_prepare__question__expects_the_memory_of_its_statement_and_of_what_said_it_again_before(bob: Actor) -> None:
    maas = FakeMaas()

    bundled.bundled_prepare(client=maas, actor=bob)

    first, second, third = examples(dataset="bundled", split="validation")
    cat, again = memory_of(maas, "My cat is called Tiger."), memory_of(maas, "Tiger the cat sleeps on the stove.")
    assert first.expected_memory_ids == (cat,)
    assert second.expected_memory_ids == (cat, again)
    assert (third.expected_memory_ids, third.should_retrieve) == ((), False)
    assert (first.external_id, first.cluster, first.key_facts) == ("tiny/q1", "tiny/q1", ("Tiger",))


def test_prepare__golden_story__is_sealed_apart_from_validation(bob: Actor) -> None:
    dataset = bundled.bundled_prepare(client=FakeMaas(), actor=bob)

    assert [item.external_id for item in golden_examples(dataset="bundled")] == ["seal/q1", "seal/q2", "seal/q3"]
    assert examples(dataset="bundled", split="train") == []
    assert dataset.report["stories"] == {"validation": ["tiny"], "golden": ["seal"]}
    assert (dataset.report["statements"], dataset.report["memories"]) == (4, 4)


def test_prepare__statement_that_is_not_remembered__can_never_be_found(bob: Actor) -> None:
    maas = FakeMaas(forget=lambda request: "called" in request.query)

    bundled.bundled_prepare(client=maas, actor=bob)

    made = {answer.memory_id for answer in maas.answers.values()}
    (expected,) = examples(dataset="bundled", split="validation")[0].expected_memory_ids
    assert expected not in made


def test_prepare__again__tells_nothing_and_returns_the_same(bob: Actor) -> None:
    first = bundled.bundled_prepare(client=FakeMaas(), actor=bob)
    maas = FakeMaas()

    assert bundled.bundled_prepare(client=maas, actor=bob).pk == first.pk
    assert maas.asked == []


def test_prepare__broken_off__goes_on_with_the_same_runs(bob: Actor) -> None:
    def die(_: RunRequest) -> None:
        if len(broken.asked) == 3:
            raise ConnectionError("gone")

    broken = FakeMaas(before=die)
    with pytest.raises(ConnectionError):
        bundled.bundled_prepare(client=broken, actor=bob, parallel=1)
    assert not Dataset.objects.exists()

    maas = FakeMaas()
    maas.answers = dict(broken.answers)
    bundled.bundled_prepare(client=maas, actor=bob, parallel=1)

    assert set(broken.answers) < set(maas.answers)
    assert len(maas.answers) == 6


def test_prepare__progress__counts_statements_up_to_all(bob: Actor) -> None:
    seen: list[tuple[int, int]] = []

    bundled.bundled_prepare(
        client=FakeMaas(), actor=bob, on_progress=lambda done, total: seen.append((done, total)), parallel=1
    )

    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.django_db(transaction=True)
def test_prepare__real_student__makes_the_memories_that_questions_expect(bob: Actor) -> None:
    bundled.bundled_prepare(client=get_client(), actor=bob, parallel=1)

    user = derive_uuid("bundled-user", "validation", "tiny")
    before = memories_count(user_id=user)
    (_, second, _) = examples(dataset="bundled", split="validation")
    answer = get_client().ask(
        RunRequest(user_id=user, query="Tiger the cat: who sleeps?", mode="evaluation", simulated_at=second.asked_at)
    )
    assert {item.memory_id for item in answer.found} >= set(second.expected_memory_ids)
    assert memories_count(user_id=user) == before


def test_golden_stories__of_this_repository__are_read_in_a_stable_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    stories = bundled.golden_stories()

    assert [story.id for story in stories] == sorted(story.id for story in stories)
    assert {story.split for story in stories} == {"golden"}
