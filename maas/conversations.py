"""What a person sees of their own conversations, and their word on whether these may be learnt from.

A conversation is the dialogue runs of one thread. All reads and writes see one user alone.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from contracts.base import Part
from kernel.errors import NotFound
from maas.access import Outcome, Statement, act_for

STALLED_AFTER_SECONDS = 4.0
"""Without any step for so long, and in nobody's hands, a run waits for an orchestrator that is not there."""
LONGEST_PAGE = 200
After = tuple[datetime, uuid.UUID]
"""When and which was the last row of the page before."""


class Conversation(Part):
    """One thread of a user, by the words that it began with."""

    thread_id: uuid.UUID
    first_words: str
    started_at: datetime
    last_at: datetime
    exchanges: int


class Recalled(Part):
    """One memory that the search returned. `text` None: it is gone. `relevance`, `recency`, `score`: as in the trace
    of the search, higher is better. `used`: the answer rests on it."""

    memory_id: uuid.UUID
    text: str | None
    speaker: str | None
    at: datetime | None
    score: float
    relevance: float
    recency: float
    used: bool


class Exchange(Part):
    """One question and what came of it. `remembered`: the text of the memory that it left; None: none (yet).
    `error`: why there is no answer, why the answer could not be remembered, or what the last try failed at.

    `settled`: nothing of it but feedback and consent will change. `stalled`: nobody works on it, and nothing has moved
    for `STALLED_AFTER_SECONDS`. `idle_seconds`: since the last step. `stage_ms`: how long each stage took.
    """

    run_id: uuid.UUID
    thread_id: uuid.UUID
    query: str
    status: str
    answer: str | None
    error: str | None
    retry_count: int
    asked_at: datetime
    answered_at: datetime | None
    latency_ms: float | None
    parameter_version: int | None
    model: str | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    feedback_score: int | None
    consent: bool
    memory_id: uuid.UUID | None
    remembered: str | None
    settled: bool
    stalled: bool
    idle_seconds: float
    stage_ms: dict[str, float]
    found: tuple[Recalled, ...]

    @property
    def used(self) -> int:
        """How many of the found memories the answer rests on."""
        return sum(1 for memory in self.found if memory.used)


class Remembered(Part):
    """One memory of a user, with how often it was found, used, and part of an answer that the user liked."""

    memory_id: uuid.UUID
    text: str
    speaker: str | None
    at: datetime
    tags: tuple[str, ...]
    language: str
    times_retrieved: int
    times_used: int
    times_helpful: int


_CONVERSATIONS = """
SELECT thread_id, left((array_agg(user_query ORDER BY created_at, id))[1], 200), min(created_at), max(created_at),
  count(*)
FROM pipeline_runs WHERE mode = 'dialogue' AND thread_id IS NOT NULL
GROUP BY thread_id HAVING %s::timestamptz IS NULL OR (max(created_at), %s::uuid) < (%s, thread_id)
ORDER BY max(created_at) DESC, thread_id LIMIT %s OFFSET %s
"""
_CONVERSATION_COUNT = """
SELECT count(DISTINCT thread_id) FROM pipeline_runs WHERE mode = 'dialogue' AND thread_id IS NOT NULL
"""


def conversations(
    *, user_id: uuid.UUID, limit: int = 50, offset: int = 0, after: After | None = None
) -> tuple[list[Conversation], int]:
    """The user's threads, the one last spoken in first, and how many there are. `after`: those behind the thread that
    was last spoken in then."""
    page, count = act_for(
        user_id,
        Statement(_CONVERSATIONS, [*_behind(after), _capped(limit), offset]),
        Statement(_CONVERSATION_COUNT, []),
    )
    return [_filled(Conversation, row) for row in page.rows], int(count.rows[0][0])


_EXCHANGES = """
SELECT r.id, r.thread_id, r.user_query, r.status, r.final_answer,
  CASE WHEN r.status = 'FAILED' OR r.finished_at IS NULL OR starts_with(r.error_message, 'not archived:')
    THEN r.error_message END,
  r.retry_count, r.created_at, r.answered_at, r.latency_ms, r.parameter_version, r.model, r.prompt_tokens,
  r.completion_tokens, r.cost_usd, r.feedback_score, r.consent, r.memory_id,
  (SELECT m.summary_text FROM lsm_storage AS m WHERE m.id = r.memory_id), r.finished_at IS NOT NULL,
  r.finished_at IS NULL AND r.updated_at < clock_timestamp() - make_interval(secs => %s)
    AND NOT EXISTS (SELECT FROM pipeline_runs AS o WHERE o.user_id = r.user_id AND o.mode = 'dialogue'
      AND (o.status NOT IN ('COMPLETED', 'FAILED') OR o.needs_archive) AND o.lease_until > clock_timestamp()),
  extract(epoch FROM clock_timestamp() - r.updated_at)::float8, r.stage_timings,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('memory_id', c.memory_id, 'text', m.summary_text, 'speaker', m.speaker,
      'at', m.simulated_at, 'score', coalesce(c.score, 0), 'relevance', coalesce(c.relevance, 0),
      'recency', coalesce(c.recency, 0), 'used', c.memory_id = ANY(coalesce(r.used_memory_ids, '{}')))
      ORDER BY c.rank), '[]')
   FROM jsonb_to_recordset(r.retrieval -> 'candidates') AS c(memory_id uuid, rank int, score float8, relevance float8,
     recency float8, cut text)
   LEFT JOIN lsm_storage AS m ON m.id = c.memory_id WHERE c.cut IS NULL)
FROM pipeline_runs AS r
"""
_OF_THREAD = _EXCHANGES + (
    "WHERE r.thread_id = %s AND r.mode = 'dialogue' "
    "AND (%s::timestamptz IS NULL OR (r.created_at, r.id) < (%s, %s::uuid)) "
    "ORDER BY r.created_at DESC, r.id DESC LIMIT %s OFFSET %s"
)
_THREAD_COUNT = "SELECT count(*) FROM pipeline_runs WHERE thread_id = %s AND mode = 'dialogue'"
_OF_RUN = _EXCHANGES + "WHERE r.id = %s AND r.thread_id = %s AND r.mode = 'dialogue'"


def conversation(
    *, user_id: uuid.UUID, thread_id: uuid.UUID, limit: int = 50, offset: int = 0, after: After | None = None
) -> tuple[list[Exchange], int]:
    """The last `limit` exchanges of a thread (before the last `offset`), oldest first, and how many there are. `after`:
    those before the exchange that was asked then and has that id.

    Raises `NotFound`, for another user's thread too.
    """
    at, last = after or (None, None)
    page, count = act_for(
        user_id,
        Statement(_OF_THREAD, [STALLED_AFTER_SECONDS, thread_id, at, at, last, _capped(limit), offset]),
        Statement(_THREAD_COUNT, [thread_id]),
    )
    total = int(count.rows[0][0])
    if not total:
        raise NotFound("no such conversation of this user", details={"thread_id": str(thread_id)})
    return [_exchange(row) for row in reversed(page.rows)], total


def exchange(*, user_id: uuid.UUID, thread_id: uuid.UUID, run_id: uuid.UUID) -> Exchange:
    """One exchange as it stands now. Raises `NotFound`, for another user's run too."""
    (outcome,) = act_for(user_id, Statement(_OF_RUN, [STALLED_AFTER_SECONDS, run_id, thread_id]))
    if not outcome.rows:
        raise NotFound("no such run of this user", details={"run_id": str(run_id)})
    return _exchange(outcome.rows[0])


_MEMORIES = """
SELECT id, summary_text, speaker, simulated_at, semantic_tags, language, times_retrieved, times_used, times_helpful
FROM lsm_storage WHERE %s::timestamptz IS NULL OR (simulated_at, %s::uuid) < (%s, id)
ORDER BY simulated_at DESC, id LIMIT %s OFFSET %s
"""


def memories(
    *, user_id: uuid.UUID, limit: int = 50, offset: int = 0, after: After | None = None
) -> tuple[list[Remembered], int]:
    """What is remembered of the user, newest first, and how many memories there are. `after`: those behind the memory
    of that time and id."""
    page, count = act_for(
        user_id,
        Statement(_MEMORIES, [*_behind(after), _capped(limit), offset]),
        Statement("SELECT count(*) FROM lsm_storage", []),
    )
    return [_filled(Remembered, row) for row in page.rows], int(count.rows[0][0])


_CONSENT = """
UPDATE pipeline_runs SET consent = %s, updated_at = clock_timestamp()
WHERE mode = 'dialogue' AND consent <> %s AND (%s::uuid IS NULL OR thread_id = %s)
"""


def consent_set(*, user_id: uuid.UUID, consent: bool, thread_id: uuid.UUID | None = None) -> int:
    """Whether what the user has said may be learnt from: in one conversation, or without `thread_id` in all of them.

    Returns how many exchanges changed. Runs to come carry the flag of their own request. Raises `NotFound` for a
    thread that the user does not have.
    """
    change = Statement(_CONSENT, [consent, consent, thread_id, thread_id])
    if thread_id is None:
        (outcome,) = act_for(user_id, change)
        return outcome.hits
    outcome, count = act_for(user_id, change, Statement(_THREAD_COUNT, [thread_id]))
    if not count.rows[0][0]:
        raise NotFound("no such conversation of this user", details={"thread_id": str(thread_id)})
    return outcome.hits


def consent_withdraw(*, user_id: uuid.UUID) -> int:
    """Nothing that the user has ever said may be learnt from any more. Returns how many exchanges that takes back."""
    return consent_set(user_id=user_id, consent=False)


_LAST_CONSENT = """
SELECT consent, created_at FROM pipeline_runs WHERE mode = 'dialogue' ORDER BY created_at DESC, id DESC LIMIT 1
"""


def consent_last(*, user_id: uuid.UUID) -> tuple[bool, datetime] | None:
    """Whether the user's last exchange may be learnt from now, and when it was begun. None: there is none yet."""
    outcome: Outcome
    (outcome,) = act_for(user_id, Statement(_LAST_CONSENT, []))
    return (outcome.rows[0][0], outcome.rows[0][1]) if outcome.rows else None


def _capped(limit: int) -> int:
    return max(1, min(limit, LONGEST_PAGE + 1))  # one more tells whether there is more


def _behind(after: After | None) -> list[Any]:
    """For times that fall while ids rise: (time, the last id) < (the last time, id)."""
    at, last = after or (None, None)
    return [at, last, at]


def _filled(kind: type[Any], row: tuple[Any, ...]) -> Any:
    return kind(**dict(zip(kind.model_fields, row, strict=True)))


def _exchange(row: tuple[Any, ...]) -> Exchange:
    fields = dict(zip(Exchange.model_fields, row, strict=True))
    for name in ("stage_ms", "found"):
        fields[name] = json.loads(fields[name]) if isinstance(fields[name], str) else fields[name]
    return Exchange(**fields)
