"""Golden examples by a person's hand: only with consent, masked, sealed anew, never deleted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from audit.selectors import entries
from contracts.actor import Actor
from contracts.maas import NewMemory
from experiments.datasets import dataset_store
from experiments.golden import golden_examples, golden_seal, golden_sources, golden_values
from experiments.golden_access import golden_access
from experiments.golden_editing import (
    REAL,
    GoldenDraft,
    exchange_memories,
    exchange_of,
    golden_example_add,
    golden_example_retire,
    golden_preview,
)
from experiments.models import Dataset, GoldenExample, GoldenSeal
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from maas.client import memories_import
from sensor.models import SensorEvent
from sensor.selectors import consented_questions
from tests.experiments.makers import example

pytestmark = pytest.mark.django_db

VERA, ASKED = uuid.UUID(int=71), datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN, MEMORY, LATER = uuid.UUID(int=501), uuid.UUID(int=601), uuid.UUID(int=602)
QUESTION = "Where did my sister Vera move? Call +7 999 123-45-67."


def exchange(run: uuid.UUID = RUN, **fields: Any) -> SensorEvent:
    now = timezone.now()
    given: dict[str, Any] = {
        "user_id": VERA, "client_kind": "user", "mode": "dialogue", "cycle_type": "online", "status": "COMPLETED",
        "asked_at": ASKED, "started_at": now, "ended_at": now, "latency_ms": 1, "memories_found": 0,
        "captured_at": now, "consent": True, "query": QUESTION, "answer": "To Kazan; ask vera@example.org.", **fields,
    }  # fmt: skip
    return SensorEvent.objects.create(pipeline_run_id=run, **given)


@pytest.fixture
def talk(db: None) -> SensorEvent:
    texts = ((MEMORY, "My sister Vera moved to Kazan, her mail is vera@example.org.", 1), (LATER, "Thanks!", 2))
    memories_import(
        [
            NewMemory(memory_id=name, user_id=VERA, text=text, simulated_at=ASKED.replace(month=4 if n == 1 else 6))
            for name, text, n in texts
        ]
    )
    return exchange()


def draft(**fields: Any) -> GoldenDraft:
    given: dict[str, Any] = {
        "run_id": RUN, "query": QUESTION, "expected_memory_ids": (MEMORY,), "category": "factual",
        "difficulty": "easy", "key_facts": ("Kazan", " "), "forbidden": (), **fields,
    }  # fmt: skip
    return GoldenDraft(**given)


def added(actor: Actor, *, dataset: str = REAL, reason: str = "a good question", **fields: Any) -> GoldenSeal:
    return golden_example_add(draft=draft(**fields), dataset=dataset, reason=reason, actor=actor)


# --- adding -----------------------------------------------------------------------------------------------------------


def test_add__consented_exchange__is_masked_and_sealed_as_the_first_of_a_new_set(talk: Any, alice: Actor) -> None:
    seal = added(alice)

    (value,) = golden_examples(dataset=REAL)
    assert (seal.number, seal.size, seal.change, seal.source_run) == (1, 1, "added", RUN)
    assert value.query == "Where did my sister Vera move? Call [phone]."
    assert (value.user_id, value.expected_memory_ids, value.key_facts) == (VERA, (MEMORY,), ("Kazan",))
    assert value.asked_at < ASKED  # what the exchange itself left is not to be found
    assert value.cluster == f"real/{VERA}"


def test_add__to_an_existing_set__is_the_next_seal_and_is_in_the_change_log(talk: Any, alice: Actor) -> None:
    values = {"golden": [example("e1")], "validation": [example("e2", user=2, expected_memory_ids=())]}
    before = dataset_store(name="d", source="test", values=values, report={}, actor=alice)

    seal = added(alice, dataset="d")

    entry = entries().filter(action="golden.added").get()
    assert (seal.number, [value.external_id for value in golden_examples(dataset="d")]) == (2, ["e1", f"real/{RUN}"])
    assert entry.before == {"seal": 1, "golden_hash": before.golden_hash}
    assert entry.after == {"seal": 2, "golden_hash": seal.content_hash, "example": f"real/{RUN}"}
    assert (entry.actor, entry.reason) == ("alice", "a good question")
    assert Dataset.objects.get(name="d").golden_hash == seal.content_hash != before.golden_hash


def test_add__while_a_campaign_runs__leaves_that_campaign_the_set_it_began_with(talk: Any, alice: Actor) -> None:
    dataset_store(name="d", source="test", values={"golden": [example("e1")]}, report={}, actor=alice)
    began = timezone.now()

    added(alice, dataset="d")

    assert [value.external_id for value in golden_examples(dataset="d", at=began)] == ["e1"]
    assert len(golden_examples(dataset="d")) == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"query": "  "}, "the question needs"),
        ({"query": "x" * 2001}, "the question needs"),
        ({"category": "odd"}, "choose a category"),
        ({"difficulty": "odd"}, "choose a difficulty"),
        ({"expected_memory_ids": ()}, "choose the memories"),
        ({"category": "negative"}, "expects no memory"),
        ({"expected_memory_ids": (LATER,)}, "was made later"),
        ({"expected_memory_ids": (uuid.UUID(int=9),)}, "not this person's"),
    ],
)
def test_add__wrong_field__is_refused_and_leaves_nothing(
    talk: Any, alice: Actor, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        added(alice, **fields)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"consent": False}, {"client_kind": "emulator"}, {"mode": "evaluation"}, {"experiment": "e-1"}]
)
def test_add__exchange_that_is_not_a_consenting_persons__is_refused(talk: Any, alice: Actor, fields: Any) -> None:
    SensorEvent.objects.update(**fields)
    with pytest.raises(NotFound, match="agreed"):
        added(alice)


def test_add__by_an_operator__is_refused(talk: Any, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        added(bob)


def test_add__without_a_reason__is_refused(talk: Any, alice: Actor) -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        added(alice, reason=" ")


def test_add__twice__is_a_conflict(talk: Any, alice: Actor) -> None:
    added(alice)
    with pytest.raises(Conflict, match="already"):
        added(alice)
    assert GoldenSeal.objects.count() == 1


def test_add__to_a_set_that_was_tampered_with__is_refused(talk: Any, alice: Actor) -> None:
    dataset_store(name="d", source="test", values={"golden": [example("e1")]}, report={}, actor=alice)
    Dataset.objects.update(golden_hash="x")
    with pytest.raises(Conflict, match="not the one that was sealed"):
        added(alice, dataset="d")
    assert GoldenSeal.objects.count() == 1


def test_add__person_whose_questions_are_in_validation__is_refused(talk: Any, alice: Actor) -> None:
    values = {"validation": [example("e2", user=VERA.int)], "golden": []}
    dataset_store(name="d", source="test", values=values, report={}, actor=alice)
    with pytest.raises(InvalidInput, match="another split"):
        added(alice, dataset="d")


def test_add__question_that_learning_draws_from__is_drawn_no_more(talk: Any, alice: Actor) -> None:
    whole: dict[str, Any] = {"since": ASKED, "until": datetime(2100, 1, 1, tzinfo=UTC), "limit": 9, "seed": 1}
    assert [item.run_id for item in consented_questions(**whole)] == [RUN]
    added(alice)
    assert consented_questions(**whole, without=golden_sources()) == []


def test_golden__consent_withdrawn_later__is_not_asked_any_more(talk: Any, alice: Actor) -> None:
    added(alice)
    SensorEvent.objects.update(consent=False)
    assert golden_examples(dataset=REAL) == []


# --- what the person is shown -----------------------------------------------------------------------------------------


def test_exchange__shown_to_a_person__is_masked_with_memories_of_before(talk: Any) -> None:
    found = exchange_of(RUN)
    assert (found.query, found.answer) == ("Where did my sister Vera move? Call [phone].", "To Kazan; ask [email].")
    assert exchange_memories(found) == [(MEMORY, "My sister Vera moved to Kazan, her mail is [email].")]


def test_preview__question_nearly_in_validation__warns_of_it(talk: Any, alice: Actor) -> None:
    near = example("near", query="To what place did Vera, my younger sister, move last year?")
    dataset_store(name="d", source="test", values={"validation": [near]}, report={}, actor=alice)
    query = "To what place did my younger sister Vera move last month?"

    _, warnings = golden_preview(draft=draft(query=query), dataset=REAL)
    _, none = golden_preview(draft=draft(), dataset=REAL)

    assert warnings == [f"nearly the same question is in validation (d: near): {near.query}"]
    assert none == []


def test_preview__no_key_facts_or_one_in_the_question__warns_of_it(talk: Any) -> None:
    _, bare = golden_preview(draft=draft(key_facts=()), dataset=REAL)
    _, given = golden_preview(draft=draft(key_facts=("vera",)), dataset=REAL)
    assert "no key facts" in bare[0]
    assert "itself says" in given[0]
    assert not Dataset.objects.exists()


# --- retiring ---------------------------------------------------------------------------------------------------------


def test_retire__example__leaves_the_next_seal_and_stays_in_the_earlier(talk: Any, alice: Actor) -> None:
    dataset_store(name="d", source="test", values={"golden": [example("e1"), example("e2")]}, report={}, actor=alice)
    first = golden_seal(dataset="d")

    seal = golden_example_retire(dataset="d", example="e1", reason="ambiguous", actor=alice)

    assert (seal.number, seal.change, seal.example) == (2, "retired", "e1")
    assert [value.external_id for value in golden_examples(dataset="d")] == ["e2"]
    assert [value.external_id for value in golden_values(seal=first)] == ["e1", "e2"]
    assert entries().filter(action="golden.retired").get().reason == "ambiguous"
    with golden_access():
        assert GoldenExample.objects.count() == 2


@pytest.mark.parametrize("name", ["e9", "e1"])
def test_retire__example_that_is_not_there_any_more__is_not_found(db: None, alice: Actor, name: str) -> None:
    dataset_store(name="d", source="test", values={"golden": [example("e1"), example("e2")]}, report={}, actor=alice)
    golden_example_retire(dataset="d", example="e1", reason="ambiguous", actor=alice)
    with pytest.raises(NotFound):
        golden_example_retire(dataset="d", example=name, reason="again", actor=alice)


def test_retire__by_an_operator__is_refused(db: None, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        golden_example_retire(dataset="d", example="e1", reason="x", actor=bob)


def test_add__after_a_retirement__is_sealed_without_the_retired(talk: Any, alice: Actor) -> None:
    dataset_store(name="d", source="test", values={"golden": [example("e1"), example("e2")]}, report={}, actor=alice)
    golden_example_retire(dataset="d", example="e1", reason="ambiguous", actor=alice)
    added(alice, dataset="d")
    assert [value.external_id for value in golden_examples(dataset="d")] == ["e2", f"real/{RUN}"]
