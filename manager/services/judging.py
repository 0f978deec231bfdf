"""What the policy says of judging, as the Teacher takes it."""

from __future__ import annotations

from manager.services.policy import agreement_rule, policy_current
from teacher.calibration.gate import agreement_checks
from teacher.judges import Judging, judge_in_force
from teacher.statistics.trust import distrusted


def judging_current() -> Judging:
    """Which judge judges, how much of a batch, and for how much money."""
    policy = policy_current()
    return Judging(
        judge="llm" if policy.judge == "llm" else "offline",
        sample_per_batch=policy.judge_sample_per_batch,
        usd_per_batch=policy.judge_usd_per_batch,
    )


def judge_distrusted(*, batch: str) -> dict[str, str]:
    """Metrics of a judged batch that do not count by the policy, because people agree too little with its judge; each
    with the reason. Empty before anybody judged."""
    version = judge_in_force(batch)
    return distrusted(agreement_checks(version, agreement_rule())) if version is not None else {}
