"""The everyday notes of one synthetic user, as memories of an earlier history."""

from __future__ import annotations

import uuid

from contracts.maas import NewMemory
from emulator.domain.scenario import Scenario
from emulator.everyday.notes import everyday_notes
from kernel.canonical import derive_seed, derive_uuid

EVERYDAY_NOTES = 220
"""Notes per user, whatever the story; why so many: docs/SCENARIOS.md, "Everyday notes"."""

METADATA = {"source": "everyday"}


def background(*, user_id: uuid.UUID, story: Scenario, number: int = 0) -> tuple[NewMemory, ...]:
    """What the user of variant `number` of a story noted besides it, over the whole story and the month before.

    Users of two arms who say the same words have the same notes. Ids depend on user and place alone, so importing
    them again adds nothing.
    """
    notes = everyday_notes(
        language=story.language,
        seed=derive_seed("background", story.id, number),
        starts_on=story.starts_on,
        days=max(thread.day for thread in story.threads),
        count=EVERYDAY_NOTES,
    )
    return tuple(
        NewMemory(
            memory_id=derive_uuid("everyday", user_id, index),
            user_id=user_id,
            text=note.text,
            simulated_at=note.at,
            metadata=METADATA,
        )
        for index, note in enumerate(notes)
    )
