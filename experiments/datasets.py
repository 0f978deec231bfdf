"""Writes of data sets: loading a file, seeding the bundled one, sealing the golden set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from django.db import transaction

from audit.services import entry_append
from contracts.actor import Actor, Role
from contracts.maas import NewMemory
from experiments.domain.examples import ExampleValue, content_hash, seal_hash
from experiments.golden import example_columns, golden_store
from experiments.importers import jsonl, locomo
from experiments.importers.base import Conversation
from experiments.leakage import leakage_refuse, leakage_report
from experiments.models import Dataset, EvaluationExample
from kernel.canonical import stable_hash
from kernel.errors import Conflict, InvalidInput
from maas import client as maas_client

_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
FORMATS = {"locomo": locomo.read, "jsonl": jsonl.read}
SPLITS = ("train", "validation", "golden")


def dialogues_load(
    *,
    format_name: str,
    path: Path,
    dataset: str,
    splits: Mapping[str, Sequence[str]],
    actor: Actor,
    on_progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Load a dialogue file as memories and questions; loading the same again changes nothing.

    1. The whole file is read and checked before anything is stored. 2. Memories go to MaaS through its public
    client, idempotent by id. 3. Data set, examples and golden seal are stored in one transaction.
    Raises `InvalidInput` for a bad file, format or conversation id, `Conflict` for a name that holds other content.
    """
    actor.require(Role.OPERATOR)
    dataset_name_check(dataset)
    if format_name not in FORMATS:
        raise InvalidInput(f"unknown format {format_name!r}; known: {', '.join(sorted(FORMATS))}")
    conversations, account = FORMATS[format_name](path, dataset=dataset)
    chosen = _assign(conversations, splits)
    taken = {item.conversation_id for items in chosen.values() for item in items}
    for item in conversations:
        if item.conversation_id not in taken:
            account.skip("a conversation that no split names", item.conversation_id)
    values = {split: [value for item in items for value in _values(item, dataset)] for split, items in chosen.items()}
    memories = [memory for items in chosen.values() for item in items for memory in item.memories.values()]
    histories = _histories_hash(memories)
    _refuse_other_content(dataset, values, histories)
    _import_memories(memories, on_progress)
    report = {
        **account.to_json(),
        "format": format_name,
        "file": path.name,
        "splits": {split: [item.conversation_id for item in items] for split, items in chosen.items()},
        "questions_by_split": {split: len(items) for split, items in values.items()},
        "leakage": leakage_report(questions=values, conversations=chosen),
    }
    return dataset_store(
        name=dataset,
        source=f"{format_name}: {path.name}"[:200],
        values=values,
        report=report,
        actor=actor,
        histories=histories,
    )


def dataset_name_check(name: str) -> None:
    """Raise `InvalidInput` for what cannot be the name of a data set."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"a data set's name is 1 to 50 letters, digits, '-' and '_'; {name!r} is not")


def _assign(
    conversations: Sequence[Conversation], splits: Mapping[str, Sequence[str]]
) -> dict[str, list[Conversation]]:
    """Conversations by split. Without any split named, 70 / 15 / 15 % of the conversations in file order."""
    known = {item.conversation_id: item for item in conversations}
    named = [name for split in SPLITS for name in splits.get(split, ())]
    unknown = [name for name in named if name not in known]
    if unknown:
        raise InvalidInput(
            f"unknown conversation id {unknown[0]!r}; the file holds: {', '.join(known)}",
            details={"unknown": unknown, "known": list(known)},
        )
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InvalidInput(f"conversation {twice[0]!r} is in two splits; each belongs to one")
    if not named:
        if len(conversations) < len(SPLITS):
            raise InvalidInput("the file holds fewer than three conversations: name the splits that you have")
        ordered = list(known)
        train = max(1, min(len(ordered) - 2, round(len(ordered) * 0.7)))
        validation = max(1, (len(ordered) - train) // 2)
        cut = train + validation
        splits = {"train": ordered[:train], "validation": ordered[train:cut], "golden": ordered[cut:]}
    return {split: [known[name] for name in splits.get(split, ())] for split in SPLITS}


def _values(conversation: Conversation, dataset: str) -> list[ExampleValue]:
    return [
        ExampleValue(
            external_id=question.external_id,
            user_id=conversation.user_id,
            query=question.query,
            asked_at=question.asked_at,
            expected_memory_ids=tuple(conversation.memories[name].memory_id for name in question.evidence),
            should_retrieve=question.should_retrieve,
            category=question.category,
            difficulty=question.difficulty,
            cluster=f"{dataset}/{question.external_id}",
            key_facts=question.key_facts,
            forbidden=question.forbidden,
        )
        for question in conversation.questions
    ]


def _refuse_other_content(name: str, values: dict[str, list[ExampleValue]], histories: str) -> None:
    existing = Dataset.objects.filter(name=name).first()
    if existing is None:
        return
    if existing.report.get("content_hash") != _whole_hash(values, histories):
        raise Conflict(f"the data set {name!r} exists with other content; choose another name")


def _whole_hash(values: dict[str, list[ExampleValue]], histories: str) -> str:
    """Of the questions of each split, and of the histories that they ask about."""
    return stable_hash({split: content_hash(values.get(split, [])) for split in SPLITS}, histories)


def _histories_hash(memories: Sequence[NewMemory]) -> str:
    rows = ([str(item.memory_id), item.simulated_at.astimezone(UTC), item.speaker, item.text] for item in memories)
    return stable_hash(sorted(rows, key=lambda row: str(row[0])))


def _import_memories(memories: Sequence[NewMemory], on_progress: Callable[[int, int], None] | None) -> None:
    size = 500
    for start in range(0, len(memories), size):
        maas_client.memories_import(memories[start : start + size])
        if on_progress is not None:
            on_progress(min(start + size, len(memories)), len(memories))


@transaction.atomic
def dataset_store(
    *,
    name: str,
    source: str,
    values: dict[str, list[ExampleValue]],
    report: dict[str, Any],
    actor: Actor,
    histories: str = "",
) -> Dataset:
    """Store examples by split and seal the golden ones. The same content again returns what is there.

    `histories`: a hash of the memories that were imported with them, if any. Raises `Conflict` when the name holds
    other content.
    """
    existing = Dataset.objects.filter(name=name).first()
    if existing is not None:
        _refuse_other_content(name, values, histories)
        return existing
    leakage_refuse(values)
    golden = values.get("golden", [])
    dataset = Dataset.objects.create(
        name=name,
        source=source,
        report={**report, "content_hash": _whole_hash(values, histories)},
        golden_hash=seal_hash(golden),
    )
    EvaluationExample.objects.bulk_create(
        EvaluationExample(**example_columns(dataset, value), split=split)
        for split in ("train", "validation")
        for value in values.get(split, [])
    )
    golden_store(dataset=dataset, values=golden, actor=actor, reason=source)
    entry_append(
        actor=actor,
        action="dataset.loaded",
        subject_type="dataset",
        subject_id=name,
        after={"splits": {split: len(items) for split, items in values.items()}, "golden_hash": dataset.golden_hash},
        reason=source,
    )
    return dataset
