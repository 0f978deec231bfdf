"""The parts of upkeep that look after memories. Each is safe to begin again after a kill."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils import timezone

from maas.client.memories import memories_review
from manager.engine.context import MANAGER
from manager.services.pruning import pruning_propose


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
