"""What is done about memories by decision: review, setting aside, bringing back. Part of the student's public door."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from contracts.maas import FlaggedMemory, MergeCounts, MergeRecord, ReviewCounts
from maas import merging, reviews
from maas.client import only_here


def memories_review(*, now: datetime) -> ReviewCounts:
    """Look at every memory that stands; put up for review what deserves it. As `maas.reviews.memories_review`."""
    only_here()
    return reviews.memories_review(now=now)


def memories_flagged(*, limit: int = reviews.MOST) -> list[FlaggedMemory]:
    """What is put up for review and stands, the worst score first."""
    only_here()
    return reviews.memories_flagged(limit=limit)


def memories_shown(*, memory_ids: Sequence[uuid.UUID]) -> list[FlaggedMemory]:
    """These memories with what is to be said of them, set aside or not; a purged one is missing."""
    only_here()
    return reviews.memories_shown(memory_ids=memory_ids)


def memories_set_aside(*, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]], decision: str) -> list[uuid.UUID]:
    """Hide memories (memory, user) by a decision. Raises as `maas.reviews.memories_set_aside`."""
    only_here()
    return reviews.memories_set_aside(pairs=pairs, decision=decision)


def memories_bring_back(*, decision: str) -> int:
    """Undo what a decision has hidden. Returns how many memories are found again."""
    only_here()
    return reviews.memories_bring_back(decision=decision)


def memories_erase(*, decision: str) -> int:
    """Delete for good what a decision has hidden. Returns how many."""
    only_here()
    return reviews.memories_erase(decision=decision)


def memories_keep(*, memory_ids: Sequence[uuid.UUID], by: str) -> int:
    """A person says to keep these. Returns how many there were."""
    only_here()
    return reviews.memories_keep(memory_ids=memory_ids, by=by)


def users_to_merge(*, limit: int) -> list[uuid.UUID]:
    """People with more than one memory, those who told something last first."""
    only_here()
    return merging.users_to_merge(limit=limit)


def memories_merge(
    *, user_id: uuid.UUID, protected: Collection[uuid.UUID], expected: Mapping[str, Collection[uuid.UUID]]
) -> MergeCounts:
    """Merge what says the same within one person, where no question loses by it. As `maas.merging.memories_merge`."""
    only_here()
    return merging.memories_merge(user_id=user_id, protected=protected, expected=expected)


def merge_undo(*, merge_id: uuid.UUID) -> MergeRecord:
    """Bring back what a merge set aside. Raises `NotFound`."""
    only_here()
    return merging.merge_undo(merge_id=merge_id)


def merges(*, limit: int) -> list[MergeRecord]:
    """The newest merges, refused ones with their reason."""
    only_here()
    return merging.merges(limit=limit)
