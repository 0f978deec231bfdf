"""Which state of a hypothesis may follow which."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class HypothesisStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"


HYPOTHESIS_LIFECYCLE = Lifecycle(
    "a hypothesis",
    {
        # Straight to inconclusive: what it was planned on is gone before anybody tried it.
        HypothesisStatus.PLANNED: frozenset({HypothesisStatus.RUNNING, HypothesisStatus.INCONCLUSIVE}),
        HypothesisStatus.RUNNING: frozenset(
            {HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED, HypothesisStatus.INCONCLUSIVE}
        ),
        # Nothing was learnt, so it may be tried again, with more data.
        HypothesisStatus.INCONCLUSIVE: frozenset({HypothesisStatus.PLANNED}),
    },
)

RESOLVED = frozenset({HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED})
