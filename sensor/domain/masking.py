"""Hides e-mail addresses, phone numbers and card numbers in text that is kept.

Prefers to hide too much: a bank card that fails its checksum is still hidden when it is written in groups of four.
Dates, UUIDs, sums and years stay readable, because the Teacher reads these texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# Every repeat is bounded, so that a hostile text costs linear time.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<![\w+-])\d(?:[ \u00a0-]?\d){12,18}(?![\w-])")
_GROUPS_OF_FOUR = re.compile(r"\d{4}(?:[ \u00a0-]\d{4}){3}")
_GAP = r"[ \t\u00a0().-]{0,3}"
_PHONE = re.compile(
    rf"(?<![\w.+-])(?:"
    rf"\+\d(?:{_GAP}\d){{7,14}}"  # international
    rf"|[78]{_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}"  # Russian, with the country or trunk digit
    rf"|\(?\d{{3}}\)?[ \u00a0.-]\d{{3}}[ \u00a0.-]\d{{4}}"  # North American
    rf"|\d{{3}}-\d{{2}}-\d{{2}}"  # city number
    rf")(?![\w-])"
)


class Masked(NamedTuple):
    """`text` that may be kept, and the pieces that were hidden (never stored)."""

    text: str
    hidden: tuple[str, ...]


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mask(text: str) -> Masked:
    """Replace each address or number with `[email]`, `[card]` or `[phone]`. Masking twice changes nothing."""
    hidden: list[str] = []

    def hide(label: str, match: re.Match[str]) -> str:
        hidden.append(match.group())
        return label

    def hide_card(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if _luhn(digits) or _GROUPS_OF_FOUR.fullmatch(match.group()):
            return hide("[card]", match)
        return match.group()

    if "@" in text:
        text = _EMAIL.sub(lambda match: hide("[email]", match), text)
    text = _CARD.sub(hide_card, text)
    text = _PHONE.sub(lambda match: hide("[phone]", match), text)
    return Masked(text=text, hidden=tuple(hidden))


def mask_keywords(keywords: Iterable[str], *, hidden: Iterable[str]) -> list[str]:
    """Mask each keyword, and drop those cut from a piece that was hidden in the query (`ivan` of `ivan@mail.ru`)."""
    pieces = [piece.casefold() for piece in hidden]
    return [mask(word).text for word in keywords if not any(word.casefold() in piece for piece in pieces)]
