"""Examples as values, and the hash that seals a golden set."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.dialogue import GroundTruth
from kernel.canonical import derive_uuid, stable_hash


@dataclass(frozen=True, slots=True)
class ExampleValue:
    """One question with its ground truth. `cluster`: examples that are not independent share it."""

    external_id: str
    user_id: uuid.UUID
    query: str
    asked_at: datetime
    expected_memory_ids: tuple[uuid.UUID, ...]
    should_retrieve: bool
    category: str
    difficulty: str
    cluster: str
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def run_id(self, batch: str, arm: str) -> uuid.UUID:
        """The one id that this example's run has in this pass and arm, whoever runs it and however often."""
        return derive_uuid("run", batch, self.external_id, arm)

    def truth(self, *, batch: str, arm: str, dataset: str, split: str) -> GroundTruth:
        return GroundTruth(
            run_id=self.run_id(batch, arm),
            example_id=self.external_id,
            batch=batch,
            dataset=dataset,
            split=split,
            cluster=self.cluster,
            should_retrieve=self.should_retrieve,
            expected_memory_ids=self.expected_memory_ids,
            key_facts=self.key_facts,
            forbidden=self.forbidden,
            category=self.category,
            difficulty=self.difficulty,
            asked_at=self.asked_at,
        )


def content_hash(examples: Iterable[ExampleValue]) -> str:
    """SHA-256 of everything in `examples` that could change a run; their order does not count."""
    return stable_hash(sorted((_content(item) for item in examples), key=lambda row: str(row[0])))


def example_digest(item: ExampleValue) -> str:
    """A short hash of the whole example, cluster and difficulty included: what seals of golden sets list."""
    return stable_hash([*_content(item), item.difficulty, item.cluster])[:16]


def seal_hash(examples: Iterable[ExampleValue]) -> str:
    """SHA-256 that seals a golden set: one byte of one example changed, missing or added makes another."""
    rows = ([*_content(item), item.difficulty, item.cluster] for item in examples)
    return stable_hash(sorted(rows, key=lambda row: str(row[0])))


def _content(item: ExampleValue) -> list[Any]:
    return [
        item.external_id,
        str(item.user_id),
        item.query,
        item.asked_at.astimezone(UTC).isoformat(),
        sorted(str(memory) for memory in item.expected_memory_ids),
        item.should_retrieve,
        item.category,
        list(item.key_facts),
        list(item.forbidden),
    ]
