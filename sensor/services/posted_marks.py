"""Ground truth and judgements of runs that were posted; runs of our own student are never marked from outside."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from contracts.actor import Actor, Role
from contracts.telemetry import ExternalJudgement, ExternalTruth
from kernel.errors import InvalidInput
from sensor.domain.external_marks import (
    NOT_POSTED,
    Mark,
    MarksReport,
    judgement_of,
    marks_check,
    rejected_mark,
    truth_of,
)
from sensor.services.ingest import MOST_AT_ONCE
from sensor.services.judgements import judgements_record
from sensor.services.truths import ground_truth_record

_POSTED = """
SELECT x.run_id, e.client_kind = 'user' FROM public.sensor_external_events AS x
JOIN public.sensor_ledger AS l ON l.run_id = x.run_id AND l.stage = 'run'
JOIN public.sensor_events AS e ON e.pipeline_run_id = l.run_id AND e.started_at = l.occurred_at
WHERE x.run_id = ANY(%s)
"""


def truths_receive(*, rows: Sequence[Any], actor: Actor) -> MarksReport:
    """Ground truth of posted runs. The same again changes nothing; another one replaces that before.

    Raises `NotAuthorised` below operator, `InvalidInput` for more than `MOST_AT_ONCE` rows.
    """

    def record(marks: Sequence[ExternalTruth], users: set[uuid.UUID]) -> int:
        return ground_truth_record([truth_of(each, masked=each.pipeline_run_id in users) for each in marks])

    return _received(rows, ExternalTruth, record, actor)


def judgements_receive(*, rows: Sequence[Any], actor: Actor) -> MarksReport:
    """Judgements of posted runs. What a judge version said first of a run stands. Raises as `truths_receive`."""

    def record(marks: Sequence[ExternalJudgement], users: set[uuid.UUID]) -> int:
        return judgements_record([judgement_of(each, masked=each.pipeline_run_id in users) for each in marks])

    return _received(rows, ExternalJudgement, record, actor)


def _received(
    rows: Sequence[Any], kind: type[Mark], record: Callable[[Sequence[Mark], set[uuid.UUID]], int], actor: Actor
) -> MarksReport:
    actor.require(Role.OPERATOR)
    if len(rows) > MOST_AT_ONCE:
        raise InvalidInput(f"at most {MOST_AT_ONCE} rows at once; these are {len(rows)}", details={"field": "body"})
    checked = marks_check(rows, kind)
    posted = _posted({mark.pipeline_run_id for mark in checked.good.values()})
    good = [mark for mark in checked.good.values() if mark.pipeline_run_id in posted]
    rejected = [
        *checked.rejected,
        *(
            rejected_mark(index, rows[index], [NOT_POSTED])
            for index, mark in checked.good.items()
            if mark.pipeline_run_id not in posted
        ),
    ]
    accepted = record(good, {run_id for run_id, of_user in posted.items() if of_user})
    return MarksReport(
        accepted=accepted,
        duplicates=len(rows) - len(rejected) - accepted,
        rejected=tuple(sorted(rejected, key=lambda row: row.index)),
    )


def _posted(run_ids: set[uuid.UUID]) -> dict[uuid.UUID, bool]:
    """Which of the runs were posted, and whether they are of a real user."""
    with connection.cursor() as cursor:
        cursor.execute(_POSTED, [list(run_ids)])
        return dict(cursor.fetchall())
