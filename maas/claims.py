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

from django.db import DatabaseError, IntegrityError
from psycopg.errors import DeadlockDetected

from kernel.errors import Conflict
from maas.access import Outcome, Statement, act_as_service, act_for
from maas.domain.lifecycle import ANALYSIS, FINAL, RUN, STAGES, WORKING, RunStatus, Stage, stage_after
from maas.parameters import RunParameters
from maas.retrieval.found import Found

LEASE_SECONDS = 45.0
"""Longer than one try of a model (30 s); each try renews it."""
TAKEOVER_LIMIT = 6
"""A run that was taken over more often than this kills its workers and is failed."""


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
    stage_tries: dict[str, int]
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

    @property
    def lost_workers(self) -> int:
        return self.retry_count - sum(self.stage_tries.values())


def worker_token() -> str:
    """Who claims: new for each claim, so that two threads of one process are two workers."""
    return uuid.uuid4().hex


_FINAL = ", ".join(f"'{s}'" for s in FINAL)
_HELD = ", ".join(f"'{s}'" for s in WORKING)
_RESTING = ", ".join(f"'{stage.ready}'" for stage in STAGES if stage is not ANALYSIS)
_NEXT = " ".join(f"WHEN '{stage.ready}' THEN '{stage.working}'" for stage in STAGES)

# Nothing of this user is being worked on, and nothing that came earlier is open. Two questions, because each has an
# index that answers it at once, however many runs of the user wait.
_ORDER = f"""
  NOT EXISTS (
    SELECT FROM pipeline_runs AS other
    WHERE other.user_id = run.user_id AND other.mode = 'dialogue'
      AND (other.status IN ({_HELD}) OR other.needs_archive))
  AND NOT EXISTS (
    SELECT FROM pipeline_runs AS other
    WHERE other.user_id = run.user_id AND other.mode = 'dialogue'
      AND (other.created_at, other.id) < (run.created_at, run.id)
      AND (other.status NOT IN ({_FINAL}) OR other.needs_archive))
"""  # noqa: S608  constants of this package
# A worker's lease is over when it has run out. Without a worker, `lease_until` is the time of the next try, or null.
_FREE = f"""(
  (run.status = 'NEW' AND (run.mode <> 'dialogue' OR ({_ORDER})))
  OR run.status IN ({_RESTING})
  OR ((run.status IN ({_HELD}) OR run.needs_archive)
    AND (run.lease_until IS NULL OR run.lease_until < clock_timestamp())))
"""
_TAKE = f"""
UPDATE pipeline_runs AS run
SET status = CASE status {_NEXT} ELSE status END, claimed_by = %s,
    lease_until = clock_timestamp() + make_interval(secs => %s),
    retry_count = retry_count + (claimed_by IS NOT NULL)::int, updated_at = clock_timestamp()
WHERE """  # noqa: S608  constants of this package
_TAKEN = """
RETURNING id, user_id, user_query, status, mode, thread_id, simulated_at, created_at, experiment, variant,
  pinned_version, seed, retry_count, stage_tries, parameter_version, analysis_result, retrieval -> 'shown',
  final_context_payload, final_answer, needs_archive, claimed_by
"""
_FIELDS = (
    "id", "user_id", "query", "status", "mode", "thread_id", "simulated_at", "created_at", "experiment", "variant",
    "pinned_version", "seed", "retry_count", "stage_tries", "parameter_version", "analysis", "shown_ids",
    "payload", "answer", "needs_archive", "claimed_by",
)  # fmt: skip
"""The fields of `Run` that a claim returns, in its order."""
_CLAIM = f"{_TAKE} id = %s AND (%s::text IS NULL OR user_query = %s) AND {_FREE} {_TAKEN}"
# Oldest first, over the index `runs_open_by_age`; rows that others are taking at this moment are passed by.
_CLAIM_NEXT = f"""{_TAKE} id = (
  SELECT run.id FROM pipeline_runs AS run
  WHERE (run.status NOT IN ({_FINAL}) OR run.needs_archive) AND {_FREE}
  ORDER BY run.created_at, run.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
{_TAKEN}"""  # noqa: S608  constants of this package


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
    fields = dict(zip(_FIELDS, outcome.rows[0], strict=True))
    fields["status"] = RunStatus(fields["status"])
    fields["analysis"] = _loaded(fields["analysis"])
    fields["stage_tries"] = _loaded(fields["stage_tries"])
    fields["shown_ids"] = [uuid.UUID(item) for item in _loaded(fields["shown_ids"]) or ()]
    run = Run(**fields)
    if run.analysis is not None and run.parameter_version is not None:
        run.parameters = RunParameters.from_values(run.analysis["parameters"], version=run.parameter_version)
    return run


def lost_race(error: DatabaseError) -> bool:
    """Whether a claim failed because another worker was claiming too: one of two waits at the index, or both for each
    other, and then the server undoes one of them. Nothing has happened, and the other has the run."""
    return isinstance(error, IntegrityError) or isinstance(error.__cause__, DeadlockDetected)


def claim(run_id: uuid.UUID, user_id: uuid.UUID) -> Run | None:
    """Claim in a transaction of its own. None: not to be had now, or lost to another worker."""
    try:
        return claimed(act_for(user_id, claim_statement(run_id))[0])
    except DatabaseError as error:
        if not lost_race(error):
            raise
        return None


def claim_next() -> Run | None:
    """Claim the oldest run of anyone that may be worked on now. None: there is none.

    Not durable: a claim that a crash of the server undoes leaves the run where it was.
    """
    while True:
        try:
            return claimed(act_as_service(Statement(_CLAIM_NEXT, [worker_token(), LEASE_SECONDS]), durable=False)[0])
        except DatabaseError as error:  # another worker took another run of the same user; read anew what is free
            if not lost_race(error):
                raise


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
_TRIED = """
UPDATE pipeline_runs SET retry_count = retry_count + 1, stage_tries = stage_tries || %s::jsonb, error_message = %s,
  error_type = %s, claimed_by = CASE WHEN %s THEN claimed_by END,
  lease_until = clock_timestamp() + make_interval(secs => %s), updated_at = clock_timestamp()
WHERE id = %s AND claimed_by = %s
"""


def renew(run: Run, stage: str, error: BaseException) -> None:
    """Note a failed try and renew the lease for the next one. Raises `LeaseLost`."""
    _tried(run, stage, error, keep=True, seconds=LEASE_SECONDS)


def put_off(run: Run, stage: str, error: BaseException, *, seconds: float) -> None:
    """Note a failed try and let go of the run: whoever comes by after `seconds` tries again. Raises `LeaseLost`."""
    _tried(run, stage, error, keep=False, seconds=seconds)


def _tried(run: Run, stage: str, error: BaseException, *, keep: bool, seconds: float) -> None:
    tries = {stage: run.stage_tries.get(stage, 0) + 1}
    values = [json.dumps(tries), _message(error), type(error).__name__, keep, seconds, run.id, run.claimed_by]
    require_held(run, *act_for(run.user_id, Statement(_TRIED, values)))
    run.retry_count += 1
    run.stage_tries |= tries


_HAND_BACK = """
UPDATE pipeline_runs SET claimed_by = NULL, lease_until = NULL, updated_at = clock_timestamp()
WHERE id = %s AND claimed_by = %s
"""


def hand_back(run: Run) -> None:
    """Let go of a run between two stages, for whoever comes by next. Of a run that is not held any more, nothing."""
    act_for(run.user_id, Statement(_HAND_BACK, [run.id, run.claimed_by]))


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
