"""The states of a run, which may follow which, and the three stages of work between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kernel.lifecycle import Lifecycle


class RunStatus(StrEnum):
    NEW = "NEW"
    ANALYZING = "ANALYZING"
    ANALYZED = "ANALYZED"
    ASSEMBLING = "ASSEMBLING"
    READY = "READY"
    RESPONDING = "RESPONDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


_S = RunStatus
_STEPS = (_S.NEW, _S.ANALYZING, _S.ANALYZED, _S.ASSEMBLING, _S.READY, _S.RESPONDING, _S.COMPLETED)

RUN: Lifecycle[RunStatus] = Lifecycle(
    "pipeline run",
    {source: frozenset({target, _S.FAILED}) for source, target in pairwise(_STEPS)},
)
FINAL = tuple(status for status in RunStatus if RUN.is_final(status))


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work: waits in `ready`, is done in `working` under a lease, ends in `done`."""

    name: str
    ready: RunStatus
    working: RunStatus
    done: RunStatus


ANALYSIS = Stage("analysis", _S.NEW, _S.ANALYZING, _S.ANALYZED)
ASSEMBLY = Stage("assembly", _S.ANALYZED, _S.ASSEMBLING, _S.READY)
RESPONSE = Stage("response", _S.READY, _S.RESPONDING, _S.COMPLETED)
STAGES = (ANALYSIS, ASSEMBLY, RESPONSE)

BY_STATUS: Mapping[RunStatus, Stage] = {status: stage for stage in STAGES for status in (stage.ready, stage.working)}
WORKING = tuple(stage.working for stage in STAGES)


def stage_after(stage: Stage) -> Stage | None:
    """The stage that starts where `stage` ends; None after the last."""
    return BY_STATUS.get(stage.done)
