"""The steps of a run: what each stage reads, asks and writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from contracts.parameters import ParameterContext
from kernel.canonical import derive_uuid
from maas.access import Statement, act_for
from maas.agents import archivist, responder
from maas.agents.analyzer import find_keywords
from maas.agents.assembler import assemble, recent_exchanges
from maas.claims import LEASE_SECONDS, Run, finish_stage, require_held
from maas.domain.lifecycle import ANALYSIS, ASSEMBLY, RESPONSE, RunStatus
from maas.embedding import embed_if_possible
from maas.parameters import RunParameters, resolve
from maas.retrieval.found import Found
from maas.retrieval.search import search
from maas.retrieval.strategies import Query
from maas.services import time_bucket


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
    searching = time.perf_counter()
    query = Query(text=run.query, keywords=tuple(keywords))
    result = search(user_id=run.user_id, query=query, parameters=parameters, until=run.simulated_at)
    _timed(run, "search", searching)
    _timed(run, "analysis", started)
    finish_stage(
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
    exchanges = recent_exchanges(run, limit=parameters.context_recent_exchanges)
    payload = assemble(run.query, _found(run), exchanges, parameters)
    _timed(run, "assembly", started)
    finish_stage(
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


def _found(run: Run) -> list[Found]:
    """What the search found; read back when an earlier worker did it."""
    if run.found is None:
        (outcome,) = act_for(run.user_id, Statement(_FOUND, [run.id]))
        run.found = [Found(*row) for row in outcome.rows]
    return run.found


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
    found = _found(run)
    texts = {memory.memory_id: memory.text for memory in found}
    reply = responder.respond(run, _parameters(run), shown=run.shown_ids, texts=texts)
    _timed(run, "response", started)
    values = {
        "answer": reply.answer,
        "used": reply.used,
        "model": reply.model,
        **reply.cost._asdict(),
        "timings": json.dumps(run.timings),
        "archive": run.writes_memory,
        "lease": LEASE_SECONDS,
        "id": run.id,
        "worker": run.claimed_by,
        "found": list(texts),
    }
    require_held(run, *act_for(run.user_id, Statement(_COMPLETE, values)))
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
    language, embedding, embedding_model, created_at)
  SELECT %(memory)s, %(user)s, %(bucket)s, %(tags)s::text[], %(summary)s, ARRAY[%(id)s::uuid], %(at)s, %(language)s,
    %(embedding)s::vector, %(embedding_model)s, clock_timestamp()
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
    model, vector = embed_if_possible([note.summary])[0] if note.summary else (None, None)
    _timed(run, "archive", started)
    at = run.simulated_at or datetime.now(UTC)
    values = {
        "id": run.id,
        "worker": run.claimed_by,
        "memory": derive_uuid("maas.memory", str(run.id)),
        "user": run.user_id,
        "bucket": time_bucket(at),
        "tags": note.tags,
        "summary": note.summary,
        "at": at,
        "language": note.language,
        "embedding": vector,
        "embedding_model": model,
        "timings": json.dumps({"archive": run.timings["archive"]}),
        **note.cost._asdict(),
    }
    (outcome,) = act_for(run.user_id, Statement(_ARCHIVE, values))
    require_held(run, outcome)
    run.memory_id, run.needs_archive = outcome.rows[0][0], False


_SETTLE = """
WITH settled AS (
  UPDATE pipeline_runs SET needs_archive = false, claimed_by = NULL, lease_until = NULL, error_type = %s,
    error_message = %s, finished_at = clock_timestamp(), updated_at = clock_timestamp()
  WHERE id = %s AND claimed_by = %s AND needs_archive RETURNING id, user_id)
INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data)
SELECT id, user_id, 'ERROR', %s::jsonb FROM settled
"""


def settle_without_memory(run: Run, error: Exception) -> None:
    """The answer stands; what could not be archived is noted on the run and in the log. Raises `LeaseLost`."""
    kind, message = type(error).__name__, f"not archived: {error}".replace("\x00", "")
    detail = json.dumps({"type": kind, "message": message, "status": "ARCHIVING"})
    values = [kind, message, run.id, run.claimed_by, detail]
    require_held(run, *act_for(run.user_id, Statement(_SETTLE, values)))
    run.needs_archive = False


STEPS: Mapping[str, Callable[[Run], None]] = {
    ANALYSIS.name: _analyse,
    ASSEMBLY.name: _assemble,
    RESPONSE.name: _respond,
    "archive": _archive,
}
