"""What the translator says back, in the language of the goal."""

from __future__ import annotations

from typing import Literal

from contracts.metric import MetricDefinition

Language = Literal["ru", "en"]


def language_of(text: str) -> Language:
    """Russian when at least a quarter of the letters are Cyrillic: metric names are English in both languages."""
    letters = [char for char in text.lower() if char.isalpha()]
    cyrillic = sum("а" <= char <= "я" or char == "ё" for char in letters)
    return "ru" if letters and cyrillic * 4 >= len(letters) else "en"


def shown(value: float, metric: MetricDefinition, *, relative: bool = False) -> str:
    """A value with its unit as people write it."""
    if relative or metric.unit == "share":
        return f"{value * 100:.4g} %"
    unit = {"ms": " ms", "USD": " USD", "days": " d"}.get(metric.unit, "")
    return f"{value:.4g}{unit}"


class Voice:
    """Collects sentences once each, in order."""

    def __init__(self, language: Language):
        self.language = language
        self.assumptions: list[str] = []
        self.conflicts: list[str] = []

    def assume(self, en: str, ru: str) -> None:
        self._add(self.assumptions, en, ru)

    def conflict(self, en: str, ru: str) -> None:
        self._add(self.conflicts, en, ru)

    def _add(self, where: list[str], en: str, ru: str) -> None:
        sentence = ru if self.language == "ru" else en
        if sentence not in where:
            where.append(sentence)
