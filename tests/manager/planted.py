"""Data sets with an effect planted in them: what asking for two shared tags instead of one does is known beforehand.

A memory counts for search when it shares `retrieval.min_tag_overlap` words with the question; newer ones come first.
So each kind of question below answers the step from 1 to 2 in its own way, by its memories alone, and the kinds can be
mixed in each split as a test needs. No two questions share a word, so none touches another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Literal

from contracts.goal import Autonomy, Constraint, GoalTranslation, Target
from experiments.datasets import dialogues_load
from experiments.models import Dataset, Experiment
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import campaign_follow
from tests.manager.world import ALICE, START, campaign_make

FACTOR, BEFORE, AFTER = "retrieval.min_tag_overlap", 1, 2
DATASET = "planted"

Kind = Literal["crowded_out", "crowded", "narrow"]
"""`crowded_out`: newer talk that shares one word hides the fact, which shares two: the step finds it.
`crowded`: the fact is found among such talk: the step leaves the talk out, so precision rises and recall stays.
`narrow`: the fact itself shares one word: the step loses it."""

_TALK: Mapping[Kind, int] = {"crowded_out": 4, "crowded": 2, "narrow": 0}

Mix = Sequence[tuple[Kind, int]]
"""Kinds with how many questions of each."""

_WORDS = ["".join(parts) + "m" for parts in product(("bro", "ka", "dri", "lu", "so", "vi"), repeat=4)]
"""Words that no language has, so that each belongs to one question alone."""


def _question(conversation: str, kind: Kind, number: int, words: Sequence[str]) -> Iterator[dict[str, Any]]:
    first, second, nick = words

    def memory(key: str, day: int, text: str) -> dict[str, Any]:
        at = (START + timedelta(days=day, minutes=number)).isoformat()
        return {"type": "memory", "conversation": conversation, "id": key, "at": at, "speaker": "Nora", "text": text}

    known = first if kind == "narrow" else f"{first} {second}"
    yield memory(f"f{number}", 0, f"The {known} belongs to {nick.title()}.")
    for copy in range(_TALK[kind]):
        yield memory(f"t{number}-{copy}", 60 + copy, f"Somebody asked about the {second} again.")
    yield {
        "type": "question",
        "conversation": conversation,
        "id": f"q{number}",
        "at": (START + timedelta(days=100, minutes=number)).isoformat(),
        "query": f"Whose is the {first} {second}?",
        "evidence": [f"f{number}"],
        "category": "factual",
        "difficulty": "medium",
        "key_facts": [nick.title()],
    }


def planted_load(folder: Path, *, train: Mix, validation: Mix, golden: Mix) -> Dataset:
    """The data set of these mixes, one conversation for each split."""
    words = iter(_WORDS)
    rows: list[dict[str, Any]] = []
    for name, mix in (("train", train), ("validation", validation), ("golden", golden)):
        kinds = [kind for kind, count in mix for _ in range(count)]
        for number, kind in enumerate(kinds):
            rows += _question(name, kind, number, [next(words) for _ in range(3)])
    path = folder / f"{DATASET}.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    splits = {name: [name] for name in ("train", "validation", "golden")}
    return dialogues_load(format_name="jsonl", path=path, dataset=DATASET, splits=splits, actor=ALICE)


def planted_goal(metric: str, *, keep: str) -> GoalTranslation:
    return GoalTranslation(
        text=f"Raise {metric}",
        language="en",
        targets=(Target(metric=metric, direction="increase", value=0.99),),
        constraints=(Constraint(metric=keep, kind="no_large_drop", value=0.05),),
        allowed_impacts=(FACTOR,),
    )


def planted_run(metric: str = "retrieval_recall", *, keep: str = "retrieval_precision") -> tuple[Campaign, Experiment]:
    """One cycle of a campaign on it, every step of the real loop, to its end; with the one experiment that it made."""
    campaign = campaign_make(
        autonomy=Autonomy.FULL_AUTO, cycles=1, dialogues=4, translation=planted_goal(metric, keep=keep), dataset=DATASET
    )
    campaign_follow(campaign_id=campaign.id, client=get_client())
    campaign.refresh_from_db()
    return campaign, campaign.experiments.get()
