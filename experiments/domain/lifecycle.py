"""The life of an experiment (reference.md, "Experiments")."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class ExperimentStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    COMPLETED = "completed"
    ANALYZED = "analyzed"
    APPLIED = "applied"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled_back"


EXPERIMENT: Lifecycle[ExperimentStatus] = Lifecycle(
    "experiment",
    {
        ExperimentStatus.PLANNED: frozenset({ExperimentStatus.RUNNING, ExperimentStatus.REJECTED}),
        ExperimentStatus.RUNNING: frozenset({ExperimentStatus.COMPLETED, ExperimentStatus.REJECTED}),
        ExperimentStatus.COMPLETED: frozenset({ExperimentStatus.ANALYZED}),
        ExperimentStatus.ANALYZED: frozenset({ExperimentStatus.APPLIED, ExperimentStatus.REJECTED}),
        ExperimentStatus.APPLIED: frozenset({ExperimentStatus.ROLLED_BACK}),
    },
)
