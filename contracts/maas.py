"""The public face of MaaS: what a client sends and gets. Used by `maas.client` and whoever calls it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from contracts.base import Message, Part

ClientKind = Literal["user", "emulator"]
RunMode = Literal["dialogue", "evaluation"]
"""`evaluation` runs search and answer but leave no memory and count no use."""


class RunRequest(Message):
    """One query of one user.

    `simulated_at`: the time at which the query is asked, for simulated histories; memories from later times are
    not seen. None means now. `run_id` given by the caller makes the request idempotent. `consent`: the person lets
    this exchange be learnt from, masked.
    """

    user_id: uuid.UUID
    query: str
    run_id: uuid.UUID | None = None
    thread_id: uuid.UUID | None = None
    client_kind: ClientKind = "user"
    mode: RunMode = "dialogue"
    simulated_at: datetime | None = None
    experiment: str | None = None
    variant: str | None = None
    pinned_version: int | None = None
    cycle_type: Literal["micro", "macro", "deep", "online"] = "online"
    seed: int | None = None
    consent: bool = False


class FoundMemory(Part):
    """One memory that retrieval returned, best first."""

    memory_id: uuid.UUID
    score: float
    relevance: float
    recency: float
    text: str
    created_at: datetime


class RunAnswer(Message):
    """A finished (or failed) run as its client sees it."""

    run_id: uuid.UUID
    status: str
    answer: str | None
    error: str | None = None
    found: tuple[FoundMemory, ...] = ()
    memory_id: uuid.UUID | None = None
    parameter_version: int | None = None


class NewMemory(Message):
    """A memory made from an existing history, for `maas.client.memories_import`."""

    memory_id: uuid.UUID
    user_id: uuid.UUID
    text: str
    simulated_at: datetime
    speaker: str | None = None
    metadata: dict[str, Any] = {}
