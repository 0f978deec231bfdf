"""Whether an answer holds the word that a script expects: by stems, in Russian and English."""

from __future__ import annotations

import re

from llm.text import stem

SEPARATOR = "|"
_WORD = re.compile(r"[^\W_]+")


def alternatives(expected: str) -> list[tuple[str, ...]]:
    """The stems of each alternative; of several words all, in their order. Alternatives without a word are none."""
    found = (_stems(part) for part in expected.split(SEPARATOR))
    return [stems for stems in found if stems]


def holds(answer: str, expected: str) -> bool | None:
    """Whether one of the alternatives stands in the answer, its words side by side. None: nothing was expected.

    Function words count too: an expected "not" or "два" is looked for as it is.
    """
    wanted = alternatives(expected)
    if not wanted:
        return None
    said = _stems(answer)
    return any(
        said[start : start + len(stems)] == stems for stems in wanted for start in range(len(said) - len(stems) + 1)
    )


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in _WORD.findall(text))
