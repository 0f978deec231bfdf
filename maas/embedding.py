"""Vectors of texts as PostgreSQL reads them. Only vectors of one model are compared, so each carries its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import structlog

from kernel.errors import DomainError
from llm.factory import get_embedder

log = structlog.get_logger(__name__)


def said(speaker: str | None, text: str) -> str:
    """What is embedded of a memory: who said it is part of what is remembered."""
    return f"{speaker}: {text}" if speaker else text


def embed(texts: Sequence[str]) -> tuple[str, list[str | None]]:
    """The model's name and one vector per text (None: nothing in the text to embed). Raises as `Embedder.embed`."""
    embedder = get_embedder()
    return embedder.name, [_literal(vector) for vector in embedder.embed(texts)] if texts else []


def embed_if_possible(texts: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """(model, vector) per text; (None, None) when the embedder fails: a memory is worth keeping without its vector,
    and `manage.py embed_memories` makes up for it."""
    try:
        model, vectors = embed(texts)
    except DomainError as error:
        log.warning("not_embedded", texts=len(texts), error=str(error))
        return [(None, None)] * len(texts)
    return [(model if vector else None, vector) for vector in vectors]


def embed_query(text: str) -> tuple[str, str | None]:
    """The model's name and the query's vector. Raises as `Embedder.embed`."""
    return _query(get_embedder().name, text)


@lru_cache(maxsize=4096)
def _query(model: str, text: str) -> tuple[str, str | None]:
    # The arms of an experiment ask the same questions.
    _, (vector,) = embed([text])
    return model, vector


def _literal(vector: Sequence[float]) -> str | None:
    if not any(vector):
        return None
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"
