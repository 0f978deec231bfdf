"""Words, stems and the language of a text.

A word is a run of letters and digits; hyphens split, so that "follow-up" matches "follow up"; an apostrophe joins
("don't"), and a possessive tail is dropped ("Anna's" gives "Anna"). Dates, times and decimals stay whole.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from llm.text import stopwords

Language = Literal["ru", "en"]

RUSSIAN_SHARE = 0.3
"""Share of Cyrillic among the letters from which a text is Russian: foreign names are common in Russian text, while
an English text that quotes a Russian word stays English."""

_WORD = re.compile(r"\d+(?:[.,:/\-]\d+)+|[^\W_]+(?:['’][^\W\d_]+)*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_POSSESSIVE = re.compile(r"['’]s?$", re.IGNORECASE)
_stemmers = threading.local()


class Word(NamedTuple):
    """A content word: as written, its stem, and where it starts in the text (in characters)."""

    surface: str
    stem: str
    start: int


def detect_language(text: str) -> Language:
    """The language of one text. A text without letters is English."""
    cyrillic = len(_CYRILLIC.findall(text))
    if not cyrillic:
        return "en"
    return "ru" if cyrillic >= RUSSIAN_SHARE * (cyrillic + len(_LATIN.findall(text))) else "en"


def _stemmer(language: str) -> Any:
    # A snowball stemmer keeps the word it works on in itself, so each thread has its own.
    found = getattr(_stemmers, language, None)
    if found is None:
        import snowballstemmer

        found = snowballstemmer.stemmer(language)
        setattr(_stemmers, language, found)
    return found


@lru_cache(maxsize=131_072)
def stem(word: str) -> str:
    """The stem of one word, lower-cased, by the word's own script: mixed text needs no language.

    A stem may have a shorter stem of its own ("universiti", "казан"): stem words once, never stems.
    """
    lowered = word.lower().replace("ё", "е").replace("’", "'")
    if lowered[:1].isdigit():
        return lowered
    return str(_stemmer("russian" if _CYRILLIC.search(lowered) else "english").stemWord(lowered))


@lru_cache(maxsize=131_072)
def is_stopword(word: str) -> bool:
    """Whether a word carries no content: a function word, its contraction, or a single lower-case letter."""
    head = word.lower().replace("ё", "е").replace("’", "'").split("'", 1)[0]
    return head in stopwords.ALL or (len(word) == 1 and word.isalpha() and word.islower())


@lru_cache(maxsize=131_072)
def _content(token: str) -> tuple[str, str] | None:
    if is_stopword(token):
        return None
    surface = _POSSESSIVE.sub("", token)
    return surface, stem(surface)


def words(text: str) -> list[Word]:
    """Content words in order, repeats kept."""
    found = []
    for match in _WORD.finditer(text):
        content = _content(match.group())
        if content is not None:
            found.append(Word(content[0], content[1], match.start()))
    return found


def content_words(text: str) -> list[str]:
    """Surface forms of the content words, in order, repeats kept. `stems(text)` is aligned with it."""
    return [content[0] for token in _WORD.findall(text) if (content := _content(token)) is not None]


def stems(text: str) -> list[str]:
    """Stems of the content words, in order, repeats kept."""
    return [content[1] for token in _WORD.findall(text) if (content := _content(token)) is not None]


def count_tokens(text: str) -> int:
    """Words and punctuation marks: the offline engine's measure of length."""
    return len(_TOKEN.findall(text))
