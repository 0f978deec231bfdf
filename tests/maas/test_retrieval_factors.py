"""Named person, named time, neighbours: what each factor does to the order, and that at 0 it does nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from maas.parameters import RunParameters
from maas.retrieval.found import SearchResult
from maas.retrieval.search import search
from maas.retrieval.strategies import STRATEGIES, Query
from tests.maas.conftest import START, Remember

pytestmark = pytest.mark.django_db
MINUTE = 1 / 1440


def look(user: uuid.UUID, text: str, *keywords: str, day: float = 100, **parameters: Any) -> SearchResult:
    chosen = {
        "retrieval_strategy": "lexical",
        "retrieval_relevance_weight": 1.0,
        "retrieval_recency_weight": 0.0,
        **parameters,
    }
    return search(
        user_id=user,
        query=Query(text, keywords),
        parameters=RunParameters(**chosen),
        until=START + timedelta(days=day),
    )


def ids(result: SearchResult) -> list[uuid.UUID]:
    return [item.memory_id for item in result.found]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_person_boost__speaker_is_named__what_they_said_counts_more(
    strategy: str, anna: uuid.UUID, remember: Remember
) -> None:
    remember(anna, "Philippa has a cello lesson.", speaker="Edgar")
    hers = remember(anna, "The cello lesson was long and cold.", speaker="Philippa")
    chosen: dict[str, Any] = {"retrieval_strategy": strategy, "retrieval_top_k": 2}
    query = ("How was the cello lesson of Philippa?", "Philippa", "cello", "lesson")
    boosted = look(anna, *query, retrieval_person_boost=2.0, **chosen)
    assert boosted.found[0].memory_id == hers
    assert boosted.trace["candidates"][0]["is_named"] is True
    assert not any("is_named" in candidate for candidate in look(anna, *query, **chosen).trace["candidates"])


def test_person_boost__russian_name_inflected__is_recognised(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "У Марины урок виолончели.", speaker="Олег")
    hers = remember(anna, "Урок виолончели был долгим и холодным.", speaker="Марина")
    result = look(anna, "Что говорила Марина?", "Мариной", "виолончель", "урок", retrieval_person_boost=2.0)
    assert ids(result)[0] == hers


def test_date_boost__memory_of_the_named_month__ranks_first(anna: uuid.UUID, remember: Remember) -> None:
    march = remember(anna, "A cello lesson in the old hall.", day=1)
    june = remember(anna, "A cello lesson.", day=95)
    query = ("Which cello lesson did I have in March 2025?", "cello", "lesson")
    assert ids(look(anna, *query))[0] == june
    result = look(anna, *query, retrieval_date_boost=1.0)
    assert ids(result)[0] == march
    assert result.trace["query_terms"]["period"] == {"months": [3], "years": [2025], "spans": []}


def test_date_boost__last_week__is_counted_from_the_time_of_the_query(anna: uuid.UUID, remember: Remember) -> None:
    before = remember(anna, "A cello lesson in the old hall.", day=12)  # Thursday, 13 March 2025
    remember(anna, "A cello lesson.", day=2)
    result = look(
        anna, "What happened at the cello lesson last week?", "cello", "lesson", day=19, retrieval_date_boost=1.0
    )
    assert ids(result)[0] == before


def test_date_boost__query_without_a_time__changes_nothing(anna: uuid.UUID, remember: Remember) -> None:
    for day in (1, 40):
        remember(anna, f"A cello lesson, the {day}.", day=day)
    query = ("What was the cello lesson like?", "cello", "lesson")
    assert look(anna, *query, retrieval_date_boost=1.0).trace == look(anna, *query).trace


def test_neighbor_weight__answer_to_the_matching_question__is_found(anna: uuid.UUID, remember: Remember) -> None:
    asked = remember(anna, "Which instrument have you bought?", day=1)
    answered = remember(anna, "A cello, from Kazan.", day=1 + MINUTE)
    remember(anna, "Pancakes for breakfast.", day=5)
    query = ("Which instrument was bought?", "instrument", "bought")
    assert ids(look(anna, *query)) == [asked]
    result = look(anna, *query, retrieval_neighbor_weight=0.6)
    assert ids(result) == [asked, answered]
    assert [item.relevance for item in result.found] == pytest.approx([1.0, 0.6])


def test_neighbor_weight__what_came_before__counts_a_third(anna: uuid.UUID, remember: Remember) -> None:
    before = remember(anna, "It is snowing.", day=1)
    match = remember(anna, "A new instrument.", day=1 + MINUTE)
    result = look(anna, "Which instrument?", "instrument", retrieval_neighbor_weight=0.6)
    assert ids(result) == [match, before]
    assert result.found[1].relevance == pytest.approx(0.2, abs=1e-4)


def test_neighbor_weight__another_conversation__is_no_neighbour(anna: uuid.UUID, remember: Remember) -> None:
    match = remember(anna, "Which instrument have you bought?", day=1)
    remember(anna, "A cello, from Kazan.", day=1.1)
    assert ids(look(anna, "Which instrument?", "instrument", retrieval_neighbor_weight=1.0)) == [match]


def test_neighbor_weight__later_than_the_query__is_not_seen(anna: uuid.UUID, remember: Remember) -> None:
    match = remember(anna, "Which instrument have you bought?", day=1)
    remember(anna, "A cello, from Kazan.", day=1 + 2 * MINUTE)
    result = look(anna, "Which instrument?", "instrument", day=1 + MINUTE, retrieval_neighbor_weight=1.0)
    assert ids(result) == [match]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_all_factors__with_every_strategy__run_together(strategy: str, anna: uuid.UUID, remember: Remember) -> None:
    lesson = remember(anna, "The cello lesson in Kazan began.", day=1, speaker="Philippa")
    remember(anna, "Pancakes for breakfast.", day=50, speaker="Edgar")
    result = look(
        anna, "What did Philippa say in March about the cello lesson?", "Philippa", "cello", "lesson",
        retrieval_strategy=strategy, retrieval_person_boost=1.0, retrieval_date_boost=1.0,
        retrieval_neighbor_weight=0.5, retrieval_min_score=0.5,
    )  # fmt: skip
    assert ids(result) == [lesson]
