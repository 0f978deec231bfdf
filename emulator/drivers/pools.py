"""Pools of phrases of one language, in the template notation of scenarios: `[[a|b]]` is one of several ways."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from contracts.base import Part
from emulator.domain.hearing import HeardKind
from emulator.domain.scenario import ALTERNATIVES

_HERE = Path(__file__).parent


class Phrases(Part):
    """`manners`: manner → beginnings of words of a persona's style that show it. `reactions` and `weary`: what was
    heard → manner → phrases, `plain` for everybody. `silence`: what was heard → how often nothing is said to it."""

    manners: dict[str, tuple[str, ...]]
    silence: dict[HeardKind, float]
    reactions: dict[HeardKind, dict[str, tuple[str, ...]]]
    weary: dict[HeardKind, dict[str, tuple[str, ...]]]
    ask_simpler: tuple[str, ...]
    clarify: tuple[str, ...]
    hint: tuple[str, ...]
    correct: tuple[str, ...]
    sum_up: tuple[str, ...]
    test_memory: tuple[str, ...]
    leave: dict[str, tuple[str, ...]]
    quotes: tuple[str, str]

    def manner_of(self, style: str) -> str:
        lowered = style.casefold()
        scores = {name: sum(begin in lowered for begin in begins) for name, begins in self.manners.items()}
        best = max(scores, key=lambda name: scores[name])
        return best if scores[best] else "plain"


@cache
def phrases(language: str) -> Phrases:
    """Of `language`, English for any that has none."""
    name = language if language in ("ru", "en") else "en"
    return Phrases.model_validate_json((_HERE / f"{name}.json").read_text(encoding="utf-8"))


def wordings(patterns: Sequence[str]) -> Iterator[str]:
    """Every way to say each pattern."""
    for pattern in patterns:
        choices = [found.split("|") for found in ALTERNATIVES.findall(pattern)]
        for picked in itertools.product(*choices):
            rest = iter(picked)
            yield _tidy(ALTERNATIVES.sub(lambda _, rest=rest: next(rest), pattern))  # type: ignore[misc]


def one_of(patterns: Sequence[str], rng: random.Random, *, worn: Sequence[str] = ()) -> str:
    """One wording, if there is one with none that begins a text of `worn`."""
    options = sorted(set(wordings(patterns)))
    rng.shuffle(options)
    return next((text for text in options if not any(said.startswith(text) for said in worn)), options[0])


def _tidy(text: str) -> str:
    text = " ".join(text.split()).replace(" ,", ",").replace(" .", ".")
    return text[:1].upper() + text[1:]
