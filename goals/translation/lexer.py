"""A sentence into tokens: at each word the longest pattern wins, and among equals the one listed first."""

from __future__ import annotations

import re

from goals.translation.lexicon import STOP_WORDS, WORDS
from goals.translation.numbers import quantities_at
from goals.translation.tokens import Kind, Token
from goals.translation.vocabulary import Vocabulary

_SAME_LENGTH = str.maketrans(
    {
        "ё": "е",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\t": " ",
        "\r": " ",
        "–": "-",
        "—": " ",  # no minus: it stands between words
        "−": "-",
        "‑": "-",
        "’": "'",
        "％": "%",
        "×": "x",
    }
)
_ITEM = re.compile(r"\d{1,2}[.)](?=\s)")
_WORD = re.compile(r"[\w'-]+")


def normalise(text: str) -> str:
    """Lower case and plain punctuation, character by character, so that offsets stay those of `text`."""
    lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.translate(_SAME_LENGTH)


def tokenise(text: str, vocabulary: Vocabulary) -> list[Token]:
    """Tokens of the normalised `text`; spaces, quotes and dashes between words vanish."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace() and text[at] != "\n":
            at += 1
            continue
        token = _numbered_item(text, at, tokens) or _longest(text, at, vocabulary)
        if token is None:
            word = _WORD.match(text, at)
            if word is None or not any(char.isalnum() for char in word[0]):
                at += 1  # a stray sign
                continue
            kind = Kind.STOP if word[0] in STOP_WORDS or len(word[0]) == 1 else Kind.WORD
            token = Token(kind, word[0], at, word.end())
        tokens.append(token)
        at = token.end
    return tokens


def _numbered_item(text: str, at: int, tokens: list[Token]) -> Token | None:
    """ "1." or "2)" at the start of an item is no quantity."""
    if tokens and tokens[-1].kind is not Kind.BREAK:
        return None
    match = _ITEM.match(text, at)
    return Token(Kind.BREAK, "hard", at, match.end()) if match else None


def _longest(text: str, at: int, vocabulary: Vocabulary) -> Token | None:
    best: Token | None = None
    for token in quantities_at(text, at):
        if best is None or token.end > best.end:
            best = token
    inside_word = at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_")
    for kind, value, pattern in (*vocabulary.entries, *WORDS):
        if inside_word and text[at].isalnum():
            break
        match = pattern.match(text, at)
        if match and match.end() > at and (best is None or match.end() > best.end):
            best = Token(kind, value or match[0], at, match.end())
    return best
