"""From what MaaS stored of a run to the rows that the Sensor keeps: facts only, no quality.

What a run did not tell stays None; nothing is filled in with a plausible zero.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.canonical import derive_uuid
from sensor.domain.masking import Masked, mask, mask_keywords

STAGES = ("analyzer", "assembler", "responder", "archivist")
END_TO_END = "e2e"
RUN = "run"
"""Key of the `sensor_events` row in the ledger; the telemetry rows are held there under their stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """One COMPLETED or FAILED run, in the units of `pipeline_runs` (stage timings in ms, cost in USD)."""

    id: uuid.UUID
    user_id: uuid.UUID
    thread_id: uuid.UUID | None
    client_kind: str
    mode: str
    experiment: str | None
    variant: str | None
    cycle_type: str
    seed: int | None
    parameter_version: int | None
    query: str
    keywords: Sequence[str]
    context: str | None
    context_tokens: int | None
    answer: str | None
    found_ids: Sequence[uuid.UUID]
    found_scores: Sequence[float | None]
    used_ids: Sequence[uuid.UUID] | None
    memory_id: uuid.UUID | None
    status: str
    error_type: str | None
    error_message: str | None
    retry_count: int
    simulated_at: datetime | None
    started_at: datetime
    ended_at: datetime
    stage_timings: Mapping[str, float]
    model: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_cost_usd: Decimal | None
    feedback_score: int | None
    feedback_at: datetime | None
    consent: bool

    @property
    def asked_at(self) -> datetime:
        """When the query was asked in its user's own time."""
        return self.simulated_at or self.started_at


@dataclass(frozen=True, slots=True)
class LateFacts:
    """What a person may still say of a settled run: a score of 1 to 5, and that it is not to be learnt from."""

    run_id: uuid.UUID
    feedback_score: int | None
    feedback_at: datetime | None
    consent: bool


@dataclass(frozen=True, slots=True)
class MemoryFact:
    """What must be known of a found memory: whose it is, from when, under which tags. None: it was not told."""

    owner: uuid.UUID | None
    made_at: datetime | None
    tags: Sequence[str] | None


Memories = Mapping[uuid.UUID, MemoryFact]


def foreign_memories(run: FinishedRun, memories: Memories) -> list[uuid.UUID]:
    """Ids of another user's memories that reached this run, as found, used or written ones."""
    touched = dict.fromkeys([*run.found_ids, *(run.used_ids or ()), *([run.memory_id] if run.memory_id else [])])
    return [each for each in touched if each in memories and memories[each].owner not in (None, run.user_id)]


def isolation_ok(run: FinishedRun, memories: Memories) -> bool | None:
    """False if a memory of another user was touched; None if the owner of one that was read cannot be told."""
    if foreign_memories(run, memories):
        return False
    read = {*run.found_ids, *(run.used_ids or ())}
    return True if all(each in memories and memories[each].owner for each in read) else None


def mean_age_days(run: FinishedRun, memories: Memories) -> float | None:
    """Mean age of the memories found, in days at the time of asking."""
    known = [memories[each].made_at for each in run.found_ids if each in memories]
    ages = [(run.asked_at - made_at).total_seconds() for made_at in known if made_at is not None]
    return sum(ages) / len(ages) / 86_400 if ages else None


def tag_overlap(run: FinishedRun, memories: Memories) -> float | None:
    """Share of the query's keywords among the tags of what was found; None without keywords or finds."""
    words = {word.casefold() for word in run.keywords}
    known = [tags for each in run.found_ids if each in memories and (tags := memories[each].tags) is not None]
    if not words or not known:
        return None
    return len(words & {tag.casefold() for tags in known for tag in tags}) / len(words)


def latency_ms(run: FinishedRun) -> float:
    """Time from request to answer. The whole is measured by MaaS where it says so, else by its two clock readings."""
    measured = run.stage_timings.get(END_TO_END)
    return measured if measured is not None else (run.ended_at - run.started_at).total_seconds() * 1000


def event_row(run: FinishedRun, memories: Memories, *, masked: bool, captured_at: datetime) -> dict[str, Any]:
    """The columns of `sensor_events` that are known when the run ends. `masked`: hide addresses and numbers."""

    def keep(text: str | None) -> str | None:
        return mask(text).text if masked and text else text

    query = mask(run.query) if masked else Masked(run.query, ())
    keywords = mask_keywords(run.keywords, hidden=query.hidden) if masked else list(run.keywords)
    return {
        "pipeline_run_id": run.id,
        "user_id": run.user_id,
        "client_kind": run.client_kind,
        "mode": run.mode,
        "experiment": run.experiment,
        "variant": run.variant,
        "cycle_type": run.cycle_type,
        "thread_id": run.thread_id,
        "seed": run.seed,
        "query": query.text,
        "keywords": keywords,
        "context": keep(run.context),
        "context_tokens": run.context_tokens,
        "answer": keep(run.answer),
        "found_ids": list(run.found_ids),
        "found_scores": list(run.found_scores),
        "used_ids": None if run.used_ids is None else list(run.used_ids),
        "memory_id": run.memory_id,
        "parameter_version": run.parameter_version,
        "model": run.model,
        "status": run.status,
        "error_type": run.error_type,
        "error_message": keep(run.error_message),
        "retry_count": run.retry_count,
        "asked_at": run.asked_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "latency_ms": round(latency_ms(run), 3),
        "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens,
        "total_cost_usd": run.total_cost_usd,
        "memories_found": len(run.found_ids),
        "memories_used": None if run.used_ids is None else len(run.used_ids),
        "avg_memory_age_days": mean_age_days(run, memories),
        "tag_overlap_score": tag_overlap(run, memories),
        "isolation_ok": isolation_ok(run, memories),
        "feedback_score": run.feedback_score,
        "feedback_at": run.feedback_at,
        "consent": run.consent,
        "captured_at": captured_at,
    }


def stage_rows(run: FinishedRun, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `telemetry_events` of a run: one per stage that it reached, and `e2e`.

    Facts of the run as a whole stand on each row, so that the mission's shares come out right over any rows.
    What adds up (tokens, cost, retries) and the error stand on `e2e` alone, so that sums do too.
    """
    shared = {
        "pipeline_id": run.id,
        "experiment_id": derive_uuid("experiment", run.experiment) if run.experiment else None,
        "experiment": run.experiment,
        "variant": run.variant,
        "cycle_type": run.cycle_type,
        "created_at": run.ended_at,
        "memories_found": event["memories_found"],
        "memories_used": event["memories_used"],
        "avg_memory_age_days": event["avg_memory_age_days"],
        "tag_overlap_score": event["tag_overlap_score"],
        "user_id": run.user_id,
        "isolation_ok": event["isolation_ok"],
        "parameter_version": run.parameter_version,
    }
    silent = {
        "prompt_tokens": None, "completion_tokens": None, "total_cost_usd": None, "retry_count": 0, "error_type": None,
    }  # fmt: skip
    spoken = {name: event[name] for name in silent}
    rows = [
        {**shared, **silent, "stage": stage, "latency_ms": round(run.stage_timings[stage], 3)}
        for stage in STAGES
        if stage in run.stage_timings
    ]
    return [*rows, {**shared, **spoken, "stage": END_TO_END, "latency_ms": event["latency_ms"]}]
