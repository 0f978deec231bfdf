"""The little language of the lexicon: `~` is any ending of a word, a space any white space."""

from __future__ import annotations

import re


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a line, cut at the bars outside brackets: each is tried alone, so that the longest wins."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(pattern):
        if char in "([":
            depth += pattern[at - 1 : at] != "\\"
        elif char in ")]":
            depth -= pattern[at - 1 : at] != "\\"
        elif char == "|" and depth == 0 and pattern[at - 1 : at] != "\\":
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


def compile_words(pattern: str) -> list[re.Pattern[str]]:
    """The little language of this file into regular expressions that end at the end of a word."""
    compiled = []
    for part in alternatives(pattern):
        expression = part.replace("~?", r"\w*").replace("~", r"\w*")
        # A space inside brackets is one of the characters allowed there.
        expression = re.sub(r"\[[^\]]*\]| ", lambda found: r"\s+" if found[0] == " " else found[0], expression)
        compiled.append(re.compile(rf"(?:{expression})(?:(?!\w)|(?<=\W))"))
    return compiled
