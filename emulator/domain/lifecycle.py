"""How a batch of dialogues lives. A killed batch stays `running`; who starts it again goes on from its last turn."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class BatchStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


_RUN = frozenset({BatchStatus.RUNNING})
_QUEUE = frozenset({BatchStatus.PENDING})
"""Whoever plays in slices puts a batch back into the queue between them."""
_ENDS = frozenset({BatchStatus.COMPLETED, BatchStatus.STOPPED, BatchStatus.FAILED})

BATCH = Lifecycle(
    "emulation",
    {
        BatchStatus.PENDING: _RUN | {BatchStatus.STOPPED},
        BatchStatus.RUNNING: _ENDS | _RUN,
        BatchStatus.STOPPED: _RUN | _QUEUE,
        BatchStatus.FAILED: _RUN | _QUEUE,
    },
)
