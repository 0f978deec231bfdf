"""Runs of a MaaS that runs elsewhere: each row is checked by itself, and becomes what the Sensor writes of any run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from pydantic import ValidationError

from contracts.telemetry import ExternalRun
from sensor.domain.facts import END_TO_END, FinishedRun, MemoryFact

AHEAD = timedelta(days=1)
"""As far as a sender's clock may be before ours."""
OLDEST = timedelta(days=5 * 366)
"""How long ago a run may have begun. Each month has tables of its own, so a wrong year must not make hundreds."""
MOST_FAULTS = 10
"""Said of one row; a row with more is broken as a whole."""
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong. `field` is its place in the row, e.g. `found.0.score`; empty for the row as a whole."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken. `index` counts from 0; `event_id` as it was given, None when it was no text."""

    index: int
    event_id: str | None
    errors: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """`accepted`: recorded by this call. `duplicates`: were recorded before, or stand twice in the call."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejected, ...]

    def __add__(self, other: IngestReport) -> IngestReport:
        return IngestReport(
            accepted=self.accepted + other.accepted,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
        )


@dataclass(slots=True)
class Checked:
    """Rows by their index. `good`: each event and each run once. `repeats`: rows that say again what the good row at
    that index says."""

    good: dict[int, ExternalRun] = field(default_factory=dict)
    repeats: dict[int, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


def rows_check(rows: Sequence[Any], *, now: datetime) -> Checked:
    """Tell the rows that can be recorded from the others, and say why.

    The first row decides: the same event of the same run again is a repeat; an event id that stands for two runs, and
    a run that stands under two event ids, are refused from the second on, whatever becomes of the first.
    """
    checked = Checked()
    by_event: dict[uuid.UUID, tuple[int, uuid.UUID]] = {}
    runs: set[uuid.UUID] = set()
    latest, earliest = now + AHEAD, now - OLDEST
    for index, row in enumerate(rows):
        try:
            event = ExternalRun.model_validate(row)
        except ValidationError as error:
            checked.rejected.append(refused(index, row, faults_of(error)))
            continue
        first = by_event.get(event.event_id)
        if event.ended_at > latest:
            fault = Fault("ended_at", f"it lies more than {AHEAD.days} day ahead")
        elif event.started_at < earliest:
            fault = Fault("started_at", f"it lies more than {OLDEST.days} days back")
        elif first is not None and first[1] == event.pipeline_run_id:
            checked.repeats[index] = first[0]
            continue
        elif first is not None:
            fault = Fault("event_id", "this event id stands for another run in the same request")
        elif event.pipeline_run_id in runs:
            fault = Fault("pipeline_run_id", "this run stands in the same request under another event id")
        else:
            checked.good[index] = event
            by_event[event.event_id] = (index, event.pipeline_run_id)
            runs.add(event.pipeline_run_id)
            continue
        checked.rejected.append(refused(index, row, [fault]))
    return checked


def refused(index: int, row: Any, faults: Sequence[Fault]) -> Rejected:
    given = row.event_id if isinstance(row, ExternalRun) else row.get("event_id") if isinstance(row, dict) else None
    if isinstance(given, uuid.UUID):
        given = str(given)
    return Rejected(index, short(given, 64) if isinstance(given, str) else None, tuple(faults))


def faults_of(error: ValidationError) -> list[Fault]:
    """Names each field; values stay out, they may be what somebody said."""
    found = [
        Fault(
            short(".".join(str(part) for part in item["loc"] if part != "[key]"), 100),
            short(item["msg"].removeprefix("Value error, "), _LONGEST_MESSAGE),
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    if len(found) > MOST_FAULTS:
        found[MOST_FAULTS - 1 :] = [Fault("", f"and {len(found) - MOST_FAULTS + 1} more")]
    return found


def short(text: str, most: int) -> str:
    """A field's name may be anything that JSON can say: of any length, and with halves of characters."""
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.encode(errors="replace").decode()


def finished_run(event: ExternalRun) -> FinishedRun:
    timings = dict(cast(dict[str, float], event.stages))
    if event.latency_ms is not None:
        timings[END_TO_END] = event.latency_ms
    return FinishedRun(
        id=event.pipeline_run_id,
        user_id=event.user_id,
        thread_id=event.thread_id,
        client_kind=event.client_kind,
        mode=event.mode,
        experiment=event.experiment,
        variant=event.variant,
        cycle_type=event.cycle_type,
        seed=event.seed,
        parameter_version=event.parameter_version,
        query=event.query,
        keywords=event.keywords,
        context=event.context,
        context_tokens=event.context_tokens,
        answer=event.answer,
        found_ids=[memory.id for memory in event.found],
        found_scores=[memory.score for memory in event.found],
        used_ids=event.used_ids,
        memory_id=event.memory_id,
        status=event.status,
        error_type=event.error_type,
        error_message=event.error_message,
        retry_count=event.retry_count,
        simulated_at=event.asked_at,
        started_at=event.started_at,
        ended_at=event.ended_at,
        stage_timings=timings,
        model=event.model,
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        total_cost_usd=None if event.cost_usd is None else Decimal(repr(event.cost_usd)),
        feedback_score=event.feedback_score,
        feedback_at=event.feedback_at,
        consent=event.consent,
    )


def memories_told(event: ExternalRun) -> dict[uuid.UUID, MemoryFact]:
    """What this run says of its memories. Another may say something else of the same one; each stands for itself."""
    return {
        memory.id: MemoryFact(owner=memory.user_id, made_at=memory.created_at, tags=memory.tags)
        for memory in event.found
    }
