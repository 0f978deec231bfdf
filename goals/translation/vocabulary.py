"""The names of metrics and factors, from the registries and from the lexicon, as patterns of words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import snowballstemmer

from contracts.metric import MetricDefinition
from contracts.parameters import FactorDefinition
from goals.translation.names import EVERYTHING_ELSE, FACTOR_GROUPS, QUALITY, QUALITY_METRICS, SPECIAL_METRICS
from goals.translation.patterns import compile_words
from goals.translation.tokens import Kind, MetricMention

Entry = tuple[Kind, Any, re.Pattern[str]]

_VAGUE = frozenset(
    {"latency", "задержка", "задержек", "время ответа", "response time", "response times", "время отклика", "delay"}
)
"""Words for latency that leave open which percentile."""


@dataclass(frozen=True)
class Vocabulary:
    entries: tuple[Entry, ...]


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    return snowballstemmer.stemmer("russian")


def name_pattern(name: str) -> str:
    """A name in any inflection: Russian words by their stem, English ones with an optional plural."""
    words = []
    for word in re.split(r"[\s_.]+", name.lower().replace("ё", "е")):
        if not word:
            continue
        if re.search("[а-я]", word) and len(word) > 3:
            stem = _stemmer().stemWord(word)
            # A short stem with a long ending would be another word: цена, ценность.
            words.append(re.escape(stem) + (r"[а-я]{0,4}" if len(stem) < 6 else r"[а-я]{0,6}"))
        elif word.isalpha() and len(word) > 2:
            words.append(re.escape(word) + "s?")
        else:
            words.append(re.escape(word))
    return r"[\s_.-]+".join(words)


def build(metrics: Mapping[str, MetricDefinition], factors: Mapping[str, FactorDefinition]) -> Vocabulary:
    """Patterns for what these registries know; a word for something absent from them is left out."""
    entries: list[Entry] = []
    for metric in metrics.values():
        for name in {metric.name, metric.title, *metric.aliases}:
            mention = MetricMention((metric.name,), vague=name.lower() in _VAGUE)
            entries.append((Kind.METRIC, mention, _ends(name_pattern(name))))
    for name, pattern, implied, inverted in SPECIAL_METRICS:
        if name in metrics:
            mention = MetricMention((name,), inverted=inverted, implied=implied, vague=name.startswith("latency"))
            entries.extend((Kind.METRIC, mention, compiled) for compiled in compile_words(pattern))
    quality = tuple(name for name in QUALITY_METRICS if name in metrics)
    if quality:
        group = MetricMention(quality, group=True)
        entries.extend((Kind.METRIC, group, compiled) for compiled in compile_words(QUALITY))
    rest = tuple(name for name in (*quality, "token_cost", "latency_p95", "error_rate") if name in metrics)
    if rest:
        others = MetricMention(rest, group=True, rest=True)
        entries.extend((Kind.METRIC, others, compiled) for compiled in compile_words(EVERYTHING_ELSE))
    for factor in factors.values():
        tail = factor.key.split(".", 1)[-1]
        # A one-word tail or title ("model", "strategy") is common speech: those are in the lexicon's groups.
        names = {factor.key, factor.title, *factor.aliases, *([tail] if "_" in tail else [])}
        entries.extend((Kind.FACTOR, (factor.key,), _ends(name_pattern(name))) for name in names if name)
    for pattern, key in FACTOR_GROUPS:
        if key.endswith("."):
            keys = tuple(known for known in factors if known.startswith(key))
        elif key.startswith("*"):
            keys = tuple(known for known in factors if known.endswith(key[1:]))
        else:
            keys = (key,) if key in factors else ()
        if keys:
            entries.extend((Kind.FACTOR, keys, compiled) for compiled in compile_words(pattern))
    return Vocabulary(tuple(entries))


def _ends(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?!\w)")
