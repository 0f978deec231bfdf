"""What changes the student's runs from outside the pipeline: a new run, feedback."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from contracts.actor import Actor, Role
from contracts.maas import RunRequest
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from maas.access import Statement, act_for, acting_for
from maas.helpfulness import HELPFUL_FROM

MAX_QUERY_LENGTH = 20_000

_SUBMIT = """
WITH run AS (
  INSERT INTO pipeline_runs (id, user_id, user_query, status, thread_id, client_kind, mode, simulated_at, experiment,
    variant, pinned_version, cycle_type, seed, consent, created_at, updated_at)
  VALUES (%s, %s, %s, 'NEW', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp())
  ON CONFLICT (id) DO NOTHING RETURNING id, user_id, user_query)
INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data)
SELECT id, user_id, 'USER_QUERY', jsonb_build_object('text', user_query) FROM run
"""


def run_submit(*, request: RunRequest, actor: Actor | None = None) -> uuid.UUID:
    """Insert a NEW run with its query in the log; the same `run_id` again is the same run.

    `actor`: who asks, when it is not a part of the system. To choose the parameters of a run (a version, an arm of an
    experiment) is to use what is not in force: that needs the role operator, else `NotAuthorised`.
    Raises `InvalidInput` for an empty or overlong query, `Conflict` when the id belongs to another query or user.
    """
    if actor is not None and (request.pinned_version is not None or request.experiment is not None):
        actor.require(Role.OPERATOR)
    run_id = request.run_id or uuid.uuid4()
    query = query_of(request)
    same = Statement("SELECT 1 FROM pipeline_runs WHERE id = %s AND user_query = %s", [run_id, query])
    if not act_for(request.user_id, insert_statement(request, run_id, query), same)[1].rows:
        raise Conflict("this run id belongs to another request", details={"run_id": str(run_id)})
    return run_id


def query_of(request: RunRequest) -> str:
    """The query as it is kept. Raises `InvalidInput`."""
    query = request.query.replace("\x00", "").strip()
    if not query:
        raise InvalidInput("the query is empty", details={"field": "query"})
    if len(query) > MAX_QUERY_LENGTH:
        raise InvalidInput(f"the query is longer than {MAX_QUERY_LENGTH} characters", details={"field": "query"})
    return query


def insert_statement(request: RunRequest, run_id: uuid.UUID, query: str) -> Statement:
    """What `run_submit` inserts; hits no row when the id is there already."""
    return Statement(
        _SUBMIT,
        [run_id, request.user_id, query, request.thread_id, request.client_kind, request.mode, request.simulated_at,
         request.experiment, request.variant, request.pinned_version, request.cycle_type, request.seed,
         request.consent],
    )  # fmt: skip


def feedback_record(*, run_id: uuid.UUID, user_id: uuid.UUID, score: int, comment: str = "") -> None:
    """What the user thinks of an answer, 1 to 5; a later word replaces the earlier one.

    Memories that the answer used count as helpful from 4 on, once. Raises `InvalidInput`, `NotFound`, and
    `IllegalTransition` while there is no answer yet.
    """
    if not 1 <= score <= 5:
        raise InvalidInput("feedback is a whole number from 1 to 5", details={"field": "score"})
    with acting_for(user_id) as cursor:
        cursor.execute(
            "SELECT status, coalesce(feedback_score, 0), used_memory_ids, found_right_at IS NOT NULL FROM pipeline_runs"
            " WHERE id = %s FOR UPDATE",
            [run_id],
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFound("no such run of this user", details={"run_id": str(run_id)})
        if row[0] != "COMPLETED":
            raise IllegalTransition("a run without an answer takes no feedback", details={"status": row[0]})
        cursor.execute(
            "UPDATE pipeline_runs SET feedback_score = %s, feedback_at = clock_timestamp(),"
            " updated_at = clock_timestamp() WHERE id = %s",
            [score, run_id],
        )
        cursor.execute(
            "INSERT INTO raw_logs (pipeline_run_id, user_id, log_type, log_data)"
            " VALUES (%s, %s, 'FEEDBACK', %s::jsonb)",
            [run_id, user_id, json.dumps({"score": score, "comment": comment})],
        )
        step = (score >= HELPFUL_FROM) - (row[1] >= HELPFUL_FROM)
        if step and not row[3]:  # an answer that was found right has made its memories helpful already
            cursor.execute(
                "UPDATE lsm_storage SET times_helpful = times_helpful + %s WHERE id = ANY(%s)", [step, row[2] or []]
            )


def time_bucket(at: datetime) -> str:
    """The ISO week, as in "2025-W42"."""
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02d}"
