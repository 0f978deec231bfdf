"""The public face of MaaS: what a client sends and gets. Used by `maas.client` and whoever calls it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

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

    user_id: uuid.UUID = Field(
        description="Whose memories are searched and added to. Nothing of other users is ever seen.",
        examples=["7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10"],
    )
    query: str = Field(
        description="What the user says: a question, or something to remember.",
        examples=["My sister Clara lives in Lisbon."],
        json_schema_extra={"minLength": 1, "maxLength": 20_000},
    )
    run_id: uuid.UUID | None = Field(
        default=None,
        description="The caller's own id for this request. The same id again is the same run, answered once; with "
        "another query or user it is a conflict. Made by the service when left out.",
    )
    thread_id: uuid.UUID | None = Field(
        default=None,
        description="The conversation. The last exchanges of the same thread are part of the context; memories are of "
        "all threads.",
    )
    client_kind: ClientKind = Field(
        default="user", description="Who asks: `user` is a person, and what is recorded of the run is masked."
    )
    mode: RunMode = Field(
        default="dialogue", description="`evaluation` searches and answers, but leaves no memory and counts no use."
    )
    simulated_at: datetime | None = Field(
        default=None,
        description="When the query is asked, for simulated histories; later memories are not seen. Now when left out.",
    )
    experiment: str | None = Field(default=None, description="The experiment that the run belongs to, by its slug.")
    variant: str | None = Field(default=None, description="The arm of that experiment.")
    pinned_version: int | None = Field(
        default=None, description="The parameter version to answer with. The active one when left out."
    )
    cycle_type: Literal["micro", "macro", "deep", "online"] = Field(
        default="online", description="`online` is a real conversation; the others are runs of the learning itself."
    )
    seed: int | None = Field(default=None, description="Makes a sampling model repeat itself, where it can.")
    consent: bool = Field(
        default=False, description="The person agrees that this exchange is learnt from. It is masked before that."
    )


class FoundMemory(Part):
    """One memory that retrieval returned, best first."""

    memory_id: uuid.UUID = Field(description="The memory.")
    score: float = Field(description="What it was ranked by: relevance and recency, mixed. Higher is better.")
    relevance: float = Field(description="How well it fits the query.")
    recency: float = Field(description="How new it is: 1 is now.")
    text: str = Field(description="What is remembered.", examples=["My sister Clara lives in Lisbon."])
    created_at: datetime = Field(description="When it was remembered, in the user's time.")


class RunAnswer(Message):
    """A finished (or failed) run as its client sees it."""

    run_id: uuid.UUID = Field(description="The run.")
    status: str = Field(
        description="How far the run is. COMPLETED and FAILED are the end.",
        json_schema_extra={
            "enum": [
                "NEW", "ANALYZING", "ANALYZED", "ASSEMBLING", "READY", "RESPONDING", "COMPLETED", "FAILED"
            ]
        },
    )  # fmt: skip
    answer: str | None = Field(description="What the service answers. Null until it is there, and when the run failed.")
    error: str | None = Field(default=None, description="Why the run failed; null else.")
    found: tuple[FoundMemory, ...] = Field(
        default=(), description="The memories that were found for the query, best first."
    )
    memory_id: uuid.UUID | None = Field(
        default=None,
        description="The memory that this exchange left, once `settled`. Null when nothing was worth remembering.",
    )
    parameter_version: int | None = Field(
        default=None, description="The parameter version that answered; null until the run is begun."
    )


class StudentCounts(Part):
    """Rows of some users in the student."""

    runs: int = 0
    logs: int = 0
    memories: int = 0

    def __add__(self, other: StudentCounts) -> StudentCounts:
        return StudentCounts(
            runs=self.runs + other.runs, logs=self.logs + other.logs, memories=self.memories + other.memories
        )


class NewMemory(Message):
    """A memory made from an existing history, for `maas.client.memories_import`."""

    memory_id: uuid.UUID
    user_id: uuid.UUID
    text: str
    simulated_at: datetime
    speaker: str | None = None
    metadata: dict[str, Any] = {}


class SafetyFinding(Message):
    """What one safety check of the student found. `detail`: what was looked at, or what is wrong."""

    name: str
    ok: bool
    detail: str


class MemoryQuality(Message):
    """Of all memories. `low`: retrieved at least `LOW_FROM` times (maas.maintenance) with a score below 0.1.

    Score: used/retrieved × helpful/used. `score` and `age_days` are means; None where there is nothing to average.
    """

    memories: int
    retrieved: int
    low: int
    score: float | None
    age_days: float | None
    unembedded: int


class ReviewCounts(Message):
    """`flagged`: put up for review. `watched`: of low score, not for long enough yet. `set_aside`: hidden, undoable."""

    flagged: int
    watched: int
    set_aside: int


class FlaggedMemory(Part):
    """One memory with what is to be said of it. `reasons`: each with a `code` (`low`, `disliked`, `same`, `unused`) and
    its numbers. `set_aside_for`: by which decision it is hidden; null while it stands."""

    memory_id: uuid.UUID
    user_id: uuid.UUID
    text: str
    speaker: str | None
    said_at: datetime
    score: float | None = Field(description="used/retrieved × helpful/used, 0–1; null before it was ever retrieved.")
    retrieved: int
    used: int
    helpful: int
    reasons: list[dict[str, Any]]
    flagged_at: datetime | None
    set_aside_at: datetime | None
    set_aside_for: str | None


class MergeCounts(Message):
    """`refused`: would have lost something that a question expects, and was undone at once."""

    merged: int
    refused: int


class MergeRecord(Part):
    """One merge of two memories of one person, done or refused. `questions`: how many it was tried on. `refused`: why
    it was undone at once; empty when it was done."""

    id: uuid.UUID
    user_id: uuid.UUID
    kept: uuid.UUID
    dropped: uuid.UUID
    questions: int
    refused: str
    created_at: datetime
    undone_at: datetime | None
