"""Names the batch of recorded runs of which no truth is known, so that they can be judged and measured by it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection

# Never over a ground truth: that names a batch of its own.
_LABEL = """
UPDATE public.sensor_events AS e SET batch = %s, dataset = %s, split = %s
FROM public.sensor_ledger AS l
WHERE l.run_id = ANY(%s) AND l.stage = 'run' AND e.pipeline_run_id = l.run_id AND e.started_at = l.occurred_at
  AND e.batch IS NULL
"""


def batch_label(*, run_ids: Sequence[uuid.UUID], batch: str, dataset: str, split: str) -> int:
    """Say to which batch recorded runs belong that have no ground truth. Returns how many rows had no batch before.

    Everything else about their truth stays NULL: they count in no metric that needs one. A run that is in a batch
    already stays there.
    """
    if not run_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LABEL, [batch, dataset, split, list(run_ids)])
        named: int = cursor.rowcount
    return named
