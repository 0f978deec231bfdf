"""The keywords task: the query's most informative words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm.offline.informativeness import ranked_words
from llm.offline.speech import is_small_talk
from llm.text import detect_language

DEFAULT_COUNT = 5


def keywords(*, query: str, count: int, document_frequency: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Returns `keywords` (surface forms, the most informative first, distinct by stem), `is_small_talk`, `language`."""
    small_talk = is_small_talk(query)
    ranked = [] if small_talk else ranked_words(query, document_frequency)
    return {
        "keywords": [word.surface for word in ranked[: max(count, 0)]],
        "is_small_talk": small_talk,
        "language": detect_language(query),
    }
