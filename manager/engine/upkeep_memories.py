"""The parts of upkeep that look after memories. Each is safe to begin again after a kill."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils import timezone

from experiments.expected import memories_expected, questions_of, users_under_test
from maas.client.memories import memories_merge, memories_review, users_to_merge
from manager.engine.context import MANAGER
from manager.services.pruning import pruning_propose

MOST_PEOPLE = 500
"""Whose memories one cycle looks through, those who told something last first."""


class Holder(Protocol):
    """What a part needs of whoever holds the cycle."""

    def progress(self, label: str, done: int, planned: int) -> None: ...


def memory_review(work: Holder) -> dict[str, Any]:
    """Flag what has served badly for long, and propose it for pruning: a person decides."""
    work.progress("reviewing memories", 0, 1)
    counts = memories_review(now=timezone.now())
    proposal = pruning_propose(actor=MANAGER, reason="flagged for review by a deep cycle") if counts.flagged else None
    return {
        **counts.model_dump(),
        "proposed": len(proposal.memories) if proposal else 0,
        "proposal": str(proposal.id) if proposal else None,
    }


def consolidation(work: Holder) -> dict[str, Any]:
    """Merge what says the same, person by person; a merge that a question would lose by is refused. Left out are people
    whose memories a running experiment searches."""
    people, tested, protected = users_to_merge(limit=MOST_PEOPLE), users_under_test(), memories_expected()
    merged = refused = 0
    for number, user in enumerate(people, start=1):
        work.progress("merging memories", number, len(people))
        if user in tested:
            continue
        expected = {item.query: item.expected for item in questions_of(users=[user])}
        counts = memories_merge(user_id=user, protected=protected, expected=expected)
        merged, refused = merged + counts.merged, refused + counts.refused
    waits = sum(user in tested for user in people)
    return {"people": len(people), "merged": merged, "refused": refused, "under_test": waits}
