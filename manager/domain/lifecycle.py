"""The cycle's state machine (MANAGER.md §0.3, edges in reference.md) and the life of an approval."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class CycleState(StrEnum):
    IDLE = "IDLE"
    EMULATING = "EMULATING"
    EVALUATING = "EVALUATING"
    ANALYZING = "ANALYZING"
    TUNING = "TUNING"
    PAUSED = "PAUSED"
    FAILED = "FAILED"


_ALWAYS = frozenset({CycleState.PAUSED, CycleState.FAILED})
WORKING = (CycleState.EMULATING, CycleState.EVALUATING, CycleState.ANALYZING, CycleState.TUNING)

CYCLE: Lifecycle[CycleState] = Lifecycle(
    "cycle",
    {
        CycleState.IDLE: frozenset({CycleState.EMULATING}) | _ALWAYS,
        CycleState.EMULATING: frozenset({CycleState.EVALUATING}) | _ALWAYS,
        CycleState.EVALUATING: frozenset({CycleState.ANALYZING}) | _ALWAYS,
        CycleState.ANALYZING: frozenset({CycleState.TUNING, CycleState.IDLE}) | _ALWAYS,
        CycleState.TUNING: frozenset({CycleState.EMULATING, CycleState.IDLE}) | _ALWAYS,
        CycleState.PAUSED: frozenset({CycleState.IDLE, *WORKING, CycleState.FAILED}),
        CycleState.FAILED: frozenset({CycleState.IDLE, *WORKING}),
    },
)


class UpkeepState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


_ENDS = frozenset({UpkeepState.COMPLETED, UpkeepState.STOPPED, UpkeepState.FAILED})
UPKEEP: Lifecycle[UpkeepState] = Lifecycle(
    "upkeep cycle",
    {
        UpkeepState.RUNNING: frozenset({UpkeepState.PAUSED}) | _ENDS,
        UpkeepState.PAUSED: frozenset({UpkeepState.RUNNING, UpkeepState.STOPPED, UpkeepState.FAILED}),
    },
)


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"


APPROVAL: Lifecycle[ApprovalStatus] = Lifecycle(
    "approval",
    {
        ApprovalStatus.PENDING: frozenset(
            {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED, ApprovalStatus.VOID}
        ),
        ApprovalStatus.APPROVED: frozenset({ApprovalStatus.APPLIED, ApprovalStatus.VOID}),
    },
)


class PruningStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDONE = "undone"
    ERASED = "erased"


PRUNING: Lifecycle[PruningStatus] = Lifecycle(
    "pruning proposal",
    {
        PruningStatus.PENDING: frozenset({PruningStatus.APPROVED, PruningStatus.REJECTED, PruningStatus.EXPIRED}),
        PruningStatus.APPROVED: frozenset({PruningStatus.APPLIED}),
        PruningStatus.APPLIED: frozenset({PruningStatus.UNDONE, PruningStatus.ERASED}),
    },
)
