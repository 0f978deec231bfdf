"""Judges: what ids cannot tell. A judgement never overrides a number computed from ids."""

from teacher.judges.orchestrator import JUDGE_VERSION, batch_judge

__all__ = ["JUDGE_VERSION", "batch_judge"]
