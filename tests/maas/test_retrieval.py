"""What is found, in which order, and why the rest was cut."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from kernel.errors import InvalidInput
from maas.parameters import RunParameters
from maas.retrieval.found import SearchResult
from maas.retrieval.search import search
from maas.retrieval.strategies import Query
from tests.maas.conftest import START, Remember

pytestmark = pytest.mark.django_db
RELEVANCE_ONLY = {"retrieval_relevance_weight": 1.0, "retrieval_recency_weight": 0.0}


def look(user: uuid.UUID, *keywords: str, day: float = 100, **parameters: Any) -> SearchResult:
    until = START + timedelta(days=day)
    return search(
        user_id=user, query=Query(" ".join(keywords), keywords), parameters=RunParameters(**parameters), until=until
    )


def ids(result: SearchResult) -> list[uuid.UUID]:
    return [item.memory_id for item in result.found]


def test_tags__more_shared_stems__ranks_first(anna: uuid.UUID, remember: Remember) -> None:
    both = remember(anna, "Cello lessons in Kazan.")
    one = remember(anna, "Cello strings broke.")
    remember(anna, "Pancakes for breakfast.")
    assert ids(look(anna, "cello", "lesson", "Kazan", **RELEVANCE_ONLY)) == [both, one]


def test_tags__inflected_words__match_by_stem(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "Купила виолончель в Казани.")
    assert ids(look(anna, "виолончели")) == [memory]


def test_min_tag_overlap__too_few_shared_tags__is_no_candidate(anna: uuid.UUID, remember: Remember) -> None:
    both = remember(anna, "Cello lessons in Kazan.")
    remember(anna, "Cello strings broke.")
    assert ids(look(anna, "cello", "Kazan", retrieval_min_tag_overlap=2)) == [both]


def test_min_tag_overlap__zero__makes_every_memory_a_candidate(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Pancakes for breakfast.")
    assert look(anna, "cello", retrieval_min_tag_overlap=0).trace["considered"] == 1


def test_lexical__terms_are_ored__finds_a_partial_match(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "She bought a cello yesterday, after thinking about it for one whole long winter.")
    assert ids(look(anna, "cello", "trumpet", retrieval_strategy="lexical")) == [memory]


def test_lexical__russian_and_english__are_both_stemmed(anna: uuid.UUID, remember: Remember) -> None:
    russian = remember(anna, "Вчера купили новую виолончель.")
    english = remember(anna, "Playing the piano calmed her.")
    assert ids(look(anna, "виолончели", retrieval_strategy="lexical")) == [russian]
    assert ids(look(anna, "played", retrieval_strategy="lexical")) == [english]


@pytest.mark.parametrize("keyword", ["it's", "a|b & !c", "'; DROP TABLE x", "\\", "c:*", "%s"])
def test_lexical__odd_characters__are_only_text(keyword: str, anna: uuid.UUID, remember: Remember) -> None:
    lessons = remember(anna, "Cello lessons.")
    assert ids(look(anna, keyword, "cello", retrieval_strategy="lexical")) == [lessons]


def test_search__no_keywords__finds_nothing(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Cello lessons.")
    assert look(anna).found == []


def test_recency_weight__equal_relevance__newer_first(anna: uuid.UUID, remember: Remember) -> None:
    old = remember(anna, "Cello lessons.", day=0)
    new = remember(anna, "Cello lessons.", day=50)
    assert ids(look(anna, "cello")) == [new, old]


def test_recency__is_the_place_in_the_candidates_span_of_time(anna: uuid.UUID, remember: Remember) -> None:
    for day in (0, 30, 40):
        remember(anna, "Cello lessons.", day=day)
    assert [item.recency for item in look(anna, "cello").found] == pytest.approx([1.0, 0.75, 0.0])


def test_relevance__is_relative_to_the_best_candidate(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Cello lessons in Kazan.")
    remember(anna, "Cello strings broke.")
    result = look(anna, "cello", "Kazan", **RELEVANCE_ONLY)
    assert [item.relevance for item in result.found] == pytest.approx([1.0, 0.5])


def test_weights__recency_alone__relevance_does_not_count(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Cello lessons in Kazan.", day=0)
    new = remember(anna, "Cello strings broke.", day=9)
    result = look(anna, "cello", "Kazan", retrieval_relevance_weight=0.0, retrieval_recency_weight=0.4)
    assert result.found[0].memory_id == new
    assert result.found[0].score == pytest.approx(1.0)


def test_min_score__lower_scores__are_cut_with_the_reason(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Cello lessons in Kazan.")
    weak = remember(anna, "Cello strings broke.")
    result = look(anna, "cello", "Kazan", retrieval_min_score=0.6, **RELEVANCE_ONLY)
    assert len(result.found) == 1
    assert [(c["memory_id"], c["cut"]) for c in result.trace["candidates"]][1] == (str(weak), "min_score")


def test_top_k__more_candidates__are_cut_with_the_reason(anna: uuid.UUID, remember: Remember) -> None:
    for _ in range(4):
        remember(anna, "Cello lessons.")
    result = look(anna, "cello", retrieval_top_k=2)
    assert [c["cut"] for c in result.trace["candidates"]] == [None, None, "top_k", "top_k"]


def test_ties__equal_scores__are_ordered_by_id(anna: uuid.UUID, remember: Remember) -> None:
    memories = [remember(anna, "Cello lessons.") for _ in range(4)]
    assert ids(look(anna, "cello", retrieval_top_k=4)) == sorted(memories)


@pytest.mark.parametrize("strategy", ["tags", "lexical"])
def test_simulated_time__later_memories__are_not_seen(strategy: str, anna: uuid.UUID, remember: Remember) -> None:
    before = remember(anna, "Cello lessons.", day=1)
    remember(anna, "Cello lessons.", day=3)
    assert ids(look(anna, "cello", day=2, retrieval_strategy=strategy)) == [before]


def test_strategy__unknown__is_refused(anna: uuid.UUID) -> None:
    with pytest.raises(InvalidInput, match="astrology"):
        look(anna, "cello", retrieval_strategy="astrology")


@pytest.mark.parametrize("strategy", ["tags", "lexical"])
def test_speaker__named_in_the_query__is_matched(strategy: str, anna: uuid.UUID, remember: Remember) -> None:
    hers = remember(anna, "The lessons went well.", speaker="Philippa")
    remember(anna, "The lessons went badly.", speaker="Edgar")
    assert look(anna, "Philippa", "lessons", retrieval_strategy=strategy).found[0].memory_id == hers
