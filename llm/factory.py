"""Which engine the settings ask for.

`SELFLEARN_LLM` (offline | openai), `SELFLEARN_MODEL`, `SELFLEARN_EMBEDDING_MODEL`, `OPENAI_API_KEY`,
`OPENAI_BASE_URL`, `SELFLEARN_PRICES`: read at the first call, never at import.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from django.conf import settings

from kernel.errors import InvalidInput
from llm.errors import ModelRefused
from llm.prices import prices_from
from llm.protocol import ChatModel, Embedder

DEFAULT_MODEL = "gpt-4o-mini"
_NO_KEY = "none"
"""What a local server without authentication is sent."""


def _text(name: str, default: str = "") -> str:
    value: Any = getattr(settings, name, None)
    value = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return str(value) if value else default


def _engine() -> str:
    name = _text("SELFLEARN_LLM", "offline")
    if name not in ("offline", "openai"):
        raise InvalidInput(
            f"SELFLEARN_LLM is {name!r}; it must be offline or openai", details={"field": "SELFLEARN_LLM"}
        )
    return name


def _key(base_url: str) -> str:
    key = _text("OPENAI_API_KEY")
    if not key and not base_url:
        raise ModelRefused("OPENAI_API_KEY is not set, and OPENAI_BASE_URL names no server that does without one")
    return key or _NO_KEY


def get_chat_model(model: str | None = None) -> ChatModel:
    """The chat model named, or the one of the settings; made once for each process and settings.

    With SELFLEARN_LLM=offline every name gives the offline engine, and its results say so. Raises `ModelRefused`
    when the endpoint's key is missing.
    """
    prices = getattr(settings, "SELFLEARN_PRICES", None)
    table = tuple(sorted(prices_from(prices).items()))
    if _engine() == "offline":
        return _offline(table)
    name = model if model and model != "offline" else _text("SELFLEARN_MODEL", DEFAULT_MODEL)
    base_url = _text("OPENAI_BASE_URL")
    # A forked worker must not share its parent's sockets, so the process is part of the key.
    return _openai(name, _key(base_url), base_url, table, os.getpid())


@lru_cache(maxsize=8)
def _offline(table: tuple[tuple[str, Any], ...]) -> ChatModel:
    from llm.offline import OfflineModel

    return OfflineModel(dict(table))


@lru_cache(maxsize=32)
def _openai(name: str, key: str, base_url: str, table: tuple[tuple[str, Any], ...], process: int) -> ChatModel:  # noqa: ARG001
    from llm.openai_engine import OpenAIChat

    return OpenAIChat(model=name, api_key=key, base_url=base_url or None, price_table=dict(table))


def get_embedder() -> Embedder:
    """The embedder of the settings: the endpoint's when SELFLEARN_EMBEDDING_MODEL names one, else the offline one.

    Many endpoints that chat embed nothing, so SELFLEARN_LLM=openai alone does not ask them. Raises `ModelRefused`
    when the endpoint's key is missing.
    """
    name = _text("SELFLEARN_EMBEDDING_MODEL")
    if _engine() == "offline" or not name:
        return _offline_embedder()
    base_url = _text("OPENAI_BASE_URL")
    return _embedder(name, _key(base_url), base_url, os.getpid())


@lru_cache(maxsize=1)
def _offline_embedder() -> Embedder:
    from llm.offline.embedder import OfflineEmbedder

    return OfflineEmbedder()


@lru_cache(maxsize=8)
def _embedder(name: str, key: str, base_url: str, process: int) -> Embedder:  # noqa: ARG001
    from llm.openai_embedder import OpenAIEmbedder

    return OpenAIEmbedder(model=name, api_key=key, base_url=base_url or None)
