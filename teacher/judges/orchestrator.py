"""Judges the runs of a batch that have an answer and no mark of this judge version yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from contracts.telemetry import Judgement
from llm.errors import ModelUnavailable
from sensor.models import RunJudgement, SensorEvent
from sensor.selectors import events
from sensor.services import judgements_record
from teacher.judges.answers import answers_prune
from teacher.judges.choice import judge_of
from teacher.judges.llm import NO_MONEY
from teacher.judges.offline import OfflineJudge
from teacher.judges.protocol import OFFLINE, Bill, Case, Judge, Judging, Marks
from teacher.judges.purse import Purse
from teacher.judges.record import Extent, judging_add, judging_bind, judgings_of
from teacher.judges.sampling import Unit, drawn, units_of

JUDGE_VERSION = OfflineJudge.version
"""The judge that counts where nothing else is said."""

OnProgress = Callable[[int, int], None]
"""Called with runs judged and runs to judge, between pieces of work and about once a second while a model thinks."""

NO_MORE = "the money for this batch is spent"
"""Why a judging ended early: by design, where an outage is none."""
_ROWS = 500
_AT_ONCE = 8
"""Runs that a judge that samples is given together: what is lost when a worker is killed, but for what was kept."""
_GIVE_UP = 6
"""So many failures to reach the model, one after the other, are an outage: nothing is decided while it lasts."""
_NEEDED = (
    "pipeline_run_id", "query", "answer", "context", "memories_found", "found_ids", "expected_ids", "should_retrieve",
    "key_facts", "forbidden", "started_at",
)  # fmt: skip


def batch_judge(
    *, batch: str, judging: Judging = OFFLINE, repeat: int = 0, on_progress: OnProgress | None = None
) -> int:
    """Judge what is not judged yet; judged twice gives the same marks. Returns how many runs were judged now.

    The judge becomes the one whose marks count for the batch; a `repeat` above 0 is history only, for measuring the
    judge's own steadiness. A failed run has no answer to judge: it stays without marks and is counted as failed, not as
    passed. A judge that samples judges examples under all their arms or not at all, until the money of the policy is
    spent; `judgings_of` tells what was done. Raises `InvalidInput` when a model is to judge and none is configured,
    `ModelUnavailable` when it cannot be reached: what was judged until then is kept, and the next call goes on.
    """
    shown = [0, 0]
    judge = judge_of(judging, repeat=repeat, on_wait=lambda: _show(on_progress, shown))
    if repeat == 0:
        judging_bind(batch=batch, version=judge.version, sampled=judge.samples)
    if isinstance(judge, OfflineJudge):
        return _judge_all(judge, batch=batch, repeat=repeat)
    before = next(
        (row for row in judgings_of(batch) if (row.judge_version, row.repeat) == (judge.version, repeat)), None
    )
    judge.purse = Purse(judging.usd_per_batch - float(before.cost_usd if before else 0))
    answered = _answered(batch)
    places = answered.values_list("dataset", "split").order_by("dataset", "split").first()
    units = units_of(answered.values_list("pipeline_run_id", "example_id", "category").order_by("pipeline_run_id"))
    chosen = drawn(units, limit=judging.sample_per_batch, seed=places)
    extent = Extent(runs=sum(len(unit.runs) for unit in units), chosen=sum(len(unit.runs) for unit in chosen))
    waiting = set(_unjudged(answered, judge.version, repeat).values_list("pipeline_run_id", flat=True))
    todo = [unit for unit in chosen if waiting & set(unit.runs)]
    shown[1] = sum(len(waiting & set(unit.runs)) for unit in todo)
    return _judge_sample(judge, batch, repeat, extent, todo, waiting, lambda done: _show(on_progress, shown, done))


def judging_begin(*, batch: str, judging: Judging = OFFLINE) -> str:
    """Choose the judge of a batch before it is run. Returns its version.

    A batch that another judge judges in the end then shows that there were two. Raises as `batch_judge`.
    """
    judge = judge_of(judging)
    judging_bind(batch=batch, version=judge.version, sampled=judge.samples)
    return judge.version


def _show(on_progress: OnProgress | None, shown: list[int], done: int = 0) -> None:
    shown[0] += done
    if on_progress is not None:
        on_progress(shown[0], shown[1])


def _answered(batch: str) -> QuerySet[SensorEvent]:
    return events(batch=batch, golden=True).exclude(status="FAILED")


def _unjudged(rows: QuerySet[SensorEvent], version: str, repeat: int) -> QuerySet[SensorEvent]:
    said = RunJudgement.objects.filter(run_id=OuterRef("pipeline_run_id"), judge_version=version, repeat=repeat)
    found = rows.exclude(Exists(said))
    return found.exclude(judge_version=version) if repeat == 0 else found


def _judge_all(judge: Judge, *, batch: str, repeat: int) -> int:
    answered, extent, count = _answered(batch), None, 0
    rows = _unjudged(answered, judge.version, repeat).only(*_NEEDED).iterator(chunk_size=_ROWS)
    for chunk in _chunks(rows, _ROWS):
        extent = extent or Extent(runs := answered.count(), runs)
        marks = judge.judge([case_of(row) for row in chunk])
        count += _record(judge, batch, repeat, extent, list(zip(chunk, marks, strict=True)))
    return count


def _judge_sample(
    judge: Judge,
    batch: str,
    repeat: int,
    extent: Extent,
    todo: Sequence[Unit],
    waiting: set[uuid.UUID],
    told: Callable[[int], None],
) -> int:
    count, streak, stopped = 0, 0, ""
    for units in _together(todo):
        ids = [run for unit in units for run in unit.runs if run in waiting]
        held = {row.pipeline_run_id: row for row in _answered(batch).filter(pipeline_run_id__in=ids).only(*_NEEDED)}
        said = [
            (held[run], one) for run, one in zip(ids, judge.judge([case_of(held[run]) for run in ids]), strict=True)
        ]
        for _, one in said:
            streak = streak + 1 if one.outage else 0
        unpaid = {row.pipeline_run_id for row, one in said if one.failure == NO_MONEY}
        lost = unpaid or {row.pipeline_run_id for row, one in said if one.outage and streak >= _GIVE_UP}
        if lost:
            stopped = NO_MORE if unpaid else f"the model that judges cannot be asked ({said[-1][1].reasons[0]})"
        left = {run for unit in units if lost & set(unit.runs) for run in unit.runs}
        kept = [(row, one) for row, one in said if row.pipeline_run_id not in left]
        count += _record(judge, batch, repeat, extent, kept, [one.bill for _, one in said], stopped)
        told(len(kept))
        if stopped:
            break
    if todo:
        answers_prune()
    if stopped and stopped != NO_MORE:
        raise ModelUnavailable(
            f"{stopped}: {count} answers of {batch} were judged now, and the rest is when it answers"
        )
    return count


def _together(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Whole units, about `_AT_ONCE` runs each time."""
    held: list[Unit] = []
    for unit in units:
        held.append(unit)
        if sum(len(one.runs) for one in held) >= _AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _chunks(rows: Iterator[SensorEvent], size: int) -> Iterator[list[SensorEvent]]:
    chunk: list[SensorEvent] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def case_of(row: SensorEvent) -> Case:
    """A recorded run as judges take it."""
    return Case(
        answer=row.answer or "",
        context=row.context or "",
        found=row.memories_found,
        hits=len(set(row.found_ids) & set(row.expected_ids or ())),
        should_retrieve=row.should_retrieve,
        key_facts=tuple(row.key_facts or ()),
        forbidden=tuple(row.forbidden or ()),
        query=row.query or "",
        ids_known=row.expected_ids is not None,
    )


@transaction.atomic
def _record(
    judge: Judge,
    batch: str,
    repeat: int,
    extent: Extent,
    said: Sequence[tuple[SensorEvent, Marks]],
    bills: Sequence[Bill] = (),
    stopped: str = "",
) -> int:
    """Keep the marks, and what all of it took. What failed is a judgement without marks: missing, not passed."""
    judgements = [
        Judgement(
            run_id=row.pipeline_run_id,
            judge_version=judge.version,
            retrieval_relevant=one.retrieval_relevant,
            context_utilized=one.context_utilized,
            hallucination_detected=one.hallucination,
            reasons=one.reasons,
        )
        for row, one in said
    ]
    new = judgements_record(judgements, repeat=repeat)
    judging_add(
        batch=batch,
        version=judge.version,
        repeat=repeat,
        sampled=judge.samples,
        extent=extent,
        marks=[one for _, one in said],
        bill=sum(bills, Bill()),
        stopped=stopped,
    )
    return new
