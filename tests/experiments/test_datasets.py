"""Loading: all or nothing, once, one content per name, and a seal that notices one byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from audit.selectors import entries
from contracts.actor import Actor
from experiments.datasets import dataset_store, dialogues_load
from experiments.domain.examples import content_hash
from experiments.golden import golden_examples
from experiments.golden_access import golden_rows
from experiments.models import Dataset, EvaluationExample
from experiments.selectors import dataset_by_name, examples, split_sizes
from kernel.canonical import derive_uuid
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from maas.client import memories_count
from tests.experiments.files import both, jsonl_file, locomo_file, memory_line, question_line, sample
from tests.experiments.makers import AT, example

pytestmark = pytest.mark.django_db

EACH = {"train": ["c1"], "validation": ["c2"], "golden": ["c3"]}


def three(folder: Path) -> Path:
    return jsonl_file(folder, *both("c1"), *both("c2"), *both("c3"))


def load(
    path: Path, actor: Actor, splits: Mapping[str, Sequence[str]] | None = None, *, form: str = "jsonl", name: str = "d"
) -> Dataset:
    return dialogues_load(
        format_name=form, path=path, dataset=name, splits=EACH if splits is None else splits, actor=actor
    )


def stored() -> tuple[int, int, int, int]:
    """Data sets, examples, golden examples and memories of the users that these files make."""
    users = [derive_uuid("dataset-user", "d", name) for name in ("c1", "c2", "c3", "talk-1", "talk-2")]
    memories = sum(memories_count(user_id=user) for user in users)
    return Dataset.objects.count(), EvaluationExample.objects.count(), golden_rows().count(), memories


# --- loading ----------------------------------------------------------------------------------------------------------


def test_load__named_splits__puts_each_conversation_where_it_belongs(tmp_path: Path, bob: Actor) -> None:
    dataset = load(three(tmp_path), bob)

    assert stored() == (1, 2, 1, 3)
    assert split_sizes(dataset="d") == {"train": 1, "validation": 1, "golden": 1}
    assert [item.external_id for item in examples(dataset="d", split="validation")] == ["c2/q1"]
    assert [item.external_id for item in golden_examples(dataset="d")] == ["c3/q1"]
    assert dataset.report["splits"] == EACH
    assert dataset.report["questions_by_split"] == {"train": 1, "validation": 1, "golden": 1}


def test_load__locomo__gives_examples_that_expect_the_memories_made(tmp_path: Path, bob: Actor) -> None:
    load(locomo_file(tmp_path, sample()), bob, {"validation": ["talk-1"]}, form="locomo")

    found = examples(dataset="d", split="validation")
    assert stored() == (1, 3, 0, 5)
    assert found[0].expected_memory_ids == (derive_uuid("dataset-memory", "d", "talk-1", "D1:1"),)
    assert found[0].user_id == derive_uuid("dataset-user", "d", "talk-1")


def test_load__by_a_person__is_in_the_change_log_with_the_seal(tmp_path: Path, bob: Actor) -> None:
    dataset = load(three(tmp_path), bob)

    entry = entries().filter(action="dataset.loaded").get()
    assert entry.subject_id == "d"
    assert entry.after is not None
    assert entry.after["golden_hash"] == dataset.golden_hash


def test_load__conversation_that_no_split_names__is_left_out(tmp_path: Path, bob: Actor) -> None:
    load(three(tmp_path), bob, {"train": ["c2"]})

    assert stored() == (1, 1, 0, 1)


def test_load__default_splits__are_seventy_fifteen_fifteen_in_file_order(tmp_path: Path, bob: Actor) -> None:
    names = [f"c{number:02d}" for number in range(20)]
    path = jsonl_file(tmp_path, *(line for name in names for line in both(name)))

    dataset = load(path, bob, {})

    assert dataset.report["splits"] == {"train": names[:14], "validation": names[14:17], "golden": names[17:]}


@pytest.mark.parametrize("count", [3, 4, 5])
def test_load__few_conversations__leave_no_split_empty(tmp_path: Path, bob: Actor, count: int) -> None:
    path = jsonl_file(tmp_path, *(line for number in range(count) for line in both(f"c{number}")))

    splits = load(path, bob, {}).report["splits"]

    assert min(len(items) for items in splits.values()) >= 1
    assert sum(len(items) for items in splits.values()) == count


def test_load__again__changes_nothing(tmp_path: Path, bob: Actor) -> None:
    path = three(tmp_path)
    first = load(path, bob)
    before = stored()

    second = load(path, bob)

    assert (second.pk, stored()) == (first.pk, before)
    assert entries().filter(action="dataset.loaded").count() == 1


@pytest.mark.parametrize(
    "lines",
    [
        [memory_line("c1"), question_line("c1", query="How many masts?")],
        [memory_line("c1"), question_line("c1", key_facts=["three"])],
        [memory_line("c1", text="The boat has four sails."), question_line("c1")],
        [memory_line("c1", speaker="Ben"), question_line("c1")],
        [memory_line("c1"), memory_line("c1", "m2"), question_line("c1")],
    ],
    ids=["query", "fact", "text", "speaker", "one more memory"],
)
def test_load__other_content_under_the_name__is_a_conflict_and_changes_nothing(
    tmp_path: Path, bob: Actor, lines: list[Any]
) -> None:
    load(three(tmp_path), bob)
    before = stored()

    with pytest.raises(Conflict, match="'d' exists with other content"):
        load(jsonl_file(tmp_path, *lines, *both("c2"), *both("c3")), bob)

    assert stored() == before


def test_load__same_content_split_otherwise__is_a_conflict(tmp_path: Path, bob: Actor) -> None:
    path = three(tmp_path)
    load(path, bob)

    with pytest.raises(Conflict):
        load(path, bob, {"train": ["c3"], "validation": ["c2"], "golden": ["c1"]})


def test_load__same_file_under_another_name__is_another_data_set(tmp_path: Path, bob: Actor) -> None:
    path = three(tmp_path)
    load(path, bob)
    load(path, bob, name="other")

    assert Dataset.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": "csv"}, "unknown format 'csv'; known: jsonl, locomo"),
        ({"name": "no spaces"}, "data set's name"),
        ({"name": "x" * 51}, "data set's name"),
        ({"name": ""}, "data set's name"),
        ({"splits": {"train": ["c9"]}}, "unknown conversation id 'c9'; the file holds: c1, c2, c3"),
        ({"splits": {"train": ["c1"], "golden": ["c1"]}}, "conversation 'c1' is in two splits"),
    ],
)
def test_load__wrong_request__is_refused_and_nothing_is_stored(
    tmp_path: Path, bob: Actor, change: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"form": "jsonl", "name": "d", "splits": EACH, **change}

    with pytest.raises(InvalidInput, match=words):
        load(three(tmp_path), bob, given["splits"], form=given["form"], name=given["name"])

    assert stored() == (0, 0, 0, 0)


def test_load__last_line_is_wrong__stores_nothing_of_the_lines_before(tmp_path: Path, bob: Actor) -> None:
    with pytest.raises(InvalidInput, match="unknown"):
        load(
            jsonl_file(tmp_path, *both("c1"), *both("c2"), *both("c3"), question_line("c3", "q2", evidence=["m9"])), bob
        )

    assert stored() == (0, 0, 0, 0)


def test_load__locomo_question_without_the_evidence_key__stores_nothing(tmp_path: Path, bob: Actor) -> None:
    broken = sample("talk-2")
    del broken["qa"][2]["evidence"]

    with pytest.raises(InvalidInput, match=r"sample 1 \(talk-2\), question 3: 'evidence' is missing"):
        load(locomo_file(tmp_path, sample(), broken), bob, {"train": ["talk-1"]}, form="locomo")

    assert stored() == (0, 0, 0, 0)


def test_load__two_conversations_and_no_splits__asks_to_name_them(tmp_path: Path, bob: Actor) -> None:
    with pytest.raises(InvalidInput, match="name the splits"):
        load(jsonl_file(tmp_path, *both("c1"), *both("c2")), bob, {})


def test_load__viewer__is_not_authorised(tmp_path: Path, charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        load(three(tmp_path), charlie)

    assert stored() == (0, 0, 0, 0)


def test_load__progress__counts_memories_up_to_all_of_them(tmp_path: Path, bob: Actor) -> None:
    seen: list[tuple[int, int]] = []

    dialogues_load(
        format_name="jsonl", path=three(tmp_path), dataset="d", splits=EACH, actor=bob,
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip

    assert seen == [(3, 3)]


# --- the store and the seal -------------------------------------------------------------------------------------------


def keep(actor: Actor, *golden: Any, train: Any = ()) -> Dataset:
    values = {"train": list(train), "validation": [], "golden": list(golden)}
    return dataset_store(name="d", source="test", values=values, report={}, actor=actor)


def test_store__again__returns_what_is_there_and_other_content_is_a_conflict(bob: Actor) -> None:
    first = keep(bob, example())

    assert keep(bob, example()).pk == first.pk
    with pytest.raises(Conflict):
        keep(bob, example(query="Something else?"))


def test_store__examples__come_back_whole(bob: Actor) -> None:
    value = example(key_facts=("Kazan",), forbidden=("Samara",), should_retrieve=False, difficulty="hard")
    of_train = example("t1", user=2, expected_memory_ids=(derive_uuid("another"),))
    keep(bob, value, train=[of_train])

    assert golden_examples(dataset="d") == [value]
    assert examples(dataset="d", split="train") == [of_train]


def test_golden__intact__is_given_with_times_of_any_zone(bob: Actor) -> None:
    keep(bob, example(asked_at=AT.astimezone(timezone(timedelta(hours=3)))))

    assert golden_examples(dataset="d")[0].asked_at == AT


def test_content_hash__order_of_examples_and_of_expected_memories__does_not_count() -> None:
    one, two = derive_uuid("1"), derive_uuid("2")
    first = [example("a", expected_memory_ids=(one, two)), example("b")]
    second = [example("b"), example("a", expected_memory_ids=(two, one))]

    assert content_hash(first) == content_hash(second)


def test_dataset_by_name__unknown__names_those_there_are(bob: Actor) -> None:
    keep(bob)

    with pytest.raises(NotFound, match="there is no data set 'x'; known: d"):
        dataset_by_name("x")


def test_report__of_a_loaded_file__is_plain_json(tmp_path: Path, bob: Actor) -> None:
    report = load(three(tmp_path), bob).report

    assert json.loads(json.dumps(report)) == report
    assert len(report["content_hash"]) == 64
