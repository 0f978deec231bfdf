"""The summary task: the user's statements as they were said, and words to find them by."""

from __future__ import annotations

from typing import Any, Final

from llm.offline.informativeness import is_common, ranked_words, word_weight
from llm.offline.speech import is_small_talk, statements
from llm.text import detect_language, words

LENGTHS: Final[dict[str, int | None]] = {"short": 1, "medium": 3, "long": None}
"""Sentences kept; None keeps all."""


def _told(sentence: str) -> float:
    return sum({word.stem: word_weight(word, sentence) for word in words(sentence)}.values())


def summarise(*, user: str, max_tags: int, summary_length: str, language: str | None = None) -> dict[str, Any]:
    """What of an exchange is worth remembering.

    Returns `remember`, `summary` (the most telling sentences in their own order), `tags` (lower-cased words, distinct
    by stem, the most informative first, at most `max_tags`; whoever keeps them stems them) and `language`. Nothing is
    remembered of small talk and of pure questions.
    """
    told = [] if is_small_talk(user) else [text for text in statements(user) if words(text)]
    spoken = language if language in ("ru", "en") else detect_language(user)
    if not told:
        return {"remember": False, "summary": "", "tags": [], "language": spoken}
    kept = LENGTHS.get(summary_length, LENGTHS["medium"])
    ranked = sorted(range(len(told)), key=lambda position: (-_told(told[position]), position))
    summary = " ".join(told[position] for position in sorted(ranked[:kept]))
    ranked_tags = ranked_words(summary)
    tags = [word for word in ranked_tags if not is_common(word.stem)] or ranked_tags
    return {
        "remember": True,
        "summary": summary,
        "tags": [word.surface.lower() for word in tags[: max(max_tags, 0)]],
        "language": spoken,
    }
