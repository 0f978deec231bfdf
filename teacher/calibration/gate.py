"""What a verdict is told of its judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.evaluation import HealthCheck, Sample
from teacher.calibration.agreement import Agreement
from teacher.calibration.rule import QUESTIONS, AgreementRule, health
from teacher.calibration.selectors import agreement_of, judged_cases
from teacher.statistics.trust import distrusted


def agreements(version: str) -> dict[str, Agreement]:
    """The figures of one judge version, by question."""
    judged = judged_cases(version)
    return {question: agreement_of(version, question, judged) for question in QUESTIONS}


def agreement_checks(version: str, rule: AgreementRule) -> list[HealthCheck]:
    """As of now; stored with the verdict, since later labels change nothing of it."""
    return health(version, agreements(version), rule)


def without(samples: Sequence[Sample], checks: list[HealthCheck]) -> list[Sample]:
    """The samples without the metrics of a judge that does not count; all else as it was."""
    gone = distrusted(checks)
    if not gone:
        return list(samples)
    return [sample.model_copy(update={"metrics": _kept(sample.metrics, gone)}) for sample in samples]


def _kept(metrics: Mapping[str, float | None], gone: Mapping[str, str]) -> dict[str, float | None]:
    return {name: value for name, value in metrics.items() if name not in gone}
