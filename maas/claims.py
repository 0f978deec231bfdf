"""Who works on a run: conditional claims with a lease, and the writes that end a stage.

Each write here is one statement that names the state it expects; it hits exactly one row or nothing has happened.
All functions run on a cursor of `acting_for(user)` and are part of the caller's transaction.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.backends.utils import CursorWrapper

from kernel.errors import Conflict
from maas.domain.lifecycle import ANALYSIS, FINAL, RUN, STAGES, WORKING, RunStatus, Stage, stage_after
from maas.parameters import RunParameters
from maas.retrieval.found import Found

LEASE_SECONDS = 45.0
"""Longer than one try of a model (30 s); each try renews it."""
TAKEOVER_LIMIT = 6
"""A run that was taken over or tried again this often kills its workers and is failed."""


class LeaseLost(Conflict):
    """Another worker has taken this run over; this one must write nothing more."""

    code = "LEASE_LOST"


@dataclass(slots=True)
class Run:
    """A claimed run and what its stages have found out so far."""

    id: uuid.UUID
    user_id: uuid.UUID
    query: str
    status: RunStatus
    mode: str
    thread_id: uuid.UUID | None
    simulated_at: datetime | None
    created_at: datetime
    experiment: str | None
    variant: str | None
    pinned_version: int | None
    seed: int | None
    retry_count: int
    parameter_version: int | None
    analysis: dict[str, Any] | None
    shown_ids: list[uuid.UUID]
    payload: str | None
    answer: str | None
    needs_archive: bool
    claimed_by: str
    parameters: RunParameters | None = None
    found: list[Found] | None = None
    used_ids: list[uuid.UUID] = field(default_factory=list)
    memory_id: uuid.UUID | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def writes_memory(self) -> bool:
        return self.mode == "dialogue"


def worker_token() -> str:
    """Who claims: new for each claim, so that two threads of one process are two workers."""
    return uuid.uuid4().hex


_ORDER = f"""
  NOT EXISTS (
    SELECT 1 FROM pipeline_runs AS other
    WHERE other.user_id = run.user_id AND other.mode = 'dialogue' AND other.id <> run.id
      AND (other.status NOT IN ({", ".join(f"'{s}'" for s in FINAL)}) OR other.needs_archive)
      AND (other.status <> 'NEW' OR (other.created_at, other.id) < (run.created_at, run.id)))
"""  # noqa: S608  constants of this package
_NEXT = " ".join(f"WHEN '{stage.ready}' THEN '{stage.working}'" for stage in STAGES)
_HELD = ", ".join(f"'{s}'" for s in WORKING)
_RESTING = ", ".join(f"'{stage.ready}'" for stage in STAGES if stage is not ANALYSIS)

_CLAIM = f"""
UPDATE pipeline_runs AS run
SET status = CASE status {_NEXT} ELSE status END, claimed_by = %s,
    lease_until = clock_timestamp() + make_interval(secs => %s),
    retry_count = retry_count + (lease_until IS NOT NULL)::int, updated_at = clock_timestamp()
WHERE id = %s AND (
  (status = 'NEW' AND (mode <> 'dialogue' OR {_ORDER}))
  OR status IN ({_RESTING})
  OR ((status IN ({_HELD}) OR needs_archive) AND lease_until < clock_timestamp()))
RETURNING id, user_id, user_query AS query, status, mode, thread_id, simulated_at, created_at, experiment, variant,
  pinned_version, seed, retry_count, parameter_version, analysis_result AS analysis, retrieval -> 'shown' AS shown_ids,
  final_context_payload AS payload, final_answer AS answer, needs_archive, claimed_by
"""  # noqa: S608  constants of this package


def claim(cursor: CursorWrapper, run_id: uuid.UUID) -> Run | None:
    """Take the next stage of a run, or one whose worker's lease has run out. None: not to be had now.

    A dialogue run waits until every earlier run of its user is answered and archived. Two workers who both see the way
    free meet at the index `one_working_dialogue_run_per_user`, and the second one gets an `IntegrityError`: call
    `claim_quietly` where the transaction holds nothing else.
    """
    cursor.execute(_CLAIM, [worker_token(), LEASE_SECONDS, run_id])
    row = cursor.fetchone()
    if row is None:
        return None
    fields = dict(zip((column.name for column in cursor.description), row, strict=True))
    fields["status"] = RunStatus(fields["status"])
    fields["analysis"] = _loaded(fields["analysis"])
    fields["shown_ids"] = [uuid.UUID(item) for item in _loaded(fields["shown_ids"]) or ()]
    run = Run(**fields)
    if run.analysis is not None and run.parameter_version is not None:
        run.parameters = RunParameters.from_values(run.analysis["parameters"], version=run.parameter_version)
    return run


def claim_quietly(run_id: uuid.UUID, user_id: uuid.UUID) -> Run | None:
    """`claim` in a transaction of its own; losing the race is None."""
    from maas.access import acting_for

    try:
        with acting_for(user_id) as cursor:
            return claim(cursor, run_id)
    except IntegrityError:
        return None


def finish_stage(cursor: CursorWrapper, run: Run, stage: Stage, columns: dict[str, Any]) -> None:
    """Write a stage's results and claim the next one for the same worker. Raises `LeaseLost`."""
    RUN.check(stage.working, stage.done)
    following = stage_after(stage)
    assert following is not None  # noqa: S101  the last stage ends in `run_complete`
    _write(cursor, run, stage.working, {**columns, "status": stage.done.value, "claimed_by": None, "lease_until": None})
    cursor.execute(
        "UPDATE pipeline_runs SET status = %s, claimed_by = %s, updated_at = clock_timestamp(),"
        " lease_until = clock_timestamp() + make_interval(secs => %s) WHERE id = %s AND status = %s",
        [following.working.value, run.claimed_by, LEASE_SECONDS, run.id, stage.done.value],
    )
    require_held(cursor, run)
    run.status = following.working


def renew(cursor: CursorWrapper, run: Run, error: BaseException) -> None:
    """Note a failed try and renew the lease for the next one. Raises `LeaseLost`."""
    cursor.execute(
        "UPDATE pipeline_runs SET retry_count = retry_count + 1, error_message = %s, error_type = %s,"
        " lease_until = clock_timestamp() + make_interval(secs => %s), updated_at = clock_timestamp()"
        " WHERE id = %s AND claimed_by = %s",
        [str(error) or type(error).__name__, type(error).__name__, LEASE_SECONDS, run.id, run.claimed_by],
    )
    require_held(cursor, run)
    run.retry_count += 1


_FAIL = """
WITH failed AS (
  UPDATE pipeline_runs SET status = 'FAILED', error_message = %s, error_type = %s, claimed_by = NULL,
    lease_until = NULL, finished_at = clock_timestamp(), updated_at = clock_timestamp(),
    stage_timings = stage_timings || %s::jsonb
  WHERE id = %s AND claimed_by = %s AND status = %s RETURNING id, user_id)
INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data)
SELECT id, user_id, 'ERROR', %s::jsonb FROM failed
"""


def fail(cursor: CursorWrapper, run: Run, error: BaseException) -> None:
    """End a run as FAILED with its reason. Raises `LeaseLost`."""
    RUN.check(run.status, RunStatus.FAILED)
    message, kind = str(error) or type(error).__name__, type(error).__name__
    detail = json.dumps({"type": kind, "message": message, "status": run.status.value})
    cursor.execute(_FAIL, [message, kind, json.dumps(run.timings), run.id, run.claimed_by, run.status.value, detail])
    require_held(cursor, run)
    run.status = RunStatus.FAILED


def _write(cursor: CursorWrapper, run: Run, expected: RunStatus, columns: dict[str, Any]) -> None:
    """Compare-and-swap of the run's columns. Dicts and lists are written as JSON."""
    cursor.execute(
        _update_statement(tuple(columns)),
        [*(json.dumps(v) if isinstance(v, dict | list) else v for v in columns.values()), run.id, run.claimed_by,
         expected.value],
    )  # fmt: skip
    require_held(cursor, run)


_MERGED = {"retrieval", "stage_timings"}
_ADDED = {"prompt_tokens", "completion_tokens", "cost_usd"}


def _update_statement(names: tuple[str, ...]) -> str:
    if names not in _statements:
        parts = [
            f"{name} = {name} + %s" if name in _ADDED else
            f"{name} = coalesce({name}, '{{}}') || %s::jsonb" if name in _MERGED else f"{name} = %s"
            for name in names
        ]  # fmt: skip
        _statements[names] = (
            f"UPDATE pipeline_runs SET {', '.join(parts)}, updated_at = clock_timestamp()"  # noqa: S608  own column names
            " WHERE id = %s AND claimed_by = %s AND status = %s"
        )
    return _statements[names]


_statements: dict[tuple[str, ...], str] = {}


def require_held(cursor: CursorWrapper, run: Run) -> None:
    """The statement just run must have hit one row. Raises `LeaseLost`, which rolls the transaction back."""
    if cursor.rowcount != 1:
        raise LeaseLost(f"run {run.id} is no longer held by this worker", details={"run_id": str(run.id)})


def _loaded(value: Any) -> Any:
    """A jsonb column as raw cursors give it under Django: text."""
    return json.loads(value) if isinstance(value, str) else value
