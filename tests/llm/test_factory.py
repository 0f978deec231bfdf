from __future__ import annotations

import subprocess
import sys

import pytest
from pytest_django import Settings

from kernel.errors import InvalidInput
from llm.errors import ModelRefused
from llm.factory import get_chat_model, get_embedder
from selflearn_site.environment import Environment
from tests.llm import cast
from tests.llm.server import ProtocolServer


@pytest.fixture
def offline(settings: Settings) -> Settings:
    settings.SELFLEARN_LLM = "offline"
    settings.SELFLEARN_PRICES = None
    return settings


@pytest.fixture
def online(settings: Settings, server: ProtocolServer) -> Settings:
    settings.SELFLEARN_LLM = "openai"
    settings.SELFLEARN_MODEL = "house-model"
    settings.SELFLEARN_EMBEDDING_MODEL = "house-embedder"
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = server.url
    settings.SELFLEARN_PRICES = None
    return settings


def test_get_chat_model__offline__is_the_offline_engine_whatever_the_name(offline: Settings) -> None:
    model = get_chat_model("gpt-4o")
    assert model.is_offline
    assert cast.ask(model, "Where does my sister live?").model == "offline"


def test_get_chat_model__asked_twice__is_made_once(offline: Settings) -> None:
    assert get_chat_model() is get_chat_model()


def test_get_chat_model__own_prices__are_used(offline: Settings) -> None:
    before = cast.ask(get_chat_model(), "Where does my sister live?").cost_usd
    offline.SELFLEARN_PRICES = '{"offline": [1500, 6000]}'
    assert cast.ask(get_chat_model(), "Where does my sister live?").cost_usd > 1000 * before


def test_get_chat_model__openai__asks_the_settings_endpoint(online: Settings, server: ProtocolServer) -> None:
    assert "Hamburg" in cast.ask(get_chat_model(), "Where does my sister live?").text
    assert server.requests[0][1]["model"] == "house-model"


def test_get_chat_model__openai_and_a_name__asks_for_that_model(online: Settings) -> None:
    assert get_chat_model("larger").name == "larger"


def test_get_chat_model__openai_without_key_and_address__is_refused(online: Settings) -> None:
    online.OPENAI_BASE_URL = ""
    with pytest.raises(ModelRefused):
        get_chat_model()


def test_get_chat_model__unknown_engine__is_invalid_input(offline: Settings) -> None:
    offline.SELFLEARN_LLM = "oracle"
    with pytest.raises(InvalidInput):
        get_chat_model()


def test_get_embedder__openai__embeds(online: Settings) -> None:
    embedder = get_embedder()
    assert len(embedder.embed(["a"])[0]) == embedder.dimensions


def test_get_embedder__offline__embeds_without_an_endpoint(offline: Settings, server: ProtocolServer) -> None:
    offline.SELFLEARN_EMBEDDING_MODEL = "house-embedder"
    offline.OPENAI_BASE_URL = server.url
    assert get_embedder().name == "wordllama-256"
    assert len(get_embedder().embed(["a"])[0]) == 256
    assert server.requests == []


def test_get_embedder__openai_that_names_no_embedding_model__is_the_offline_one(online: Settings) -> None:
    online.SELFLEARN_EMBEDDING_MODEL = ""
    assert get_embedder().name == "wordllama-256"


def test_get_embedder__nothing_configured__no_endpoint_is_asked_to_embed() -> None:
    assert Environment.model_fields["selflearn_embedding_model"].default == ""


def test_import__whole_room__loads_no_sdk() -> None:
    code = (
        "import sys, llm.openai_engine, llm.openai_embedder, llm.offline, llm.prices; sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
