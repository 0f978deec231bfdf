"""Text utilities for Russian and English that engines and retrieval share. Pure and quick: no model, no Django."""

from llm.text.sentences import sentences
from llm.text.words import (
    Language,
    Word,
    content_words,
    count_tokens,
    detect_language,
    is_stopword,
    stem,
    stems,
    words,
)

__all__ = [
    "Language",
    "Word",
    "content_words",
    "count_tokens",
    "detect_language",
    "is_stopword",
    "sentences",
    "stem",
    "stems",
    "words",
]
