"""The summary task: the user's statements as they were said, and stems to find them by."""

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

    Returns `remember`, `summary` (the most telling sentences in their own order), `tags` (stems, the most
    informative first, at most `max_tags`), `language`. Nothing is remembered of small talk and of pure questions.
    """
    told = [] if is_small_talk(user) else [text for text in statements(user) if words(text)]
    spoken = language if language in ("ru", "en") else detect_language(user)
    if not told:
        return {"remember": False, "summary": "", "tags": [], "language": spoken}
    kept = LENGTHS.get(summary_length, LENGTHS["medium"])
    ranked = sorted(range(len(told)), key=lambda position: (-_told(told[position]), position))
    summary = " ".join(told[position] for position in sorted(ranked[:kept]))
    ranked_stems = [word.stem for word in ranked_words(summary)]
    specific = [stemmed for stemmed in ranked_stems if not is_common(stemmed)]
    return {"remember": True, "summary": summary, "tags": (specific or ranked_stems)[:max_tags], "language": spoken}
