"""What each strategy finds in long dialogues whose questions name the turns that prove the answer.

One memory is one turn; a question searches its own dialogue. Parameters of the "tuned" rows are chosen on the dialogues
that are not held out, factor by factor, inside the hard ranges of the registry; the held-out ones are looked at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.importers import locomo
from kernel.canonical import stable_fraction
from kernel.errors import InvalidInput
from llm.offline.keywords import keywords
from maas.client import memories_import
from maas.parameters import RunParameters
from maas.retrieval.search import search
from maas.retrieval.strategies import Query

DEPTH = 10
COLUMNS = ("P@1", "P@5", "R@3", "R@5", "R@10", "MRR")
_RELEVANCE = RunParameters(retrieval_relevance_weight=1.0, retrieval_recency_weight=0.0, retrieval_top_k=DEPTH)
_GRID: Mapping[str, Sequence[Any]] = {
    "retrieval_neighbor_weight": (0.0, 0.2, 0.4, 0.6, 0.8),
    "retrieval_person_boost": (0.0, 0.4, 0.8, 1.2),
    "retrieval_date_boost": (0.0, 0.4, 0.8, 1.2),
    "retrieval_keyword_count": (5, 7, 10, 15),
    "retrieval_recency_weight": (0.0, 0.1),
}
_TUNING_QUESTIONS = 300


@dataclass(frozen=True)
class Asked:
    conversation: str
    user_id: uuid.UUID
    query: str
    at: datetime
    expected: frozenset[uuid.UUID]


def measure(path: Path, *, held_out: Sequence[str], quick: bool, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per configuration and part ("chosen on", "held out"). Raises `InvalidInput` for a bad file or id."""
    questions = _load(path)
    names = list(dict.fromkeys(item.conversation for item in questions))
    unknown = [name for name in held_out if name not in names]
    if unknown:
        raise InvalidInput(f"no conversation {unknown[0]!r} in the file; it holds: {', '.join(names)}")
    away = set(held_out) or set(names[len(names) // 2 :])
    parts = {
        "chosen on": [item for item in questions if item.conversation not in away],
        "held out": [item for item in questions if item.conversation in away],
    }
    say(f"{len(names)} dialogues, held out: {', '.join(sorted(away))}")
    say(f"{'':<38}{'part':<12}{'n':>5} " + "".join(f"{name:>7}" for name in COLUMNS))
    rows = []
    for name, parameters in _configurations(parts["chosen on"], quick=quick):
        for part, items in parts.items():
            found = evaluate(items, parameters)
            rows.append({"name": name, "part": part, "n": len(items), **found, "parameters": _shown(parameters)})
            say(f"{name:<38}{part:<12}{len(items):>5} " + "".join(f"{found[column]:>7.3f}" for column in COLUMNS))
        if "tuned" in name:
            say(f"  {_shown(parameters)}")
    return rows


def _configurations(chosen_on: Sequence[Asked], *, quick: bool) -> Any:
    defaults = RunParameters()
    yield "defaults (tags, 5 keywords, recency .5)", replace(defaults, retrieval_top_k=DEPTH)
    for strategy in ("tags", "lexical", "semantic", "hybrid"):
        yield f"{strategy}, 5 keywords, no recency", replace(_RELEVANCE, retrieval_strategy=strategy)
    yield (
        "lexical, 3 keywords, no recency",
        replace(_RELEVANCE, retrieval_strategy="lexical", retrieval_keyword_count=3),
    )
    for strategy in ("hybrid",) if quick else ("lexical", "hybrid"):
        yield f"{strategy}, tuned", tuned(chosen_on, strategy)


def tuned(chosen_on: Sequence[Asked], strategy: str) -> RunParameters:
    """Factor by factor, the value with the best R@5 on a sample; twice around."""
    sample = sorted(chosen_on, key=lambda item: stable_fraction("bench", item.query))[:_TUNING_QUESTIONS]
    best = replace(_RELEVANCE, retrieval_strategy=strategy)
    reached = evaluate(sample, best)["R@5"]
    for _ in range(2):
        for name, values in _GRID.items():
            for value in values:
                if value == getattr(best, name):
                    continue
                tried = replace(best, **{name: value})
                if (found := evaluate(sample, tried)["R@5"]) > reached:
                    best, reached = tried, found
    return best


def evaluate(items: Sequence[Asked], parameters: RunParameters) -> dict[str, float]:
    """Means over the questions; precision at k counts k places, found or not."""
    sums: dict[str, list[float]] = {column: [] for column in COLUMNS}
    for item in items:
        words = keywords(query=item.query, count=parameters.retrieval_keyword_count)["keywords"]
        result = search(
            user_id=item.user_id, query=Query(item.query, tuple(words)), parameters=parameters, until=item.at
        )
        found = [memory.memory_id for memory in result.found]
        hits = [memory_id in item.expected for memory_id in found]
        for k in (1, 5):
            sums[f"P@{k}"].append(sum(hits[:k]) / k)
        for k in (3, 5, 10):
            sums[f"R@{k}"].append(sum(hits[:k]) / len(item.expected))
        sums["MRR"].append(1 / (hits.index(True) + 1) if True in hits else 0.0)
    return {column: fmean(values) for column, values in sums.items()}


def _load(path: Path) -> list[Asked]:
    conversations, _ = locomo.read(path, dataset="bench")
    questions = []
    for conversation in conversations:
        memories_import(list(conversation.memories.values()))
        for question in conversation.questions:
            expected = frozenset(conversation.memories[name].memory_id for name in question.evidence)
            questions.append(
                Asked(conversation.conversation_id, conversation.user_id, question.query, question.asked_at, expected)
            )
    return questions


def _shown(parameters: RunParameters) -> dict[str, Any]:
    return {key: value for key, value in parameters.as_values().items() if key.startswith("retrieval.")}
