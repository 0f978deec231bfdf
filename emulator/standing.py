"""How a batch stands: how fast it is played, how long it will take, and whether anybody is at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from emulator.domain.lifecycle import BatchStatus
from emulator.models import EmulationBatch, EmulationTurn

RATE_OVER = timedelta(seconds=20)
STALLED_AFTER = timedelta(seconds=60)
"""Without a finished turn for so long, whoever played may be gone. Going on is offered; it is safe if they are not."""

UNDER_WAY = (BatchStatus.PENDING, BatchStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Standing:
    """`rate`: turns per second of late; `eta_seconds`: until the last turn; both None while nothing is played.

    `stalled`: it is to be played, and nothing of it has been for a while.
    """

    rate: float | None = None
    eta_seconds: float | None = None
    stalled: bool = False


def standing(batch: EmulationBatch) -> Standing:
    """As it is now. One query, and none for a batch that is over."""
    if batch.status not in UNDER_WAY:
        return Standing()
    now = timezone.now()
    seen = EmulationTurn.objects.filter(batch=batch).aggregate(
        last=Max("finished_at"), late=Count("id", filter=Q(finished_at__gt=now - RATE_OVER))
    )
    last = seen["last"] or batch.started_at or batch.created_at
    stalled = now - last > STALLED_AFTER
    if batch.status == BatchStatus.PENDING or not seen["late"]:
        return Standing(stalled=stalled)
    over = min(RATE_OVER, max(now - (batch.started_at or now), timedelta(seconds=1)))
    rate = seen["late"] / over.total_seconds()
    return Standing(rate=rate, eta_seconds=max(batch.turns_total - batch.turns_done, 0) / rate)
