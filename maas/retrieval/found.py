"""What a search gives back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """One returned memory. `score`, `relevance` and `recency` lie in [0, 1]."""

    memory_id: uuid.UUID
    score: float
    relevance: float
    recency: float
    text: str
    simulated_at: datetime
    speaker: str | None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`found`: best first. `trace`: what is kept in `pipeline_runs.retrieval` (see `maas.models`)."""

    found: list[Found]
    trace: dict[str, Any]
