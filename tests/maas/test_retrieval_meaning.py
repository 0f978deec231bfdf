"""Lexical by rarity, semantic by vectors, hybrid by both."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from llm.errors import ModelUnavailable
from maas import embedding
from maas.access import as_service
from maas.client import get_client
from maas.memories import memories_embed, memories_unembedded
from maas.parameters import RunParameters
from maas.retrieval.search import search
from maas.retrieval.strategies import Query
from tests.maas.conftest import Remember, request_of

pytestmark = pytest.mark.django_db


def look(user: uuid.UUID, text: str, *keywords: str, strategy: str, top_k: int = 5) -> list[uuid.UUID]:
    parameters = RunParameters(
        retrieval_strategy=strategy,
        retrieval_relevance_weight=1.0,
        retrieval_recency_weight=0.0,
        retrieval_top_k=top_k,
    )
    result = search(user_id=user, query=Query(text, keywords), parameters=parameters, until=None)
    return [item.memory_id for item in result.found]


def test_lexical__rare_word__counts_more_than_a_frequent_one(anna: uuid.UUID, remember: Remember) -> None:
    for number in range(6):
        remember(anna, f"Breakfast number {number} in the garden.")
    rare = remember(anna, "The telescope arrived.")
    assert look(anna, "breakfast telescope", "breakfast", "telescope", strategy="lexical")[0] == rare


def test_semantic__no_word_in_common__finds_what_is_near_in_meaning(anna: uuid.UUID, remember: Remember) -> None:
    for text in ("Pancakes for breakfast.", "The tram was late again.", "He repaired the roof."):
        remember(anna, text)
    near = remember(anna, "She adopted two kittens and a puppy.")
    assert look(anna, "Which animals live with her?", "animals", strategy="semantic")[0] == near


def test_semantic__memory_without_a_vector__is_not_found_until_embedded(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "She adopted two kittens.")
    with as_service() as cursor:
        cursor.execute("UPDATE lsm_storage SET embedding = NULL, embedding_model = NULL WHERE id = %s", [memory])
    assert memories_unembedded() == 1
    assert look(anna, "kittens", "kittens", strategy="semantic") == []
    assert memories_embed() == 1
    assert memories_unembedded() == 0
    assert look(anna, "kittens", "kittens", strategy="semantic") == [memory]


def test_semantic__vector_of_another_model__is_not_compared(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "She adopted two kittens.")
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage SET embedding = '[1,2,3]', embedding_model = 'other' WHERE id = %s", [memory]
        )
    remember(anna, "Pancakes for breakfast.")
    assert memory not in look(anna, "kittens", "kittens", strategy="semantic")


def test_hybrid__word_match_and_near_meaning__finds_both(anna: uuid.UUID, remember: Remember) -> None:
    for text in ("Pancakes for breakfast.", "The tram was late again.", "He repaired the roof."):
        remember(anna, text)
    word = remember(anna, "The animals in that film were drawn by hand.")
    meaning = remember(anna, "She adopted two kittens and a puppy.")
    found = look(anna, "Which animals live with her?", "animals", strategy="hybrid")
    assert found[0] == word
    assert meaning in found


@pytest.mark.parametrize("strategy", ["semantic", "hybrid"])
def test_meaning__nothing_but_small_talk__searches_nothing(strategy: str, anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Hello there, good morning.")
    assert look(anna, "Hello!", strategy=strategy) == []


def test_archivist__memory__carries_the_vector_of_its_model(anna: uuid.UUID) -> None:
    answer = get_client().ask(request_of(anna, "I adopted two kittens in Kazan."))
    with as_service() as cursor:
        cursor.execute(
            "SELECT embedding_model, vector_dims(embedding) FROM lsm_storage WHERE id = %s", [answer.memory_id]
        )
        assert cursor.fetchone() == ("wordllama-256", 256)


class Broken:
    name, dimensions = "broken", 256

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        raise ModelUnavailable("the endpoint is down")


@pytest.fixture
def no_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "get_embedder", Broken)


def test_archivist__embedder_is_down__the_memory_is_kept_without_a_vector(anna: uuid.UUID, no_embedder: None) -> None:
    answer = get_client().ask(request_of(anna, "I adopted two kittens in Kazan."))
    with as_service() as cursor:
        cursor.execute("SELECT embedding_model, embedding FROM lsm_storage WHERE id = %s", [answer.memory_id])
        assert cursor.fetchone() == (None, None)


def test_semantic__embedder_is_down__the_run_fails_with_the_reason(
    anna: uuid.UUID, no_embedder: None, use_parameters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maas.pipeline.BACKOFF_SECONDS", 0.0)
    use_parameters(**{"retrieval.strategy": "semantic"})
    answer = get_client().ask(request_of(anna, "Which animals live with her?"))
    assert answer.status == "FAILED"
    assert "the endpoint is down" in (answer.error or "")
