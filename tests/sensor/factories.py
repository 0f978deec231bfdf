"""Settled runs and memories as the student stores them, written with its own rights."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.dialogue import GroundTruth
from contracts.telemetry import Judgement
from sensor import student

ANNA = uuid.UUID("a0000000-0000-4000-8000-000000000001")
BORIS = uuid.UUID("b0000000-0000-4000-8000-000000000002")
TIMINGS = {"analyzer": 1.25, "assembler": 0.5, "responder": 2.0, "archivist": 0.75}


def memory(*, user_id: uuid.UUID = ANNA, days_ago: float = 0, tags: tuple[str, ...] = ()) -> uuid.UUID:
    made = datetime.now(UTC) - timedelta(days=days_ago)
    with student.as_service() as cursor:
        cursor.execute(
            "INSERT INTO lsm_storage (id, user_id, time_bucket, semantic_tags, summary_text, source_run_ids,"
            " simulated_at, language) VALUES (gen_random_uuid(), %s, '2025-W01', %s, 'a memory', '{}', %s, 'en')"
            " RETURNING id",
            [user_id, list(tags), made],
        )
        made_id: uuid.UUID = cursor.fetchone()[0]
        return made_id


def run(*, found: tuple[uuid.UUID, ...] = (), used: tuple[uuid.UUID, ...] | None = None, **columns: Any) -> uuid.UUID:
    """A settled run; `columns` override what is stored, `finished_at=None` leaves it unsettled."""
    now = datetime.now(UTC)
    scores = [{"memory_id": str(each), "score": 0.9 - 0.1 * i, "rank": i, "cut": None} for i, each in enumerate(found)]
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "user_id": ANNA,
        "user_query": "Where does my sister live?",
        "status": "COMPLETED",
        "final_context_payload": "MEMORIES: she moved to Kazan",
        "final_answer": "In Kazan.",
        "client_kind": "emulator",
        "mode": "evaluation",
        "keywords": json.dumps(["sister", "live"]),
        "retrieval": json.dumps({"strategy": "tags", "found": [str(each) for each in found], "candidates": scores}),
        "used_memory_ids": list(found if used is None else used),
        "stage_timings": json.dumps(TIMINGS),
        "parameter_version": 1,
        "latency_ms": 3.875,
        "created_at": now - timedelta(seconds=1),
        "finished_at": now,
        "answered_at": now,
        **columns,
    }
    values.setdefault("updated_at", values["finished_at"] or values["created_at"])
    marks = ", ".join(["%s"] * len(values))
    with student.as_service() as cursor:
        cursor.execute(f"INSERT INTO pipeline_runs ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608
    run_id: uuid.UUID = values["id"]
    return run_id


def truth(run_id: uuid.UUID, **fields: Any) -> GroundTruth:
    given: dict[str, Any] = {
        "example_id": "example-1",
        "batch": "batch-1",
        "dataset": "bundled",
        "split": "validation",
        "cluster": "cluster-1",
        "should_retrieve": True,
        **fields,
    }
    return GroundTruth(run_id=run_id, **given)


def judgement(run_id: uuid.UUID, version: str = "rules-1", **marks: Any) -> Judgement:
    return Judgement(run_id=run_id, judge_version=version, **marks)


def change(run_id: uuid.UUID, **columns: Any) -> None:
    """What a person does later: feedback, or taking consent back."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with student.as_service() as cursor:
        cursor.execute(
            f"UPDATE pipeline_runs SET {names}, updated_at = clock_timestamp() WHERE id = %s",  # noqa: S608
            [*columns.values(), run_id],
        )


def settle(run_id: uuid.UUID) -> None:
    """The Archivist is done: the run is announced as SETTLED."""
    with student.as_service() as cursor:
        cursor.execute("UPDATE pipeline_runs SET finished_at = clock_timestamp() WHERE id = %s", [run_id])
