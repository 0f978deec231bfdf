"""What every Embedder keeps: run on the offline one, and on the openai one over real HTTP."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm.protocol import Embedder

TEXTS = ["My dog is called Bruno.", "Я живу в Казани.", "The rent is 900 euros a month."]


def close(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(one, other, strict=True))


def test_embed__texts__have_unit_vectors_of_the_dimensions_named(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert [len(vector) for vector in vectors] == [embedder.dimensions] * len(TEXTS)
    assert all(math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-5) for vector in vectors)
    assert all(isinstance(value, float) for vector in vectors for value in vector)
    assert embedder.name


def test_embed__several_texts__come_in_their_order(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    assert all(close(vector, embedder.embed([text])[0]) for vector, text in zip(together, TEXTS, strict=True))
    assert not close(together[0], together[1])


def test_embed__more_texts_than_fit_one_request__all_have_a_vector(embedder: Embedder) -> None:
    many = [f"note {'x' * number}" for number in range(300)]
    vectors = embedder.embed(many)
    assert len(vectors) == 300
    assert close(vectors[299], embedder.embed(many[-1:])[0])


def test_embed__nothing__gives_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]) == []


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_embed__blank_text_among_others__is_zeros_and_disturbs_none(embedder: Embedder, blank: str) -> None:
    first, empty, last = embedder.embed([TEXTS[0], blank, TEXTS[1]])
    assert empty == [0.0] * embedder.dimensions
    assert close(first, embedder.embed(TEXTS[:1])[0])
    assert close(last, embedder.embed(TEXTS[1:2])[0])


def test_embed__only_blank_texts__are_zeros(embedder: Embedder) -> None:
    assert embedder.embed(["", " "]) == [[0.0] * embedder.dimensions] * 2


def test_embed__many_threads__each_gets_its_own_vectors(embedder: Embedder) -> None:
    expected = {text: embedder.embed([text])[0] for text in TEXTS}
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda text: (text, embedder.embed([text])[0]), TEXTS * 6))
    assert all(close(vector, expected[text]) for text, vector in found)
