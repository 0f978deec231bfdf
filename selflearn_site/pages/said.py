"""Stored sentences in the reader's language.

Journal, decisions and the change log are stored in English, once, and hashed. Here a stored sentence is matched against
the patterns that it was made from; the pattern is translated and filled in again. What matches none stays as it is.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from django.utils.translation import get_language, gettext

from selflearn_site.pages.said_patterns import PATTERNS, TERMS

_GAP = re.compile(r"%\((\w+)\)s")
_SHARE = re.compile(r"(?<![\w.,])\.(\d+)")
_DECIMAL = re.compile(r"(?<![\w.])(\d+)\.(\d+)(?=\s?(?:%|ms\b|мс\b|с\b|s\b))|(?<=\$)(\d+)\.(\d+)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3} ms\b)")
_UNITS = {"ms": "мс", "s": "с", "min": "мин", "h": "ч"}
_UNIT = re.compile(r"(?<=\d[ \u00a0])(?:ms|s|min|h)\b")
_DEEPEST = 6
"""How often a sentence may stand in a sentence. Each level is shorter, so this ends in any case; it bounds the work."""


def said(text: str) -> str:
    """A stored sentence as the reader's language says it; unchanged where that is English or nothing matches."""
    if not text or (get_language() or "en").startswith("en"):
        return text
    return _remembered(text, get_language() or "en")


@lru_cache(maxsize=4096)
def _remembered(text: str, _language: str) -> str:
    return digits(_said(text, _DEEPEST))


def term(text: str) -> str:
    """A word of the field, such as a metric's title or a status, with the capital that it came with."""
    known = TERMS.get(text.lower())
    if known is None or (get_language() or "en").startswith("en"):
        return text
    there = gettext(known)
    return there[:1].upper() + there[1:] if text[:1].isupper() else there


def digits(text: str) -> str:
    """Numbers with the decimal comma: `.418` is `0,418`. Values of parameters and versions stay as they are typed."""
    if (get_language() or "en").startswith("en"):
        return text
    shared = _SHARE.sub(r"0,\1", _THOUSANDS.sub("\u00a0", text))
    whole = _DECIMAL.sub(lambda found: f"{found[1] or found[3]},{found[2] or found[4]}", shared)
    return _UNIT.sub(lambda found: _UNITS[found[0]], whole)


def _said(text: str, depth: int) -> str:
    if text.lower() in TERMS:
        return term(text)
    if depth == 0:
        return text
    return _whole(text, depth) or _matched(text, depth) or _in_parts(text, depth) or text


def _whole(text: str, depth: int) -> str | None:
    """A list whose every part is known: `the sample is complete; every guard holds`."""
    for joint in ("; ", ". "):
        parts = text.split(joint)
        told = [_said(part, depth - 1) for part in parts] if len(parts) > 1 else []
        if told and all(there != part for there, part in zip(told, parts, strict=True)):
            return joint.join(told)
    return None


def _matched(text: str, depth: int) -> str | None:
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            words = {name: _said(part, depth - 1) for name, part in found.groupdict().items()}
            there = gettext(template) % words
            return there[:1].upper() + there[1:] if text[:1].isupper() else there
    return None


def _in_parts(text: str, depth: int) -> str | None:
    """A list of which at least one part is known."""
    for joint, there in (("; ", "; "), (". ", ". "), (", ", ", "), (" and ", gettext(" and "))):
        parts = text.split(joint)
        told = [_said(part, depth - 1) for part in parts] if len(parts) > 1 else []
        if told and told != parts:
            return there.join(told)
    return None


_FREE = frozenset({
    "claim", "comment", "counts", "decision", "error", "idea", "metrics", "moment", "next", "others", "reason", "rest",
    "seen", "step", "told", "values", "wanted", "where", "who", "why",
})  # fmt: skip
"""Gaps that hold a sentence, a list or a time of their own."""
_TERM = frozenset({"metric", "same", "part", "verdict"})
"""Gaps that hold a word of the field."""


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Longest fixed text first, so that the most telling pattern wins."""
    made = []
    words = "|".join(re.escape(word) for word in sorted(TERMS, key=len, reverse=True))
    for template in PATTERNS:
        pieces = _GAP.split(template.replace("%%", "%"))
        fixed = [
            f"(?P<{piece}>{words if piece in _TERM else '.+?' if piece in _FREE else '[^;:()]{1,60}?'})"
            if at % 2
            else re.escape(piece)
            for at, piece in enumerate(pieces)
        ]
        made.append((len("".join(pieces[::2])), re.compile("".join(fixed), re.S | re.I), template))
    return [(pattern, template) for _size, pattern, template in sorted(made, key=lambda one: -one[0])]
