"""Sentence splitting for chat text: lower-case starts are common, so a full stop ends a sentence unless it follows an
abbreviation, an initial or a list number."""

from __future__ import annotations

import re

# A run of marks is tried from its first mark only, and never given back: thousands of dots must not cost a second.
_BREAK = re.compile(r"(?<![.!?…])[.!?…]++[\"'»”’)\]]*+(?=\s)|\n+")
_LAST_WORD = re.compile(r"([^\W_]+(?:\.[^\W_]+)*)\.$")
_ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr prof sr jr st vs etc e.g i.e eg ie approx dept no fig vol inc ltd co jan feb mar apr jun jul aug sep
    sept oct nov dec a.m p.m
    т.е т.д т.п т.к т е к н э г гг в вв ул д кв стр рис тыс млн млрд руб коп см им проф акад др напр пр просп пл обл
    """.split()  # noqa: SIM905 - a list of words reads better as text
)


def _is_abbreviation(before: str, after: str) -> bool:
    match = _LAST_WORD.search(before)
    if match is None:
        return False
    word = match.group(1)
    lowered = word.lower()
    starts_upper = after[:1].isupper()
    if lowered in {"г", "гг", "в", "вв", "тыс", "млн", "млрд", "руб", "т.д", "т.п", "др", "etc", "a.m", "p.m"}:
        # These also close sentences ("в 2019 г. Потом…"); after a title ("г. Москва") no number comes first.
        closes = lowered not in {"г", "в"} or bool(re.search(r"\d\s*" + re.escape(word) + r"\.$", before))
        return not (starts_upper and closes)
    if lowered in {"no", "co", "st", "mar", "jun", "fig", "в", "д", "см", "им", "пр"}:
        # Short common words double as abbreviations ("No. 5", "см. ниже"): only before a number or a lower-case word.
        return after[:1].isdigit() or (lowered not in {"no", "mar", "jun"} and (after[:1].islower() or lowered == "st"))
    if lowered in _ABBREVIATIONS:
        return True
    if "." in word and all(len(part) == 1 for part in word.split(".")):  # "U.S. then", not "in the U.S. Then"
        return after[:1].islower()
    return len(word) == 1 and word.isalpha() and word.isupper() and word != "I"


def sentences(text: str) -> list[str]:
    """Sentences in order, stripped, none empty. Nothing but white space between them is lost."""
    found: list[str] = []
    start = 0
    for match in _BREAK.finditer(text):
        end = match.end()
        if match.group() == ".":
            before = text[max(start, end - 24) : end]
            if _is_abbreviation(before, text[end : end + 8].lstrip()):
                continue
            if text[start:end].strip()[:-1].isdigit():  # "1. First point"
                continue
        piece = text[start:end].strip()
        if piece:
            found.append(piece)
        start = end
    rest = text[start:].strip()
    if rest:
        found.append(rest)
    return found
