"""Metrics that a verdict does without, because the judge that they rest on is not agreed with enough.

The caller says so by a health check for each metric, which is stored with the evaluation: a replay needs no more. Such
a criterion is undecided, so that nothing is applied on its word; what was measured by ids decides as ever, and may
still make a loser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.evaluation import CriterionResult, HealthCheck

CHECK = "judge_agreement"
"""Beginning of the name of such a check: `judge_agreement:<metric>`."""


def distrusted(health: Iterable[HealthCheck]) -> dict[str, str]:
    """Metrics that do not count, each with its reason."""
    return {
        check.name.removeprefix(f"{CHECK}:"): check.detail
        for check in health
        if check.name.startswith(f"{CHECK}:") and not check.ok
    }


def explained(result: CriterionResult, reasons: Mapping[str, str]) -> CriterionResult:
    """The criterion with the reason why its metric does not count, if it does not."""
    if result.metric not in reasons:
        return result
    return result.model_copy(update={"reason": f"does not count: {reasons[result.metric]}"})
