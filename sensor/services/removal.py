"""Taking recorded runs away, for good."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from sensor.models import ExternalEvent, LedgerEntry, RunJudgement, RunTruth, SensorEvent, TelemetryEvent

CHUNK = 500


def runs_forget(*, run_ids: Sequence[uuid.UUID]) -> int:
    """Delete all that is recorded of these runs, by chunks that are each committed. How many runs were recorded.

    Only for runs that the student no longer has: else they would be captured again. May be repeated.
    """
    events = 0
    for start in range(0, len(run_ids), CHUNK):
        ids = list(run_ids[start : start + CHUNK])
        with transaction.atomic():
            TelemetryEvent.objects.filter(pipeline_id__in=ids).delete()
            events += SensorEvent.objects.filter(pipeline_run_id__in=ids).delete()[0]
            RunTruth.objects.filter(run_id__in=ids).delete()
            RunJudgement.objects.filter(run_id__in=ids).delete()
            ExternalEvent.objects.filter(run_id__in=ids).delete()
            LedgerEntry.objects.filter(run_id__in=ids).delete()
    return events
