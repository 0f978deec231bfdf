"""Ground truth and judgements of posted runs: each row is checked by itself, then is what our own services write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from contracts.dialogue import GroundTruth
from contracts.telemetry import ExternalJudgement, ExternalTruth, Judgement
from sensor.domain.external import Fault, faults_of, short
from sensor.domain.masking import mask

Mark = TypeVar("Mark", bound=ExternalTruth | ExternalJudgement)

PREFIX = "external:"
"""Before names of batches and judges from outside: a batch of ours never takes in a run of others, and nobody judges
in the name of a judge of ours."""
NOT_POSTED = Fault("pipeline_run_id", "no run was posted under this id: post the run first")
_SAID_TWICE = Fault("pipeline_run_id", "the same request says something else of this run before")


@dataclass(frozen=True, slots=True)
class RejectedMark:
    """A row that was not taken. `index` counts from 0; `run_id` as it was given, None when it was no text."""

    index: int
    run_id: str | None
    errors: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class MarksReport:
    """`accepted`: new, or for a truth another than before. `duplicates`: known already. They add up with `rejected`."""

    accepted: int
    duplicates: int
    rejected: tuple[RejectedMark, ...]


@dataclass(slots=True)
class CheckedMarks(Generic[Mark]):
    """Rows by their index; `good`: each run (and judge) once. `repeats`: how many rows say a good one again."""

    good: dict[int, Mark] = field(default_factory=dict)
    repeats: int = 0
    rejected: list[RejectedMark] = field(default_factory=list)


def marks_check(rows: Sequence[Any], kind: type[Mark]) -> CheckedMarks[Mark]:
    """Tell the rows that can be recorded from the others, and say why. Of two rows on one run the first decides."""
    checked: CheckedMarks[Mark] = CheckedMarks()
    said: dict[tuple[uuid.UUID, str], ExternalTruth | ExternalJudgement] = {}
    for index, row in enumerate(rows):
        try:
            mark = cast("Mark", kind.model_validate(row))
        except ValidationError as error:
            checked.rejected.append(rejected_mark(index, row, faults_of(error)))
            continue
        key = _about(mark)
        if key not in said:
            said[key] = mark
            checked.good[index] = mark
        elif said[key] == mark:
            checked.repeats += 1
        else:
            checked.rejected.append(rejected_mark(index, row, [_SAID_TWICE]))
    return checked


def _about(mark: ExternalTruth | ExternalJudgement) -> tuple[uuid.UUID, str]:
    """The run, and who speaks of it."""
    return mark.pipeline_run_id, mark.judge_version if isinstance(mark, ExternalJudgement) else ""


def rejected_mark(index: int, row: Any, faults: Sequence[Fault]) -> RejectedMark:
    given = row.get("pipeline_run_id") if isinstance(row, Mapping) else None
    return RejectedMark(index, short(given, 64) if isinstance(given, str) else None, tuple(faults))


def truth_of(given: ExternalTruth, *, masked: bool) -> GroundTruth:
    """`masked`: the run is a real user's, so addresses and numbers in its facts are hidden as in its texts."""
    return GroundTruth(
        run_id=given.pipeline_run_id,
        example_id=given.example_id,
        batch=PREFIX + given.batch,
        dataset=given.dataset,
        split=given.split,
        cluster=given.cluster or given.example_id,
        should_retrieve=given.should_retrieve,
        expected_memory_ids=given.expected_memory_ids,
        key_facts=_texts(given.key_facts, masked),
        forbidden=_texts(given.forbidden, masked),
        category=given.category,
        difficulty=given.difficulty,
    )


def judgement_of(given: ExternalJudgement, *, masked: bool) -> Judgement:
    """`masked`: as in `truth_of`."""
    return Judgement(
        run_id=given.pipeline_run_id,
        judge_version=PREFIX + given.judge_version,
        retrieval_relevant=given.retrieval_relevant,
        context_utilized=given.context_utilized,
        hallucination_detected=given.hallucination_detected,
        reasons=_texts(given.reasons, masked),
    )


def _texts(texts: Sequence[str], masked: bool) -> tuple[str, ...]:
    return tuple(mask(text).text for text in texts) if masked else tuple(texts)
