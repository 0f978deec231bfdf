"""Both engines, and a server for the one that needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm.offline import OfflineModel
from llm.offline.embedder import OfflineEmbedder
from llm.openai_embedder import OpenAIEmbedder
from llm.openai_engine import OpenAIChat
from llm.openai_retry import Backoff
from llm.protocol import ChatModel, Embedder
from tests.llm.server import ProtocolServer

QUICK = Backoff(first=0.001, longest=0.002)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProtocolServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ProtocolServer() as running:
        yield running


@pytest.fixture
def openai_model(server: ProtocolServer) -> OpenAIChat:
    return OpenAIChat(model="small-model", api_key="k", base_url=server.url, backoff=QUICK)


@pytest.fixture(params=["offline", "openai"])
def model(request: pytest.FixtureRequest) -> ChatModel:
    """Each engine in turn: what is asserted with it holds for every ChatModel."""
    if request.param == "offline":
        return OfflineModel()
    found: OpenAIChat = request.getfixturevalue("openai_model")
    return found


@pytest.fixture
def openai_embedder(server: ProtocolServer) -> OpenAIEmbedder:
    return OpenAIEmbedder(model="small-embedder", api_key="k", base_url=server.url, backoff=QUICK)


@pytest.fixture(params=["offline", "openai"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each engine in turn: what is asserted with it holds for every Embedder."""
    if request.param == "offline":
        return OfflineEmbedder()
    found: OpenAIEmbedder = request.getfixturevalue("openai_embedder")
    return found
