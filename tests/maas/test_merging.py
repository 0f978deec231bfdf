"""Merging: what says the same, what a merge must not lose, that it stays within one person, and its undo."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from maas.access import as_service
from maas.client import get_client
from maas.client.memories import memories_merge, memories_set_aside, memories_shown, merge_undo, merges, users_to_merge
from maas.domain.merging import Pair, Said, covers, pairs, words
from tests.maas.conftest import Remember, request_of

START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("full", "part", "same"),
    [
        ("My cat is called Ember.", "my cat, is called EMBER", True),
        ("My cat is called Ember now.", "My cat is called Ember", True),
        ("My cat is not called Ember.", "My cat is called Ember", False),
        ("Моя кошка больше не зовётся Угольком", "Моя кошка зовётся Угольком", False),
        ("The train leaves to Kazan at nine", "The train leaves from Kazan at nine", False),
        ("I owe Anna 20 euros since June", "I owe Anna 30 euros since June", False),
        ("I told Anna about Boris yesterday", "I told Boris about Anna yesterday", False),
        ("Yes, in June", "Yes, in June", False),
        ("The red cello is in the attic behind the old green wardrobe", "The red cello is in the attic", False),
    ],
)
def test_covers__by_the_words__tells_a_repetition_from_another_fact(full: str, part: str, same: bool) -> None:
    assert covers(words(full), words(part)) is same


def said(number: int, text: str, speaker: str = "Anna") -> Said:
    return Said(uuid.UUID(int=number), text, speaker, START + timedelta(days=number))


def test_pairs__equal_ones__keep_the_newer_or_the_protected_and_mix_no_speakers() -> None:
    one, two, other = said(1, "My cat is Ember"), said(2, "my cat is ember"), said(3, "My cat is Ember", "Boris")
    assert pairs([one, two, other], protected=()) == [Pair(two.memory_id, one.memory_id)]
    assert pairs([one, two, other], protected={one.memory_id}) == [Pair(one.memory_id, two.memory_id)]
    assert pairs([one, two, other], protected={one.memory_id, two.memory_id}) == []


def asked(user: uuid.UUID, query: str) -> list[uuid.UUID]:
    return [item.memory_id for item in get_client().ask(request_of(user, query, mode="evaluation")).found]


@pytest.mark.django_db
def test_merge__says_the_same__sets_one_aside_within_one_person_and_is_undoable(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    old, new = remember(anna, "My cat is called Ember."), remember(anna, "My cat is called Ember", day=2)
    foreign = remember(boris, "My cat is called Ember.")
    assert set(asked(anna, "How is my cat called?")) == {old, new}
    found = memories_merge(user_id=anna, protected=(), expected={"How is my cat called?": [old]})
    assert (found.merged, found.refused) == (1, 0), "the kept one answers for the dropped one"
    assert asked(anna, "How is my cat called?") == [new]
    assert asked(boris, "How is my cat called?") == [foreign]
    (record,) = merges(limit=9)
    assert (record.kept, record.dropped, record.questions, record.refused) == (new, old, 1, "")
    assert memories_merge(user_id=anna, protected=(), expected={}).merged == 0
    assert merge_undo(merge_id=record.id).undone_at is not None
    assert set(asked(anna, "How is my cat called?")) == {old, new}
    assert memories_merge(user_id=anna, protected=(), expected={}).merged == 0, "what was undone is not merged again"


@pytest.mark.django_db
def test_merge__a_question_would_lose_what_it_expects__is_undone_and_kept_as_refused(
    anna: uuid.UUID, remember: Remember
) -> None:
    old, new = remember(anna, "My cat is called Ember."), remember(anna, "My cat is called Ember", day=50)
    query = "How is my cat called?"
    got = get_client().ask(request_of(anna, query, mode="evaluation", day=10))
    assert [item.memory_id for item in got.found] == [old], "asked before the newer one was told"
    found = memories_merge(user_id=anna, protected=(), expected={query: [old]})
    assert (found.merged, found.refused) == (0, 1)
    (record,) = merges(limit=9)
    assert record.refused == "1 expected memory is not found any more for one of 1 questions"
    assert [item.set_aside_at for item in memories_shown(memory_ids=[old, new])] == [None, None]
    again = memories_merge(user_id=anna, protected=(), expected={})
    assert (again.merged, again.refused) == (0, 0)


@pytest.mark.django_db
def test_merge__worker_killed_before_the_check__is_brought_back_by_the_next(
    anna: uuid.UUID, remember: Remember
) -> None:
    old = remember(anna, "My cat is called Ember.")
    remember(anna, "My dog is called Comet.", day=2)
    memories_set_aside(pairs=[(old, anna)], decision=f"merge:{uuid.uuid4()}")
    assert users_to_merge(limit=5) == [anna]
    assert memories_shown(memory_ids=[old])[0].set_aside_at is None


@pytest.mark.django_db
def test_merge__whole_person_purged__leaves_no_record(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "My cat is called Ember.")
    remember(anna, "My cat is called Ember", day=2)
    assert users_to_merge(limit=5) == [anna]
    memories_merge(user_id=anna, protected=(), expected={})
    with as_service() as cursor:
        cursor.execute("DELETE FROM lsm_storage WHERE user_id = %s", [anna])
    assert merges(limit=9) == []
