"""Judges: what ids cannot tell. A judgement never overrides a number computed from ids."""

from teacher.judges.choice import judge_model
from teacher.judges.orchestrator import JUDGE_VERSION, OnProgress, batch_judge, judging_begin
from teacher.judges.protocol import OFFLINE, Judge, Judging
from teacher.judges.record import judge_in_force, judging_cut_short, judging_spent, judgings_of, judgings_recent
from teacher.judges.steadiness import Steadiness, judge_steadiness

__all__ = [
    "JUDGE_VERSION",
    "OFFLINE",
    "Judge",
    "Judging",
    "OnProgress",
    "Steadiness",
    "batch_judge",
    "judge_in_force",
    "judge_model",
    "judge_steadiness",
    "judging_begin",
    "judging_cut_short",
    "judging_spent",
    "judgings_of",
    "judgings_recent",
]
