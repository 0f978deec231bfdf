"""The openai embedder against a server that fails in every way that servers do."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from llm.errors import MalformedOutput, ModelRefused, ModelTimeout, ModelUnavailable
from llm.openai_embedder import BATCH, OpenAIEmbedder
from tests.llm.conftest import QUICK
from tests.llm.server import Fault, ProtocolServer, error


@pytest.fixture
def embedder(server: ProtocolServer) -> OpenAIEmbedder:
    return OpenAIEmbedder(model="e", api_key="k", base_url=server.url, dimensions=4, backoff=QUICK)


def vectors(*rows: Any) -> Fault:
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
    return Fault(body=json.dumps({"object": "list", "model": "e", "data": data}))


def test_embed__several_texts__gives_unit_vectors_in_their_order(embedder: OpenAIEmbedder) -> None:
    found = embedder.embed(["a", "bbbb", "cc"])
    assert all(math.isclose(math.hypot(*vector), 1.0) for vector in found)
    assert found[0][0] < found[2][0] < found[1][0]


def test_embed__more_than_a_batch__is_sent_in_batches(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    assert len(embedder.embed(["x"] * (BATCH + 1))) == BATCH + 1
    assert [len(request["input"]) for _, request in server.requests] == [BATCH, 1]


def test_embed__nothing_or_blank__asks_nobody(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    assert embedder.embed([]) == []
    assert embedder.embed([" "]) == [[0.0] * 4]
    assert server.requests == []


def test_embed__server_knows_no_dimensions__is_asked_without(server: ProtocolServer, embedder: OpenAIEmbedder) -> None:
    server.faults.append(error(400, "unknown parameter dimensions"))
    assert len(embedder.embed(["a"])[0]) == 4
    embedder.embed(["b"])
    assert ["dimensions" in request for _, request in server.requests] == [True, False, False]


def test_embed__vectors_of_another_length_than_demanded__are_malformed(server: ProtocolServer) -> None:
    wide = OpenAIEmbedder(model="e", api_key="k", base_url=server.url, dimensions=8, backoff=QUICK)
    server.faults.extend([error(400, "unknown parameter dimensions")])
    with pytest.raises(MalformedOutput):
        wide.embed(["a"])


def test_embed__server_cannot_shorten_and_no_length_is_demanded__its_own_length_holds(
    server: ProtocolServer, openai_embedder: OpenAIEmbedder
) -> None:
    server.faults.append(error(400, "this model has no Matryoshka dimensions"))
    assert len(openai_embedder.embed(["a"])[0]) == openai_embedder.dimensions == 4
    server.faults.extend([vectors([1.0, 2.0, 3.0])] * 3)
    with pytest.raises(MalformedOutput):
        openai_embedder.embed(["b"])


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down", retry_after="0"),
        error(429, "slow down"),
        error(500, "oops"),
        error(503, "busy"),
        Fault(reset=True),
        Fault(cut=True),
        Fault(stream=True, cut=True),
        Fault(body="<html>not json"),
        Fault(body='{"data": []}'),
        vectors([0.0, 0.0, 0.0, 0.0]),
    ],
    ids=["429 told", "429", "500", "503", "reset", "cut", "cut stream", "not json", "no vector", "zeros"],
)
def test_embed__fault_passes__is_tried_again(server: ProtocolServer, embedder: OpenAIEmbedder, fault: Fault) -> None:
    server.faults.append(fault)
    assert len(embedder.embed(["a"])[0]) == 4
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (error(429, "slow down"), ModelUnavailable),
        (error(500, "oops"), ModelUnavailable),
        (Fault(reset=True), ModelUnavailable),
        (Fault(cut=True), ModelUnavailable),
        (Fault(stream=True, cut=True), ModelUnavailable),
        (Fault(body="<html>not json"), ModelUnavailable),
        (Fault(body="[]"), MalformedOutput),
        (Fault(body='{"data": "none"}'), MalformedOutput),
        (Fault(body='{"data": [{"embedding": [1, 2, 3, 4]}]}'), MalformedOutput),
        (vectors("abcd"), MalformedOutput),
        (vectors(["a", 2, 3, 4]), MalformedOutput),
        (vectors(None), MalformedOutput),
        (vectors([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]), MalformedOutput),
        (vectors([math.nan, 1.0, 1.0, 1.0]), MalformedOutput),
    ],
)
def test_embed__fault_stays__is_raised_after_three_tries(
    server: ProtocolServer, embedder: OpenAIEmbedder, fault: Fault, expected: type[Exception]
) -> None:
    server.faults.extend([fault] * 5)
    with pytest.raises(expected):
        embedder.embed(["a"])
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
def test_embed__request_refused__is_not_tried_again(
    server: ProtocolServer, embedder: OpenAIEmbedder, status: int
) -> None:
    server.faults.append(error(status, "no"))
    with pytest.raises(ModelRefused):
        embedder.embed(["a"])
    assert len(server.requests) == 1


def test_embed__server_hangs__is_a_timeout(server: ProtocolServer) -> None:
    hasty = OpenAIEmbedder(model="e", api_key="k", base_url=server.url, timeout=0.3, backoff=QUICK)
    server.faults.extend([Fault(delay=30)] * 3)
    with pytest.raises(ModelTimeout):
        hasty.embed(["a"])
