"""Ground truth: what a query should have found and said. It goes to the Sensor, never through MaaS."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from contracts.base import Message

Category = Literal["factual", "preference", "temporal", "multi-hop", "open-domain", "negative"]
Difficulty = Literal["easy", "medium", "hard"]


class GroundTruth(Message):
    """What is known about one run's query. `expected_memory_ids` are ids of `lsm_storage`.

    `cluster` names the family of examples that are not independent of each other (variants of one scenario).
    `split` is train, validation or golden; `example_id` is stable across arms and repeats; `batch` names the pass
    (one emulation, one arm-pair of an experiment, one evaluation) that the run belongs to.
    """

    run_id: uuid.UUID
    example_id: str
    batch: str
    dataset: str
    split: str
    cluster: str
    should_retrieve: bool
    expected_memory_ids: tuple[uuid.UUID, ...] = ()
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    category: str = "factual"
    difficulty: str = "medium"
    asked_at: datetime | None = None
