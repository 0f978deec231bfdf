"""A claimed run through its stages, to the end. The in-process client and the orchestrator both call `carry_on`.

A stage asks the model without holding a transaction, then writes its result and takes the next stage in one. A worker
that lost its lease meanwhile writes nothing.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from django.db import connections
from django.db.backends.utils import CursorWrapper

from contracts.parameters import ParameterContext
from kernel.canonical import derive_uuid
from kernel.errors import NotFound, RuleViolated
from llm.errors import ModelRefused
from maas.access import ALIAS, acting_for
from maas.agents import archivist, responder
from maas.agents.analyzer import find_keywords
from maas.agents.assembler import assemble, recent_exchanges
from maas.claims import LEASE_SECONDS, TAKEOVER_LIMIT, LeaseLost, Run, fail, finish_stage, renew, require_held
from maas.domain.lifecycle import ANALYSIS, ASSEMBLY, BY_STATUS, FINAL, RESPONSE, RunStatus
from maas.parameters import RunParameters, resolve
from maas.retrieval.found import Found
from maas.retrieval.search import search
from maas.services import time_bucket

log = structlog.get_logger(__name__)

MAX_TRIES = 3
BACKOFF_SECONDS = 0.25
"""Wait before the second try; doubled for the third, each with up to as much again at random."""
HOPELESS = (ModelRefused, RuleViolated, NotFound)
"""The same request will fail again."""


def carry_on(run: Run) -> None:
    """Work on `run` from where it stands until it is settled, or until another worker has it.

    Every error ends in the run's row (FAILED with its reason) and not in the caller's hands.
    """
    try:
        if run.retry_count > TAKEOVER_LIMIT and run.status not in FINAL:
            return _give_up(run, RuntimeError(f"given up after {run.retry_count} tries and lost workers"))
        while run.status not in FINAL:
            if not _with_tries(run, _STAGES[BY_STATUS[run.status].name]):
                return None
        if run.needs_archive and not _with_tries(run, _archive):
            return None
    except LeaseLost:
        log.info("lease_lost", run_id=str(run.id), status=run.status.value)
    return None


def _with_tries(run: Run, step: Callable[[Run], None]) -> bool:
    """Up to MAX_TRIES of one step with growing pauses. False: the run has ended without this step."""
    for attempt in range(1, MAX_TRIES + 1):
        try:
            step(run)
            return True
        except LeaseLost:
            raise
        except Exception as error:
            log.warning("stage_failed", run_id=str(run.id), status=run.status.value, attempt=attempt, error=str(error))
            _mend_connection()
            if attempt == MAX_TRIES or isinstance(error, HOPELESS):
                _give_up(run, error)
                return False
            with acting_for(run.user_id) as cursor:
                renew(cursor, run, error)
            pause = BACKOFF_SECONDS * 2 ** (attempt - 1)
            time.sleep(pause * (1 + random.random()))  # noqa: S311  jitter, so that many runs do not return at once
    return False


def _give_up(run: Run, error: Exception) -> None:
    with acting_for(run.user_id) as cursor:
        if run.status in FINAL:
            _settle_without_memory(cursor, run, error)
        else:
            fail(cursor, run, error)


def _mend_connection() -> None:
    """A connection that broke is closed, so that the next statement opens a new one."""
    connection = connections[ALIAS]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _parameters(run: Run) -> RunParameters:
    if run.parameters is None:
        run.parameters = resolve(
            ParameterContext(
                experiment=run.experiment, variant=run.variant, version=run.pinned_version, user_id=run.user_id
            )
        )
    return run.parameters


def _timed(run: Run, name: str, started: float) -> None:
    run.timings[name] = round((time.perf_counter() - started) * 1000, 3)


def _analyse(run: Run) -> None:
    started = time.perf_counter()
    parameters = _parameters(run)
    keywords, cost = find_keywords(run, parameters)
    _timed(run, "keywords", started)
    with acting_for(run.user_id) as cursor:
        searching = time.perf_counter()
        result = search(cursor, keywords=keywords, parameters=parameters, until=run.simulated_at)
        _timed(run, "search", searching)
        _timed(run, "analysis", started)
        finish_stage(
            cursor,
            run,
            ANALYSIS,
            {
                "analysis_result": {"keywords": keywords, "parameters": parameters.as_values()},
                "keywords": keywords,
                "retrieval": result.trace,
                "parameter_version": parameters.version,
                "stage_timings": run.timings,
                **cost._asdict(),
            },
        )
    run.found = result.found


def _assemble(run: Run) -> None:
    started = time.perf_counter()
    parameters = _parameters(run)
    with acting_for(run.user_id) as cursor:
        if run.found is None:
            run.found = _found_again(cursor, run.id)
        exchanges = recent_exchanges(cursor, run, limit=parameters.context_recent_exchanges)
        payload = assemble(run.query, run.found, exchanges, parameters)
        _timed(run, "assembly", started)
        finish_stage(
            cursor,
            run,
            ASSEMBLY,
            {
                "final_context_payload": payload.text,
                "context_tokens": payload.tokens,
                "retrieval": {"shown": [str(memory_id) for memory_id in payload.memory_ids]},
                "stage_timings": run.timings,
            },
        )
    run.payload, run.shown_ids = payload.text, list(payload.memory_ids)


_FOUND = """
SELECT m.id, c.score, c.relevance, c.recency, m.summary_text, m.simulated_at, m.speaker, m.language
FROM pipeline_runs AS r, jsonb_to_recordset(r.retrieval -> 'candidates')
  AS c(memory_id uuid, rank int, score float8, relevance float8, recency float8, cut text)
JOIN lsm_storage AS m ON m.id = c.memory_id WHERE r.id = %s AND c.cut IS NULL ORDER BY c.rank
"""


def _found_again(cursor: CursorWrapper, run_id: uuid.UUID) -> list[Found]:
    """What an earlier worker's search found."""
    cursor.execute(_FOUND, [run_id])
    return [Found(*row) for row in cursor.fetchall()]


# The answer, its log and the counters of the memories, in one statement that needs the run to be held.
_COMPLETE = """
WITH done AS (
  UPDATE pipeline_runs SET status = 'COMPLETED', final_answer = %(answer)s, used_memory_ids = %(used)s::uuid[],
    model = %(model)s, prompt_tokens = prompt_tokens + %(prompt_tokens)s,
    completion_tokens = completion_tokens + %(completion_tokens)s, cost_usd = cost_usd + %(cost_usd)s,
    stage_timings = stage_timings || %(timings)s::jsonb,
    answered_at = clock_timestamp(), updated_at = clock_timestamp(),
    latency_ms = extract(epoch FROM clock_timestamp() - created_at) * 1000,
    needs_archive = %(archive)s, finished_at = CASE WHEN %(archive)s THEN NULL ELSE clock_timestamp() END,
    claimed_by = CASE WHEN %(archive)s THEN claimed_by END,
    lease_until = CASE WHEN %(archive)s THEN clock_timestamp() + make_interval(secs => %(lease)s) END
  WHERE id = %(id)s AND claimed_by = %(worker)s AND status = 'RESPONDING' RETURNING id, user_id
), counted AS (
  UPDATE lsm_storage SET times_retrieved = times_retrieved + 1,
    times_used = times_used + (id = ANY(%(used)s::uuid[]))::int
  WHERE %(archive)s AND id = ANY(%(found)s::uuid[]) AND EXISTS (SELECT FROM done)
)
INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data)
SELECT id, user_id, 'SYSTEM_RESPONSE', jsonb_build_object('text', %(answer)s::text) FROM done
"""


def _respond(run: Run) -> None:
    started = time.perf_counter()
    parameters = _parameters(run)
    if run.found is None:
        with acting_for(run.user_id) as cursor:
            run.found = _found_again(cursor, run.id)
    reply = responder.respond(
        run, parameters, shown=run.shown_ids, texts={memory.memory_id: memory.text for memory in run.found}
    )
    _timed(run, "response", started)
    with acting_for(run.user_id) as cursor:
        cursor.execute(
            _COMPLETE,
            {
                "answer": reply.answer,
                "used": reply.used,
                "model": reply.model,
                **reply.cost._asdict(),
                "timings": json.dumps(run.timings),
                "archive": run.writes_memory,
                "lease": LEASE_SECONDS,
                "id": run.id,
                "worker": run.claimed_by,
                "found": [memory.memory_id for memory in run.found],
            },
        )
        require_held(cursor, run)
    run.answer, run.used_ids = reply.answer, reply.used
    run.status, run.needs_archive = RunStatus.COMPLETED, run.writes_memory


# The memory, the mark on the logs and the end of the run, in one statement that needs the run to be held and its logs
# to be unprocessed: the same log never makes two memories.
_ARCHIVE = """
WITH held AS (
  SELECT id FROM pipeline_runs WHERE id = %(id)s AND claimed_by = %(worker)s AND needs_archive FOR UPDATE
), logs AS (
  UPDATE raw_logs SET processed = true, processed_at = clock_timestamp()
  WHERE pipeline_run_id = (SELECT id FROM held) AND NOT processed RETURNING id
), memory AS (
  INSERT INTO lsm_storage (id, user_id, time_bucket, semantic_tags, summary_text, source_run_ids, simulated_at,
    language, created_at)
  SELECT %(memory)s, %(user)s, %(bucket)s, %(tags)s::text[], %(summary)s, ARRAY[%(id)s::uuid], %(at)s, %(language)s,
    clock_timestamp()
  WHERE %(summary)s::text IS NOT NULL AND EXISTS (SELECT FROM logs) RETURNING id
)
UPDATE pipeline_runs SET memory_id = (SELECT id FROM memory), needs_archive = false, claimed_by = NULL,
  lease_until = NULL, prompt_tokens = prompt_tokens + %(prompt_tokens)s,
  completion_tokens = completion_tokens + %(completion_tokens)s,
  cost_usd = cost_usd + %(cost_usd)s, stage_timings = stage_timings || %(timings)s::jsonb,
  finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = (SELECT id FROM held)
RETURNING memory_id
"""


def _archive(run: Run) -> None:
    started = time.perf_counter()
    note = archivist.take_note(run, _parameters(run))
    _timed(run, "archive", started)
    at = run.simulated_at or datetime.now(UTC)
    with acting_for(run.user_id) as cursor:
        cursor.execute(
            _ARCHIVE,
            {
                "id": run.id,
                "worker": run.claimed_by,
                "memory": derive_uuid("maas.memory", str(run.id)),
                "user": run.user_id,
                "bucket": time_bucket(at),
                "tags": note.tags,
                "summary": note.summary,
                "at": at,
                "language": note.language,
                "timings": json.dumps({"archive": run.timings["archive"]}),
                **note.cost._asdict(),
            },
        )
        require_held(cursor, run)
        run.memory_id = cursor.fetchone()[0]
    run.needs_archive = False


def _settle_without_memory(cursor: CursorWrapper, run: Run, error: Exception) -> None:
    """The answer stands; what could not be archived is noted on the run and in the log."""
    kind, message = type(error).__name__, f"not archived: {error}"
    cursor.execute(
        "UPDATE pipeline_runs SET needs_archive = false, claimed_by = NULL, lease_until = NULL, error_type = %s,"
        " error_message = %s, finished_at = clock_timestamp(), updated_at = clock_timestamp()"
        " WHERE id = %s AND claimed_by = %s AND needs_archive",
        [kind, message, run.id, run.claimed_by],
    )
    require_held(cursor, run)
    cursor.execute(
        "INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data) VALUES (%s, %s, 'ERROR', %s::jsonb)",
        [run.id, run.user_id, json.dumps({"type": kind, "message": message, "status": "ARCHIVING"})],
    )
    run.needs_archive = False


_STAGES: dict[str, Callable[[Run], None]] = {
    ANALYSIS.name: _analyse,
    ASSEMBLY.name: _assemble,
    RESPONSE.name: _respond,
}
