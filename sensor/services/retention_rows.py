"""The statements of retention: count, hide, empty and drop one month of one table."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from sensor.storage import Partition

CHUNK = 5000

# A stage's row has no batch of its own: its run's row says it. `evidence`: from when on rows are protected at all.
_PROTECTED = {
    "sensor_events": "(r.experiment IS NOT NULL OR r.batch IS NOT NULL)",
    "telemetry_events": """(r.experiment IS NOT NULL OR EXISTS (
      SELECT FROM public.sensor_events AS e WHERE e.pipeline_run_id = r.pipeline_id
      AND e.started_at >= coalesce(%(evidence)s::timestamptz, '-infinity') AND e.batch IS NOT NULL))""",
}
# What else is kept of a row: its claim in the ledger; of a run also what was said of it.
_LEDGER = {
    "sensor_events": "l.run_id = r.pipeline_run_id AND l.stage = 'run'",
    "telemetry_events": "l.run_id = r.pipeline_id AND l.stage = r.stage",
}
_SAID = {"truths": "sensor_ground_truths", "judgements": "sensor_judgements"}
# The event that brought a foreign run, uncounted: sent again, it is refused as too old.
_BROUGHT = """brought AS (
  DELETE FROM public.sensor_external_events AS s USING r WHERE s.run_id = r.pipeline_run_id
), """
_COUNT = """
WITH r AS MATERIALIZED (SELECT r.{columns}, {protected} AS kept FROM public.{part} AS r)
SELECT count(*) FILTER (WHERE NOT kept), count(*) FILTER (WHERE kept),
       (SELECT count(*) FROM public.sensor_ledger AS l WHERE EXISTS (SELECT FROM r WHERE NOT kept AND {ledger})),
       {said}
FROM r
"""
_CHUNK = """
WITH r AS MATERIALIZED (
  SELECT r.id, r.{columns} FROM public.{part} AS r
  WHERE r.id > %(after)s AND NOT {protected} ORDER BY r.id LIMIT {most} {lock}
), ledger AS (
  DELETE FROM public.sensor_ledger AS l USING r WHERE {ledger} RETURNING 1
), {said} gone AS (
  {remove}
)
SELECT (SELECT count(*) FROM r), (SELECT id FROM r ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM gone),
       (SELECT count(*) FROM ledger), {counts}
"""
_COLUMNS = {"sensor_events": "pipeline_run_id", "telemetry_events": "pipeline_id, r.stage"}
_NO_ID = uuid.UUID(int=0)


def rows_count(*, part: Partition, evidence: datetime | None, everything: bool) -> tuple[dict[str, int], int]:
    """Of one partition: how many `rows`, `ledger`, `truths`, `judgements` would go; and how many rows stay."""
    said = [
        f"(SELECT count(*) FROM public.{table} AS s WHERE EXISTS"  # noqa: S608  names of this file
        " (SELECT FROM r WHERE NOT kept AND r.pipeline_run_id = s.run_id))"
        for table in _SAID.values()
    ]
    statement = _COUNT.format(
        columns=_COLUMNS[part.table],
        part=part.name,
        protected="false" if everything else _PROTECTED[part.table],
        ledger=_LEDGER[part.table],
        said=", ".join(said if part.table == "sensor_events" else ["0", "0"]),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"evidence": evidence})
        rows, kept, ledger, truths, judgements = cursor.fetchone()
    return {"rows": rows, "ledger": ledger, "truths": truths, "judgements": judgements}, kept


def month_hide(*, table: str, month: datetime, evidence: datetime | None) -> bool:
    """Detach the month, unless rows of experiments or batches are in it. True also if it was detached before."""
    if not _attached(table, month):
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_detach_month(%s, %s, %s)", [table, month, evidence])
        done: bool = cursor.fetchone()[0]
        return done


def month_drop(*, table: str, month: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_drop_month(%s, %s)", [table, month])


def chunk_remove(
    *, table: str, month: datetime, after: uuid.UUID | None, evidence: datetime | None, detached: bool
) -> tuple[uuid.UUID | None, dict[str, int]]:
    """Delete the next rows after that id with all that belongs to them, in one transaction.

    Of a detached month only what belongs to them: the rows go with the table. Returns the last id, None at the end, and
    how many of each went.
    """
    part = f"{table}_y{month:%Y}m{month:%m}"
    said = {name: of for name, of in _SAID.items() if table == "sensor_events"}
    statement = _CHUNK.format(
        columns=_COLUMNS[table],
        part=part,
        protected="false" if detached else _PROTECTED[table],
        most=CHUNK,
        # Whoever makes a row one of a batch just now is waited for, and the row is looked at again.
        lock="" if detached else "FOR UPDATE OF r",
        ledger=_LEDGER[table],
        said="".join(
            [
                *([_BROUGHT] if said else []),
                *(
                    f"{name} AS (DELETE FROM public.{of} AS s USING r WHERE s.run_id = r.pipeline_run_id RETURNING 1), "  # noqa: S608
                    for name, of in said.items()
                ),
            ]
        ),
        counts=", ".join(f"(SELECT count(*) FROM {name})" for name in said) or "0, 0",  # noqa: S608
        remove="SELECT id FROM r"
        if detached
        else f"DELETE FROM public.{part} AS p USING r WHERE p.id = r.id RETURNING 1",  # noqa: S608
    )
    values: dict[str, Any] = {"after": after or _NO_ID, "evidence": evidence}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        found, last, rows, ledger, truths, judgements = cursor.fetchone()
    went = {"rows": rows, "ledger": ledger, "truths": truths, "judgements": judgements}
    return (last if found == CHUNK else None), went


def _attached(table: str, month: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(%s))",
            [f"public.{table}_y{month:%Y}m{month:%m}"],
        )
        found: bool = cursor.fetchone()[0]
        return found
