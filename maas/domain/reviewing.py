"""When a memory is put up for review: by its score over time, by what people said of answers that used it, by its age,
and as the double of another. Nothing is taken away here: a person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

LOW_BELOW = 0.1
LOW_FROM = 5
"""Retrievals before a score says anything."""
LOW_DAYS = 30
"""How long a score must have been low: CYCLES.md, "Memory Quality Scoring"."""
DISLIKED_FROM = 2
"""Answers rated 1 or 2 that rested on a memory, none of them helpful, before it is doubted."""
UNUSED_DAYS = 365
UNUSED_ASKED = 50
"""A memory this old that none of so many questions of its person ever found."""
KEPT_DAYS = 180
"""How long a person's "keep it" holds before the same memory may be put up again."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one memory. `score` is used/retrieved × helpful/used, None before it was ever retrieved.

    `disliked`: answers rated 1 or 2 that used it. `asked`: questions its person has asked. `age_days` is by the
    calendar of the service, not by the time that a simulated person lives in. `same_as`: an older standing memory of
    the same person that says the same in the same words.
    """

    memory_id: UUID
    user_id: UUID
    retrieved: int
    helpful: int
    score: float | None
    age_days: float
    disliked: int
    asked: int
    same_as: UUID | None
    low_since: datetime | None
    kept_at: datetime | None


@dataclass(frozen=True, slots=True)
class Review:
    """`low_since` is None when the score is not low. `reasons` is empty for a memory that is watched, not flagged."""

    low_since: datetime | None
    reasons: tuple[dict[str, Any], ...]


def low(*, retrieved: int, score: float | None) -> bool:
    return score is not None and retrieved >= LOW_FROM and score < LOW_BELOW


def review(of: Signals, *, now: datetime) -> Review:
    """Each reason names its numbers, as JSON. What a person has kept is not put up again for `KEPT_DAYS`."""
    since = (of.low_since or now) if low(retrieved=of.retrieved, score=of.score) else None
    if of.kept_at is not None and now - of.kept_at < timedelta(days=KEPT_DAYS):
        return Review(since, ())
    reasons: list[dict[str, Any]] = []
    if since is not None and now - since >= timedelta(days=LOW_DAYS):
        reasons.append({"code": "low", "days": (now - since).days, "retrieved": of.retrieved, "score": of.score})
    if of.disliked >= DISLIKED_FROM and not of.helpful:
        reasons.append({"code": "disliked", "times": of.disliked})
    if of.same_as is not None:
        reasons.append({"code": "same", "as": str(of.same_as)})
    if not of.retrieved and of.age_days >= UNUSED_DAYS and of.asked >= UNUSED_ASKED:
        reasons.append({"code": "unused", "days": int(of.age_days), "asked": of.asked})
    return Review(since, tuple(reasons))
