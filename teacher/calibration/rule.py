"""What the policy asks of a judge before its marks count, and how a verdict is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.evaluation import HealthCheck
from teacher.calibration.agreement import Agreement
from teacher.statistics.trust import CHECK

QUESTIONS: dict[str, tuple[str, str | None]] = {
    "hallucination": ("hallucination_detected", "hallucination_rate"),
    "context": ("context_utilized", "context_utilization"),
    "relevance": ("retrieval_relevant", None),
}
"""Question → the judge's mark, and the metric that rests on it alone. Relevance by ids needs no judge."""


@dataclass(frozen=True, slots=True)
class AgreementRule:
    """The policy's fields. `min_kappa` is compared with the κ found, not with an end of its interval: fifty labels
    leave an interval of some .3, so a lower bound would refuse judges that agree well, an upper bound hardly any."""

    min_kappa: float = 0.6
    min_labels: int = 50
    uncalibrated_counts: bool = True


class Standing(StrEnum):
    COUNTS = "counts"
    BELOW = "does not count"
    UNCALIBRATED = "not calibrated"


def standing_of(found: Agreement, rule: AgreementRule) -> Standing:
    if found.n < rule.min_labels or found.kappa.value is None:
        return Standing.UNCALIBRATED
    return Standing.COUNTS if found.kappa.value >= rule.min_kappa else Standing.BELOW


def counts(standing: Standing, rule: AgreementRule) -> bool:
    return standing is Standing.COUNTS or (standing is Standing.UNCALIBRATED and rule.uncalibrated_counts)


def reason(question: str, version: str, found: Agreement, rule: AgreementRule) -> str:
    """Why the judge does or does not count, with the figures, as part of a sentence."""
    standing = standing_of(found, rule)
    judge = f"judge {version} on {question}"
    labels = f"{found.n} label{'' if found.n == 1 else 's'}"
    if standing is Standing.UNCALIBRATED:
        if found.n >= rule.min_labels:
            return f"{judge} is not calibrated: {found.kappa.absent}"
        return f"{judge} is not calibrated: {labels}, the policy asks for {rule.min_labels}"
    compared = "reaches" if standing is Standing.COUNTS else "is below"
    return f"{judge}: κ {found.kappa.value:.2f} of {labels} {compared} the {rule.min_kappa:g} that the policy asks for"


def health(version: str, found: Mapping[str, Agreement], rule: AgreementRule) -> list[HealthCheck]:
    """A check for each metric that rests on the judge: stored with the verdict, so that a replay knows it too.

    None of them blocks: what was measured without the judge still counts.
    """
    return [
        HealthCheck(
            name=f"{CHECK}:{metric}",
            ok=counts(standing_of(found[question], rule), rule),
            blocks=False,
            detail=reason(question, version, found[question], rule),
        )
        for question, (_, metric) in QUESTIONS.items()
        if metric is not None and question in found
    ]
