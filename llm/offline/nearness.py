"""How near each sentence of the context is to the question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from llm.offline.layout import Context
from llm.offline.phrases import is_own_remark
from llm.offline.question import Question, has_cue
from llm.offline.speech import is_empty_talk, is_question
from llm.text import sentences, stems

PREFIX = 5
"""Letters that two stems must share to count as relatives ("allerg", "allergi")."""
PREFIX_CREDIT = 0.7
NEIGHBOUR_CREDIT = 0.8
"""What a question word is worth that stands in another sentence of the same memory."""
FLOOR = 0.05
"""What every sentence starts with, so that kind, period and recency choose where no word is shared."""
CUE_BONUS = 0.25
CUE_PENALTY = 0.1
PERIOD_BONUS = 0.3
RECENCY_SLIGHT = 0.04
RECENCY_TOLD = 0.2
"""When the prompt says that the newest is to be preferred."""
RECENCY_ASKED = 0.35


class Candidate(NamedTuple):
    """A sentence that could answer. `nearness` in 0–1 decides whether it may; `score` which one does."""

    text: str
    memory: int | None
    """Number of its memory; None for a recent exchange."""
    noted: date | None
    speaker: str
    order: int
    nearness: float
    score: float
    matched: frozenset[str]
    """Stems of the question that the sentence itself holds."""


class _Unit(NamedTuple):
    text: str
    memory: int | None
    noted: date | None
    speaker: str
    recency: float
    source: int
    stems: frozenset[str]
    prefixes: frozenset[str]


class _Reading(NamedTuple):
    stems: frozenset[str]
    prefixes: frozenset[str]
    tells: bool


@lru_cache(maxsize=16_384)
def _read(text: str) -> _Reading:
    # A memory comes back in many contexts, its sentences unchanged.
    found = frozenset(stems(text))
    tells = not is_question(text) and not is_empty_talk(text) and not is_own_remark(text)
    return _Reading(found, frozenset(stemmed[:PREFIX] for stemmed in found if len(stemmed) >= PREFIX), tells)


@lru_cache(maxsize=16_384)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(sentences(text))


def _units(question: Question, context: Context) -> list[_Unit]:
    """Every sentence that tells something: what was asked, and small talk, tell nothing."""
    dates = sorted({memory.noted for memory in context.memories if memory.noted})
    rank = {noted: (position + 1) / (len(dates) + 1) for position, noted in enumerate(dates)}
    found: list[_Unit] = []
    for source, memory in enumerate(context.memories):
        recency = rank[memory.noted] if memory.noted else 0.5
        inside = memory.noted is not None and question.is_of_time(memory.noted)
        for text in _sentences(memory.text):
            read = _read(text)
            held = read.stems | _read(memory.speaker).stems
            held = held | question.period if inside else held
            unit = _Unit(text, memory.number, memory.noted, memory.speaker, recency, source, held, read.prefixes)
            found.append(unit)
    for source, turn in enumerate(context.exchanges, start=len(context.memories)):
        for text in _sentences(turn.text):
            recency = 1.0 if question.recency else 0.5
            found.append(_Unit(text, None, None, "", recency, source, _read(text).stems, _read(text).prefixes))
    return [unit for unit in found if _read(unit.text).tells]


def _credit(stemmed: str, held: frozenset[str], prefixes: frozenset[str]) -> float:
    if stemmed in held:
        return 1.0
    return PREFIX_CREDIT if len(stemmed) >= PREFIX and stemmed[:PREFIX] in prefixes else 0.0


def candidates(question: Question, context: Context, *, newest: bool = False) -> list[Candidate]:
    """All sentences with their nearness and score, in the order of the context.

    nearness = Σ w·idf·credit / Σ w·idf over the question's stems, where idf counts the sentences of this context and
    the credit of a word is the sentence's own, or less when another sentence of the same memory has it.
    `newest`: the prompt prefers newer notes.
    score = (floor + own and memory's coverage) × (kind of answer) × (period named) × (recency).
    """
    units = _units(question, context)
    frequency = Counter(stemmed for unit in units for stemmed in unit.stems & question.weights.keys())
    weights = {
        stemmed: weight * math.log(1.5 + len(units) / (0.5 + frequency[stemmed]))
        for stemmed, weight in question.weights.items()
    }
    total = sum(weights.values())
    sources: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
    for unit in units:
        held, prefixes = sources.get(unit.source, (frozenset(), frozenset()))
        sources[unit.source] = (held | unit.stems, prefixes | unit.prefixes)

    found = []
    for order, unit in enumerate(units):
        own = around = 0.0
        matched = set()
        for stemmed, weight in weights.items():
            credit = _credit(stemmed, unit.stems, unit.prefixes)
            own += weight * credit
            around += weight * max(credit, NEIGHBOUR_CREDIT * _credit(stemmed, *sources[unit.source]))
            if credit:
                matched.add(stemmed)
        nearness = around / total if total else 0.0
        score = (FLOOR + ((own + around) / (2 * total) if total else 0.0)) * _factor(
            question, unit, RECENCY_TOLD if newest else RECENCY_SLIGHT
        )
        found.append(
            Candidate(unit.text, unit.memory, unit.noted, unit.speaker, order, nearness, score, frozenset(matched))
        )
    return found


def _factor(question: Question, unit: _Unit, slight: float) -> float:
    factor = 1.0
    if question.kind != "other":
        factor += CUE_BONUS if has_cue(question.kind, unit.text) else -CUE_PENALTY
    if unit.noted is not None and (inside := question.is_of_time(unit.noted)) is not None:
        factor += PERIOD_BONUS if inside else -PERIOD_BONUS / 2
    if question.recency:
        factor += RECENCY_ASKED * question.recency * (unit.recency - 0.5)
    else:
        factor += slight * (unit.recency - 0.5)
    return factor


def sampled(found: Sequence[Candidate], *, temperature: float, fraction: float, scale: float) -> Candidate:
    """One candidate: the best at temperature 0, else by softmax of score / (temperature × scale).

    `fraction` in [0, 1) is the draw. `found` must not be empty.
    """
    ranked = sorted(found, key=lambda candidate: (-candidate.score, candidate.order))
    if temperature <= 0:
        return ranked[0]
    odds = [math.exp((candidate.score - ranked[0].score) / (temperature * scale)) for candidate in ranked]
    left = fraction * sum(odds)
    for candidate, odd in zip(ranked, odds, strict=True):
        left -= odd
        if left < 0:
            return candidate
    return ranked[-1]
