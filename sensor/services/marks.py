"""Puts ground truth and judgements on the rows of their runs, in whichever order the three arrive.

Nothing is lost between two writers that do not see each other yet: each message is kept first, unapplied, and is
applied as soon as its run is recorded; by its own service, by the capture, or by the next `catch_up`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection, transaction

# One at a time: two that touch the same runs in different orders would wait for each other for ever.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('sensor_marks'))"

_TRUTHS = """
WITH due AS MATERIALIZED (
  SELECT t.*, l.occurred_at FROM public.sensor_ground_truths AS t
  JOIN public.sensor_ledger AS l ON l.run_id = t.run_id AND l.stage = 'run'
  WHERE t.applied_at IS NULL {chosen}
), event AS (
  UPDATE public.sensor_events AS e
  SET batch = due.batch, dataset = due.dataset, split = due.split, example_id = due.example_id, cluster = due.cluster,
      category = due.category, difficulty = due.difficulty, should_retrieve = due.should_retrieve,
      expected_ids = due.expected_ids, key_facts = due.key_facts, forbidden = due.forbidden,
      asked_at = coalesce(due.asked_at, e.asked_at)
  FROM due WHERE e.pipeline_run_id = due.run_id AND e.started_at = due.occurred_at
  RETURNING e.pipeline_run_id, e.ended_at,
            CASE WHEN cardinality(e.expected_ids) > 0 THEN e.found_ids && e.expected_ids END AS hit
), stage AS (
  UPDATE public.telemetry_events AS s SET hit_rate = event.hit
  FROM event WHERE s.pipeline_id = event.pipeline_run_id AND s.created_at = event.ended_at
)
UPDATE public.sensor_ground_truths AS t SET applied_at = clock_timestamp()
FROM event WHERE t.run_id = event.pipeline_run_id
"""

# The latest that counts: said in earnest (repeat 0) and able to tell at least one thing.
_JUDGEMENTS = """
WITH due AS MATERIALIZED (
  SELECT DISTINCT j.run_id, l.occurred_at FROM public.sensor_judgements AS j
  JOIN public.sensor_ledger AS l ON l.run_id = j.run_id AND l.stage = 'run'
  WHERE j.applied_at IS NULL {chosen}
), latest AS (
  SELECT DISTINCT ON (j.run_id) j.*, due.occurred_at FROM due
  JOIN public.sensor_judgements AS j ON j.run_id = due.run_id
  WHERE j.repeat = 0
    AND num_nonnulls(j.retrieval_relevant, j.context_utilized, j.hallucination_detected) > 0
  ORDER BY j.run_id, j.id DESC
), event AS (
  UPDATE public.sensor_events AS e
  SET judge_version = latest.judge_version, retrieval_relevant = latest.retrieval_relevant,
      context_utilized = latest.context_utilized, hallucination_detected = latest.hallucination_detected,
      judge_reasons = latest.reasons
  FROM latest WHERE e.pipeline_run_id = latest.run_id AND e.started_at = latest.occurred_at
  RETURNING e.pipeline_run_id, e.ended_at, e.retrieval_relevant, e.context_utilized, e.hallucination_detected
), stage AS (
  UPDATE public.telemetry_events AS s
  SET retrieval_relevant = event.retrieval_relevant, context_utilized = event.context_utilized,
      hallucination_detected = event.hallucination_detected
  FROM event WHERE s.pipeline_id = event.pipeline_run_id AND s.created_at = event.ended_at
)
UPDATE public.sensor_judgements AS j SET applied_at = clock_timestamp()
FROM due WHERE j.run_id = due.run_id AND j.applied_at IS NULL
"""
_APPLY = (("sensor_ground_truths", "t", _TRUTHS), ("sensor_judgements", "j", _JUDGEMENTS))


def marks_apply(*, run_ids: Sequence[uuid.UUID] | None = None) -> None:
    """Apply what waits for `run_ids`, or all that waits. Costs two index look-ups when nothing does."""
    for table, alias, statement in _APPLY:
        chosen = f"AND {alias}.run_id = ANY(%s)" if run_ids is not None else ""
        values = [list(run_ids)] if run_ids is not None else []
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT EXISTS (SELECT 1 FROM public.{table} AS {alias} WHERE applied_at IS NULL {chosen})",  # noqa: S608
                values,
            )
            if cursor.fetchone()[0]:
                cursor.execute(_ALONE)
                cursor.execute(statement.format(chosen=chosen), values)
