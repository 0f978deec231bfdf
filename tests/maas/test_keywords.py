"""Which words are searched for: by themselves, and by how rare they are in this person's memories."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from maas.access import as_service
from maas.client import get_client
from maas.retrieval.rarity import document_frequency
from tests.maas.conftest import START, Remember, request_of

pytestmark = pytest.mark.django_db
QUERY = "Which telescope did Philippa buy at the conservatory?"


def keywords_of(run_id: uuid.UUID) -> list[str]:
    with as_service() as cursor:
        cursor.execute("SELECT keywords FROM pipeline_runs WHERE id = %s", [run_id])
        found = cursor.fetchone()[0]
    return list(json.loads(found) if isinstance(found, str) else found)


def test_document_frequency__counts_inflected_words_of_this_person(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    remember(anna, "Philippa bought telescopes.")
    remember(anna, "Philippa slept.")
    remember(boris, "A conservatory.")
    assert document_frequency(user_id=anna, query=QUERY, until=None) == {
        "telescope": 0.5,
        "Philippa": 1.0,
        "buy": 0.0,
        "conservatory": 0.0,
    }


def test_document_frequency__memories_from_later__do_not_count(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "A telescope.", day=5)
    assert document_frequency(user_id=anna, query="the telescope", until=START) == {"telescope": 0.0}


def test_document_frequency__russian__counts_by_stem(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Купила телескопы в Казани.")
    assert document_frequency(user_id=anna, query="Где телескоп?", until=None) == {"телескоп": 1.0}


def test_document_frequency__nothing_but_function_words__is_empty(anna: uuid.UUID) -> None:
    assert document_frequency(user_id=anna, query="What is it?", until=None) == {}


@pytest.mark.parametrize(("version", "first"), [("v1", "Philippa"), ("v2", "telescope")])
def test_analyzer__prompt_that_asks_for_rarity__takes_the_rare_word_first(
    version: str, first: str, anna: uuid.UUID, remember: Remember, use_parameters: Any
) -> None:
    for number in range(30):
        remember(anna, f"Philippa called, number {number}.")
    remember(anna, "Philippa has a telescope.")
    use_parameters(**{"prompts.analyzer": version, "retrieval.keyword_count": 1})
    answer = get_client().ask(request_of(anna, QUERY))
    assert keywords_of(answer.run_id) == [first]
