"""Whether a prompt that a model wrote may be tried: of sensible size, new, and holding nothing of an example. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SHORTEST, LONGEST = 200, 4000
RUN = 5
"""So many words in a row that an example has too are a copy, unless a prompt that is in use has them already."""
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[A-ZА-ЯЁ]\w{2,}|\w*\d\w*")
"""What a single word of a fact must look like to tell something: a name, or a number."""


def prompt_problems(text: str, *, known: Sequence[str], private: Iterable[str]) -> list[str]:
    """What is wrong, as sentences that quote nothing; empty when it may be tried.

    `known`: prompts that exist. `private`: questions, facts and forbidden content of examples, golden ones too; they
    are compared here and shown to nobody.
    """
    found = []
    if not SHORTEST <= len(text) <= LONGEST:
        found.append(f"it has {len(text)} characters; {SHORTEST} to {LONGEST} are asked for")
    if "{" in text or "}" in text or "\x00" in text:
        found.append("it has braces, which stand for values that nobody fills in")
    if "memor" not in text.lower() and "note" not in text.lower():
        found.append("it does not speak of the memories")
    if _plain(text) in {_plain(other) for other in known}:
        found.append("it is a prompt that exists")
    if copies_example(text, known=known, private=private):
        found.append("it repeats words of an example")
    return found


def copies_example(text: str, *, private: Iterable[str], known: Sequence[str] = ()) -> bool:
    """Whether it shares `RUN` words in a row, or a name or number of a short fact, with what is private."""
    fresh = _runs(text).difference(*(_runs(other) for other in known))
    present = {word for other in known for word in _WORD.findall(other)}
    telling = {word for word in _WORD.findall(text) if _NAME.fullmatch(word)} - present - _first_words(text)
    for piece in private:
        words = _WORD.findall(piece)
        if len(words) >= RUN and fresh & _runs(piece):
            return True
        if 0 < len(words) < RUN and telling & set(words):
            return True
    return False


def _first_words(text: str) -> set[str]:
    """Words that begin a sentence or line are written large, name or not."""
    return set(re.findall(r"(?:^|[.!?:;\n\-*\"(]\s*)([^\W\d_]\w*)", text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}


def _plain(text: str) -> str:
    return " ".join(word.casefold() for word in _WORD.findall(text))
