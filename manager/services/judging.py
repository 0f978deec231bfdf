"""What the policy says of judging, as the Teacher takes it."""

from __future__ import annotations

from manager.services.policy import policy_current
from teacher.judges import Judging


def judging_current() -> Judging:
    """Which judge judges, how much of a batch, and for how much money."""
    policy = policy_current()
    return Judging(
        judge="llm" if policy.judge == "llm" else "offline",
        sample_per_batch=policy.judge_sample_per_batch,
        usd_per_batch=policy.judge_usd_per_batch,
    )
