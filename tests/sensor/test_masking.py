"""Addresses and numbers are hidden; what the Teacher must read stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.domain.masking import mask, mask_keywords


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ivan.petrov+shop@mail.example.ru today", "write to [email] today"),
        ("почта иван@почта.рф.", "почта [email]."),
        ("call +7 (999) 123-45-67 or 8 800 555-35-35", "call [phone] or [phone]"),
        ("call 89991234567", "call [phone]"),
        ("call (555) 123-4567 now", "call [phone] now"),
        ("city number 123-45-67", "city number [phone]"),
        ("card 4111 1111 1111 1111, thanks", "card [card], thanks"),
        ("card 4111111111111111", "card [card]"),
        ("mistyped card 4111 1111 1111 1112", "mistyped card [card]"),
    ],
)
def test_mask__private_number_or_address__is_hidden(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "met on 2025-10-14 at 12:30",
        "run 12345678-1234-1234-1234-123456789012",
        "paid 1 250 000 roubles in 2024",
        "version 3.11.7, week 2025-W42",
        "14.10.2025",
    ],
)
def test_mask__dates_ids_and_sums__stay_readable(text: str) -> None:
    assert mask(text).text == text


def test_mask_keywords__cut_from_a_hidden_address__are_dropped() -> None:
    hidden = mask("send it to ivan@mail.ru about pottery").hidden

    assert mask_keywords(["ivan", "mail.ru", "pottery"], hidden=hidden) == ["pottery"]


@given(st.text(alphabet="0123456789 +-().@ab", max_size=200))
def test_mask__applied_twice__changes_nothing_more(text: str) -> None:
    once = mask(text).text

    assert mask(once).text == once
