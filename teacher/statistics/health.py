"""Is the experiment itself sound? Each check that fails and blocks makes the verdict inconclusive."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc, gammaln, kolmogorov

from contracts.evaluation import HealthCheck
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics.compare import Comparison
from teacher.statistics.paired_proportions import mcnemar_mid_p
from teacher.statistics.table import Arm, Flags
from teacher.statistics.words import number, probability

RATIO_P = 0.001
RATE_P = 0.01
APART = 0.3
"""Arms whose places in time differ by more than this share (Kolmogorov–Smirnov) did not run interleaved."""


def fisher_exact(x_v: int, n_v: int, x_b: int, n_b: int) -> float:
    """Two-sided Fisher p: all tables with these margins that are no likelier than the one seen."""
    total, events = n_v + n_b, x_v + x_b
    if total == 0 or events in (0, total):
        return 1.0
    place = np.arange(max(0, events - n_b), min(events, n_v) + 1)

    def log_choose(n: int, k: np.ndarray) -> np.ndarray:
        chosen: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return chosen

    log_p = log_choose(n_v, place) + log_choose(n_b, events - place) - log_choose(total, np.array(events))
    seen = log_p[x_v - place[0]]
    return float(min(1.0, np.exp(log_p[log_p <= seen + 1e-7]).sum()))


def checks(
    spec: ExperimentSpec, arms: Sequence[Arm], baseline: Arm, variant: Arm, comparisons: Sequence[Comparison]
) -> list[HealthCheck]:
    """Every check that samples allow, in a fixed order. `baseline` and `variant` are aligned when paired."""
    paired = spec.assignment.mode == "paired"
    return [
        _sample_ratio(spec, arms),
        _assignment(baseline, variant, paired=paired),
        _failure_rate(baseline, variant, paired=paired),
        _missing_rate(comparisons, paired=paired),
        _interleaving(baseline, variant),
    ]


def _sample_ratio(spec: ExperimentSpec, arms: Sequence[Arm]) -> HealthCheck:
    counts = [sum(1 for runs in arm.runs if runs) for arm in arms]
    total = sum(counts)
    split = spec.assignment.split
    if spec.assignment.mode == "paired" or len(split) != len(counts) or sum(split) <= 0 or min(split) <= 0:
        split = tuple(1.0 for _ in counts)
    if total == 0:
        return HealthCheck(name="sample_ratio", ok=True, blocks=False, detail="not checked: there are no samples")
    expected = [total * share / sum(split) for share in split]
    chi2 = sum((count - wanted) ** 2 / wanted for count, wanted in zip(counts, expected, strict=True))
    p = float(chdtrc(len(counts) - 1, chi2))
    seen = " : ".join(str(count) for count in counts)
    wanted_text = " : ".join(number(wanted) for wanted in expected)
    return HealthCheck(
        name="sample_ratio",
        ok=p >= RATIO_P,
        detail=f"{seen} examples where {wanted_text} were expected, p {probability(p)}",
    )


def _assignment(baseline: Arm, variant: Arm, *, paired: bool) -> HealthCheck:
    if paired:
        return HealthCheck(name="assignment", ok=True, detail="paired: every example belongs to both arms")
    both = set(baseline.examples) & set(variant.examples)
    detail = f"{len(both)} examples ran in both arms" if both else "no example ran in both arms"
    return HealthCheck(name="assignment", ok=not both, detail=detail)


def _rates_differ(baseline: Flags, variant: Flags, *, paired: bool) -> float:
    if paired:
        return mcnemar_mid_p(int((variant & ~baseline).sum()), int((baseline & ~variant).sum()))
    return fisher_exact(int(variant.sum()), variant.size, int(baseline.sum()), baseline.size)


def _failure_rate(baseline: Arm, variant: Arm, *, paired: bool) -> HealthCheck:
    first, second = baseline.failed, variant.failed
    p = _rates_differ(first, second, paired=paired)
    counts = [
        f"{int(flags.sum())} of {flags.size} failed in {arm.name}"
        for arm, flags in ((baseline, first), (variant, second))
    ]
    detail = ", ".join(counts)
    return HealthCheck(name="failure_rate", ok=p >= RATE_P, detail=f"{detail}, p {probability(p)}")


def _missing_rate(comparisons: Sequence[Comparison], *, paired: bool) -> HealthCheck:
    """The metric whose missing rates differ most stands for all."""
    worst_p, detail = 1.0, "no value is missing"
    for item in comparisons:
        first, second = item.columns[0].missing, item.columns[1].missing
        if not first.any() and not second.any():
            continue
        p = _rates_differ(first, second, paired=paired)
        if p < worst_p or detail == "no value is missing":
            counts = f"{int(first.sum())} of {first.size} and {int(second.sum())} of {second.size}"
            worst_p = min(p, worst_p)
            detail = f"{item.metric}: {counts} are missing, p {probability(p)}"
    return HealthCheck(name="missing_rate", ok=worst_p >= RATE_P, detail=detail)


def _interleaving(baseline: Arm, variant: Arm) -> HealthCheck:
    """Kolmogorov–Smirnov distance of the arms' places in time: 0 interleaved, 1 one after the other."""
    first, second = _orders(baseline), _orders(variant)
    if first.size == 0 or second.size == 0:
        return HealthCheck(name="interleaving", ok=True, blocks=False, detail="not checked: no order was recorded")
    places = np.concatenate([first, second])
    below_first = np.searchsorted(first, places, side="right") / first.size
    below_second = np.searchsorted(second, places, side="right") / second.size
    distance = float(np.abs(below_first - below_second).max())
    p = float(kolmogorov(math.sqrt(first.size * second.size / (first.size + second.size)) * distance))
    apart = distance > APART and p < RATIO_P
    told = "did not run interleaved in time" if apart else "ran interleaved in time"
    return HealthCheck(name="interleaving", ok=not apart, detail=f"the arms {told}: distance {number(distance)}")


def _orders(arm: Arm) -> np.ndarray:
    return np.sort(
        np.array([run.order for runs in arm.runs for run in runs if run.order is not None], dtype=np.float64)
    )
