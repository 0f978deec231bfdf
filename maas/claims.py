"""Who works on a run: conditional claims with a lease, and the writes that end a stage.

Each write names the worker and the state that it expects; it hits exactly one row or nothing has happened.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db import IntegrityError

from kernel.errors import Conflict
from maas.access import Outcome, Statement, act_for
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
WHERE id = %s AND (%s::text IS NULL OR user_query = %s) AND (
  (status = 'NEW' AND (mode <> 'dialogue' OR {_ORDER}))
  OR status IN ({_RESTING})
  OR ((status IN ({_HELD}) OR needs_archive) AND lease_until < clock_timestamp()))
RETURNING id, user_id, user_query, status, mode, thread_id, simulated_at, created_at, experiment, variant,
  pinned_version, seed, retry_count, parameter_version, analysis_result, retrieval -> 'shown', final_context_payload,
  final_answer, needs_archive, claimed_by
"""  # noqa: S608  constants of this package
_CLAIMED = (
    "id", "user_id", "query", "status", "mode", "thread_id", "simulated_at", "created_at", "experiment", "variant",
    "pinned_version", "seed", "retry_count", "parameter_version", "analysis", "shown_ids", "payload",
    "answer", "needs_archive", "claimed_by",
)  # fmt: skip
"""The fields of `Run` that a claim returns, in its order."""


def claim_statement(run_id: uuid.UUID, *, query: str | None = None) -> Statement:
    """Take the next stage of a run, or one whose worker's lease has run out; of a run with another query, nothing.

    A dialogue run waits until every earlier run of its user is answered and archived. Two workers who both see the way
    free meet at the index `one_working_dialogue_run_per_user`, and the second one gets an `IntegrityError`.
    """
    return Statement(_CLAIM, [worker_token(), LEASE_SECONDS, run_id, query, query])


def claimed(outcome: Outcome) -> Run | None:
    """The run that a claim won. None: it is not to be had now."""
    if not outcome.rows:
        return None
    fields = dict(zip(_CLAIMED, outcome.rows[0], strict=True))
    fields["status"] = RunStatus(fields["status"])
    fields["analysis"] = _loaded(fields["analysis"])
    fields["shown_ids"] = [uuid.UUID(item) for item in _loaded(fields["shown_ids"]) or ()]
    run = Run(**fields)
    if run.analysis is not None and run.parameter_version is not None:
        run.parameters = RunParameters.from_values(run.analysis["parameters"], version=run.parameter_version)
    return run


def claim(run_id: uuid.UUID, user_id: uuid.UUID) -> Run | None:
    """Claim in a transaction of its own. None: not to be had now, or lost to another worker."""
    try:
        return claimed(act_for(user_id, claim_statement(run_id))[0])
    except IntegrityError:
        return None


def finish_stage(run: Run, stage: Stage, columns: dict[str, Any]) -> None:
    """Write a stage's results and claim the next one for the same worker. Raises `LeaseLost`, having written nothing.

    Not durable by itself: after a crash of the server the stage would be done again.
    """
    RUN.check(stage.working, stage.done)
    following = stage_after(stage)
    assert following is not None  # noqa: S101  the last stage ends with the answer
    values = [json.dumps(v) if isinstance(v, dict | list) else v for v in columns.values()]
    finish = Statement(
        _finish_statement(tuple(columns)), [*values, stage.done.value, run.id, run.claimed_by, stage.working.value]
    )
    proceed = Statement(_PROCEED, [following.working.value, LEASE_SECONDS, run.id, run.claimed_by, stage.done.value])
    require_held(run, *act_for(run.user_id, finish, proceed, durable=False))
    run.status = following.working


_PROCEED = """
UPDATE pipeline_runs SET status = %s, updated_at = clock_timestamp(),
  lease_until = clock_timestamp() + make_interval(secs => %s) WHERE id = %s AND claimed_by = %s AND status = %s
"""
_RENEW = """
UPDATE pipeline_runs SET retry_count = retry_count + 1, error_message = %s, error_type = %s,
  lease_until = clock_timestamp() + make_interval(secs => %s), updated_at = clock_timestamp()
WHERE id = %s AND claimed_by = %s
"""


def renew(run: Run, error: BaseException) -> None:
    """Note a failed try and renew the lease for the next one. Raises `LeaseLost`."""
    values = [_message(error), type(error).__name__, LEASE_SECONDS, run.id, run.claimed_by]
    require_held(run, *act_for(run.user_id, Statement(_RENEW, values)))
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


def fail(run: Run, error: BaseException) -> None:
    """End a run as FAILED with its reason. Raises `LeaseLost`."""
    RUN.check(run.status, RunStatus.FAILED)
    message, kind = _message(error), type(error).__name__
    detail = json.dumps({"type": kind, "message": message, "status": run.status.value})
    values = [message, kind, json.dumps(run.timings), run.id, run.claimed_by, run.status.value, detail]
    require_held(run, *act_for(run.user_id, Statement(_FAIL, values)))
    run.status = RunStatus.FAILED


def require_held(run: Run, *outcomes: Outcome) -> None:
    """Each write must have hit its one row; they all name the worker, so they hit together or not at all."""
    if any(outcome.hits != 1 for outcome in outcomes):
        raise LeaseLost(f"run {run.id} is no longer held by this worker", details={"run_id": str(run.id)})


_MERGED = {"retrieval", "stage_timings"}
_ADDED = {"prompt_tokens", "completion_tokens", "cost_usd"}


@cache
def _finish_statement(names: tuple[str, ...]) -> str:
    """JSON objects are merged into what an earlier stage wrote, costs are added to it."""
    parts = [
        f"{name} = {name} + %s"
        if name in _ADDED
        else f"{name} = coalesce({name}, '{{}}') || %s::jsonb"
        if name in _MERGED
        else f"{name} = %s"
        for name in names
    ]
    return (
        f"UPDATE pipeline_runs SET {', '.join(parts)}, status = %s, updated_at = clock_timestamp()"  # noqa: S608  own names
        " WHERE id = %s AND claimed_by = %s AND status = %s"
    )


def _message(error: BaseException) -> str:
    return (str(error) or type(error).__name__).replace("\x00", "")


def _loaded(value: Any) -> Any:
    """A jsonb column as raw cursors give it under Django: text."""
    return json.loads(value) if isinstance(value, str) else value
