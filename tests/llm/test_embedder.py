from __future__ import annotations

import math

import pytest

from llm.errors import MalformedOutput, ModelUnavailable
from llm.openai_engine import EMBEDDING_BATCH, OpenAIEmbedder
from tests.llm.conftest import QUICK
from tests.llm.server import ProtocolServer, error


@pytest.fixture
def embedder(server: ProtocolServer) -> OpenAIEmbedder:
    return OpenAIEmbedder(model="e", api_key="k", base_url=server.url, dimensions=4, backoff=QUICK)


def test_embed__several_texts__gives_unit_vectors_in_their_order(embedder: OpenAIEmbedder) -> None:
    vectors = embedder.embed(["a", "bbbb", "cc"])
    assert [len(vector) for vector in vectors] == [4, 4, 4]
    assert all(math.isclose(sum(value * value for value in vector), 1.0) for vector in vectors)
    assert vectors[0][0] < vectors[2][0] < vectors[1][0]


def test_embed__more_than_a_batch__is_sent_in_batches(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    assert len(embedder.embed(["x"] * (EMBEDDING_BATCH + 1))) == EMBEDDING_BATCH + 1
    assert len(server.requests) == 2


def test_embed__nothing__asks_nobody(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    assert embedder.embed([]) == []
    assert server.requests == []


def test_embed__empty_text__has_a_vector_too(embedder: OpenAIEmbedder) -> None:
    assert len(embedder.embed(["", "a"])) == 2


def test_embed__server_knows_no_dimensions__is_asked_without(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    server.faults.append(error(400, "unknown parameter dimensions"))
    assert len(embedder.embed(["a"])[0]) == 4
    assert "dimensions" not in server.requests[-1][1]


def test_embed__vectors_of_another_length__are_malformed(server: ProtocolServer) -> None:
    wide = OpenAIEmbedder(model="e", api_key="k", base_url=server.url, dimensions=8, backoff=QUICK)
    server.faults.extend([error(400, "unknown parameter dimensions")])
    with pytest.raises(MalformedOutput):
        wide.embed(["a"])


def test_embed__server_fails__is_tried_again_then_unavailable(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    server.faults.extend([error(500, "oops")] * 3)
    with pytest.raises(ModelUnavailable):
        embedder.embed(["a"])
    assert len(server.requests) == 3
