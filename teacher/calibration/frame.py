"""Recorded, judged runs as cases: which there are, and what one of them says. Golden runs are never among them.

Texts are those of the Sensor, masked once more where a real person wrote them, and only while that person's consent
stands. A question of a real person that was asked again counts as that person's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from kernel.canonical import stable_hash
from llm.text import detect_language
from sensor.domain.masking import mask
from sensor.models import RunJudgement, SensorEvent
from sensor.selectors import consent_withdrawn, events
from teacher.calibration.drawing import Candidate, stratum_of

_CONTENT = ("pipeline_run_id", "query", "context", "answer", "key_facts", "forbidden", "should_retrieve",
            "memories_found", "category", "client_kind", "dataset", "example_id", "consent")  # fmt: skip
POOL = 20_000
"""Judged runs, newest first, among which cases are drawn: their texts are read and hashed at each draw."""
ASKED_AGAIN = "online-"
"""Example ids of questions of real people that were asked again begin so; the run that they came from follows."""


@dataclass(frozen=True, slots=True)
class CaseContent:
    """What the person sees: no mark of a judge, no variant, no version. `sections`: heading and lines of the context.

    `should_retrieve` None: what is right is not known.
    """

    run_id: uuid.UUID
    query: str
    answer: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    found: int
    should_retrieve: bool | None
    key_facts: tuple[str, ...]
    forbidden: tuple[str, ...]


def _shown() -> QuerySet[SensorEvent]:
    """Answered runs that may be shown: train and validation questions, and exchanges of people who agreed."""
    real = Q(split__isnull=True, consent=True, client_kind="user", cycle_type="online", experiment__isnull=True)
    return events().filter(Q(split__in=("train", "validation")) | real, status="COMPLETED")


def content_hash(row: SensorEvent) -> str:
    return stable_hash(row.query, row.context, row.answer, row.key_facts, row.forbidden, row.should_retrieve)


def candidates(*, judge_version: str) -> list[Candidate]:
    """Every distinct content among the newest `POOL` runs that this version judged in earnest and that may be shown.

    A content that came up many times is one case, for which its newest run stands: the same label would be asked for
    again.
    """
    marked = {
        row["run_id"]: stratum_of(
            hallucination=row["hallucination_detected"],
            context=row["context_utilized"],
            relevant=row["retrieval_relevant"],
        )
        for row in RunJudgement.objects.filter(
            judge_version=judge_version, repeat=0, hallucination_detected__isnull=False
        ).values("run_id", "hallucination_detected", "context_utilized", "retrieval_relevant")
    }
    rows = _shown().filter(pipeline_run_id__in=_judged(judge_version)).only(*_CONTENT)
    found: dict[str, Candidate] = {}
    for row in rows.order_by("-started_at", "pipeline_run_id")[:POOL].iterator(chunk_size=1000):
        if row.pipeline_run_id not in marked:
            continue
        key = content_hash(row)
        if key not in found:
            found[key] = Candidate(
                run_id=row.pipeline_run_id,
                content_hash=key,
                stratum=marked[row.pipeline_run_id],
                category=row.category or "",
                language=detect_language(row.query),
            )
    gone = _withdrawn([item.run_id for item in found.values()])
    return [item for item in found.values() if item.run_id not in gone]


def _judged(judge_version: str) -> Any:
    rows = RunJudgement.objects.filter(judge_version=judge_version, repeat=0)
    return rows.values("run_id")


def contents(*, run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, CaseContent]]:
    """Of those runs that are still recorded and may be shown: the hash of what was judged, and the texts."""
    if not run_ids:
        return {}
    gone = _withdrawn(run_ids)
    rows = _shown().filter(pipeline_run_id__in=list(run_ids)).only(*_CONTENT)
    return {row.pipeline_run_id: (content_hash(row), _content(row)) for row in rows if row.pipeline_run_id not in gone}


def rows_shown(*, run_ids: Sequence[uuid.UUID]) -> list[SensorEvent]:
    """The recorded rows of those runs that may be shown, for a judge to judge."""
    gone = _withdrawn(run_ids)
    rows = _shown().filter(pipeline_run_id__in=list(run_ids)).order_by("started_at", "pipeline_run_id")
    return [row for row in rows if row.pipeline_run_id not in gone]


def _withdrawn(run_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Runs that asked a real person's question again, where that person has taken the consent back since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pipeline_run_id, example_id FROM public.sensor_events"
            " WHERE dataset = 'online' AND pipeline_run_id = ANY(%s)",
            [list(run_ids)],
        )
        sources = {run_id: _source(example) for run_id, example in cursor.fetchall()}
    gone = consent_withdrawn(run_ids=[source for source in sources.values() if source is not None])
    return {run_id for run_id, source in sources.items() if source is None or source in gone}


def _source(example: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID((example or "").removeprefix(ASKED_AGAIN))
    except ValueError:
        return None


def _content(row: SensorEvent) -> CaseContent:
    real = row.client_kind == "user" or row.dataset == "online"

    def told(text: str | None) -> str:
        return mask(text or "").text if real else text or ""

    return CaseContent(
        run_id=row.pipeline_run_id,
        query=told(row.query),
        answer=told(row.answer),
        sections=sections(told(row.context)),
        found=row.memories_found,
        should_retrieve=row.should_retrieve,
        key_facts=tuple(row.key_facts or ()),
        forbidden=tuple(row.forbidden or ()),
    )


def sections(context: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A context by its headings, without the question, which stands above it. Lines before any heading have none."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in context.splitlines():
        if line.startswith("## "):
            found.append((line.removeprefix("## ").strip(), []))
        elif line.strip():
            found[-1][1].append(line.strip())
    return tuple((heading, tuple(lines)) for heading, lines in found if lines and heading != "Question")
