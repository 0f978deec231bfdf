"""The list of memories: narrowed by person, words and what to review, with how well each serves."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from contracts.maas import NewMemory
from maas.access import as_service
from maas.client import memories_import, memories_quality
from maas.memory_list import MOST, MemoryFilter, MemoryList
from selflearn_site.pages.views.memories import memories_news
from tests.pages.test_queries import asked

pytestmark = pytest.mark.django_db
START = datetime(2025, 3, 1, 9, tzinfo=UTC)
ANNA, BORIS = uuid.UUID(int=1), uuid.UUID(int=2)


def kept(number: int, text: str, *, user: uuid.UUID = ANNA, speaker: str = "Anna") -> NewMemory:
    at = START + timedelta(days=number)
    return NewMemory(memory_id=uuid.UUID(int=100 + number), user_id=user, text=text, simulated_at=at, speaker=speaker)


def counted(number: int, *, retrieved: int, used: int, helpful: int) -> None:
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage SET times_retrieved = %s, times_used = %s, times_helpful = %s WHERE id = %s",
            [retrieved, used, helpful, uuid.UUID(int=100 + number)],
        )


@pytest.fixture
def three(db: None) -> None:
    memories_import(
        [
            kept(1, "Bought a red cello in Kazan."),
            kept(2, "The 100% wool coat is in the attic."),
            kept(3, "Clara sails to Lisbon.", user=BORIS, speaker="Boris"),
        ]
    )
    counted(1, retrieved=8, used=4, helpful=2)
    counted(2, retrieved=20, used=1, helpful=0)


def numbers(chosen: MemoryFilter) -> list[int]:
    return [memory.memory_id.int - 100 for memory in MemoryList(chosen)[0:10]]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (MemoryFilter(), [3, 2, 1]),
        (MemoryFilter(person=str(ANNA)), [2, 1]),
        (MemoryFilter(person="bor"), [3]),
        (MemoryFilter(person="nobody"), []),
        (MemoryFilter(words="CELLO"), [1]),
        (MemoryFilter(words="100%"), [2]),
        (MemoryFilter(words="%"), [2]),
        (MemoryFilter(words="_"), []),
        (MemoryFilter(words=str(uuid.UUID(int=103))), [3]),
        (MemoryFilter(review=True), [2]),
        (MemoryFilter(person="boris", words="cello"), []),
    ],
)
def test_memory_list__narrowed__keeps_what_fits_newest_first(
    three: None, chosen: MemoryFilter, found: list[int]
) -> None:
    assert numbers(chosen) == found
    assert len(MemoryList(chosen)) == len(found)


def test_memory_list__score__is_used_by_retrieved_times_helpful_by_used(three: None) -> None:
    scores = {memory.memory_id.int - 100: memory.score for memory in MemoryList(MemoryFilter())[0:10]}
    assert scores == {1: pytest.approx(4 / 8 * 2 / 4), 2: 0.0, 3: None}


def test_memory_list__to_review__are_those_that_upkeep_counts(three: None) -> None:
    assert len(MemoryList(MemoryFilter(review=True))) == memories_quality().low == 1


def test_memories_page__memories__shows_counts_and_flags(three: None, viewer: Client) -> None:
    text = viewer.get("/memories/").content.decode()
    assert "<h1>3 memories are kept; 1 is often found and hardly helps.</h1>" in text
    assert text.count('<span class="chip wait">to review</span>') == 1
    assert f'href="?person={ANNA}"' in text


def test_memories_page__nothing_kept__says_what_will_be_here(viewer: Client) -> None:
    text = viewer.get("/memories/").content.decode()
    assert "<h1>Nothing is remembered yet.</h1>" in text
    assert "Open the chat" in text


def test_memories_page__nothing_matches__offers_everything(three: None, viewer: Client) -> None:
    text = viewer.get("/memories/?q=zeppelin").content.decode()
    assert "Nothing matches these filters." in text


def test_memories_page__more_memories__asks_no_more_queries(three: None, viewer: Client) -> None:
    before = asked(viewer, "/memories/", using="maas")
    memories_import([kept(number, f"Note {number}.") for number in range(4, 40)])
    assert asked(viewer, "/memories/", using="maas") == before


@pytest.mark.parametrize(
    ("shown", "narrowed", "kept_", "review", "news"),
    [
        (0, False, 0, 0, "Nothing is remembered yet."),
        (1, True, 5, 0, "1 memory matches."),
        (MOST, True, MOST * 3, 0, "More than 10,000 memories match."),
        (5, False, 5, 0, "5 memories are kept; none is often found and useless."),
        (5, False, 1200, 2, "1,200 memories are kept; 2 are often found and hardly help."),
    ],
)
def test_memories_news__says_how_many_and_what_to_review(
    shown: int, narrowed: bool, kept_: int, review: int, news: str
) -> None:
    assert memories_news(shown=shown, narrowed=narrowed, kept=kept_, review=review) == news
