"""Folds what changed into the rollups, and drops fine grains when they are old.

Nothing is wrong while nobody folds: readers add what waits to what is folded. Folding keeps that short.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

MINUTES_KEPT = timedelta(days=2)
"""Minutes show the last hours; older times are shown by hours and days."""
FOLDED_AT_ONCE = 20_000
"""Deltas of one transaction, which holds the lock of folding and nothing else."""


def rollups_fold() -> int:
    """Add every committed delta to the rollups. Returns how many there were; 0 while another folds."""
    since = timezone.now() - MINUTES_KEPT
    folded = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT public.sensor_rollups_fold(%s, %s)", [FOLDED_AT_ONCE, since])
            taken: int = cursor.fetchone()[0]
            folded += taken
            if taken < FOLDED_AT_ONCE:
                return folded


def rollups_prune() -> int:
    """Drop minutes and fives older than `MINUTES_KEPT`. Hours and days stay. Returns how many rows went."""
    gone = 0
    with connection.cursor() as cursor:
        for grain in ("minute", "five"):
            cursor.execute("SELECT public.sensor_rollups_prune(%s, %s)", [grain, timezone.now() - MINUTES_KEPT])
            gone += cursor.fetchone()[0]
    return gone
