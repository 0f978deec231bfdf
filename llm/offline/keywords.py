"""The keywords task: the query's most informative words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llm.offline.informativeness import ranked_words
from llm.offline.speech import is_small_talk
from llm.text import detect_language, stem

DEFAULT_COUNT = 5


def keywords(*, query: str, count: int, document_frequency: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns `keywords` (surface forms, the most informative first, distinct by stem), `is_small_talk`, `language`.

    `document_frequency` maps words as the query writes them to the share (0–1) of the memories that hold them.
    """
    small_talk = is_small_talk(query)
    ranked = [] if small_talk else ranked_words(query, _by_stem(document_frequency or {}))
    return {
        "keywords": [word.surface for word in ranked[: max(count, 0)]],
        "is_small_talk": small_talk,
        "language": detect_language(query),
    }


def _by_stem(document_frequency: Mapping[str, Any]) -> dict[str, float]:
    """Shares by stem; of two forms of one word the more frequent counts. What is no share is left out: it is a hint."""
    found: dict[str, float] = {}
    for word, share in document_frequency.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or math.isnan(share):
            continue
        stemmed = stem(word)
        found[stemmed] = max(found.get(stemmed, 0.0), min(max(float(share), 0.0), 1.0))
    return found
