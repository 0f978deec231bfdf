"""Phrases written before the rules were read: no fewer are understood than at the second score (docs/GOALS.md)."""

from __future__ import annotations

from tests.goals.blindly import PHRASES, THIRD, outsiders, scored

PUBLISHED, OUTSIDER, FRESH = 53, 50, 28


def test_blind_phrases__as_a_whole__are_thirty_of_each_language() -> None:
    russian = sum(any("а" <= char <= "я" for char in phrase["text"].lower()) for phrase in PHRASES)
    assert (len(PHRASES), russian) == (60, 30)


def test_blind_phrases__scored__are_understood_as_often_as_published() -> None:
    right = [text for text, wrong in scored(PHRASES) if not wrong]
    assert len(right) >= PUBLISHED


def test_outsiders_phrases__scored__are_understood_as_often_as_published() -> None:
    rows = scored(outsiders())
    assert len(rows) == 60
    assert len([text for text, wrong in rows if not wrong]) >= OUTSIDER


def test_third_phrases__scored__are_half_russian_and_understood_as_often_as_published() -> None:
    russian = sum(any("а" <= char <= "я" for char in phrase["text"].lower()) for phrase in THIRD)
    assert (len(THIRD), russian) == (40, 20)
    assert len([text for text, wrong in scored(THIRD) if not wrong]) >= FRESH
