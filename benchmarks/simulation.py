"""Simulated experiments for the statistics benchmark: the distributions that docs/STATISTICS.md names, seeded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from contracts.evaluation import Evaluation, Sample, Verdict
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics import evaluate

Floats = NDArray[np.float64]
Quantile = Callable[[Floats], Floats]
LATENT_CORRELATION = 0.76
MEAN, SD = 0.68, 0.35
TEN_LOOKS = tuple(range(40, 401, 40))


def beta(mean: float = MEAN, *, same_deviation: bool = False) -> Quantile:
    """Quantile function of a Beta; k = .68 · .32 / .35² − 1, the same in both arms whatever their means.

    `same_deviation`: k of the arm's own mean, so that it keeps the deviation of .35 (decision 0020).
    """
    centre = mean if same_deviation else MEAN
    k = centre * (1 - centre) / SD**2 - 1
    grid = np.linspace(0, 1, 4001)
    table = betaincinv(mean * k, (1 - mean) * k, grid)
    return lambda uniform: np.interp(uniform, grid, table)


def bernoulli(rate: float) -> Quantile:
    return lambda uniform: (uniform < rate).astype(np.float64)


def lognormal(median: float = 0.004, sigma: float = 0.6) -> Quantile:
    from scipy.special import ndtri

    return lambda uniform: median * np.exp(sigma * ndtri(uniform))


def draw(
    chance: np.random.Generator, n: int, metrics: dict[str, tuple[Quantile, Quantile]], *, paired: bool
) -> list[Sample]:
    """n examples per arm, in order of time; paired by a Gaussian copula. Values: (baseline, variant) quantiles."""
    columns: dict[str, tuple[Floats, Floats]] = {}
    for name, (baseline, variant) in metrics.items():
        first = chance.standard_normal(n)
        second = chance.standard_normal(n)
        if paired:
            second = LATENT_CORRELATION * first + np.sqrt(1 - LATENT_CORRELATION**2) * second
        columns[name] = baseline(ndtr(first)), variant(ndtr(second))
    samples = []
    for row in range(n):
        for arm, name in enumerate(("baseline", "variant")):
            samples.append(
                Sample.model_construct(
                    example_id=f"{row:05d}" if paired else f"{row:05d}{name[0]}",
                    variant=name,
                    metrics={metric: float(values[arm][row]) for metric, values in columns.items()},
                    category=None,
                    failed=False,
                    cluster=None,
                    order=None,
                )
            )
    return samples


def spec(criteria: Sequence[dict[str, Any]], *, paired: bool, any_may_win: bool = False) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "experiment_id": "simulated",
            "variants": [{"name": "baseline"}, {"name": "variant"}],
            "assignment": {"mode": "paired" if paired else "by_example"},
            "success_criteria": list(criteria),
            "any_may_win": any_may_win,
        }
    )


def run_to_verdict(
    design: ExperimentSpec, samples: Sequence[Sample], looks: Sequence[int]
) -> tuple[Verdict | Literal["inconclusive"], int, Evaluation]:
    """Looks until a verdict freezes or the looks end: the verdict, n at the stop, the last evaluation.

    `samples` hold one run per arm and example, the arms alternating.
    """
    if not looks:
        evaluation = evaluate(design, samples)
        return evaluation.verdict, len(samples) // 2, evaluation
    for place in range(1, len(looks) + 1):
        now = looks[place - 1]
        evaluation = evaluate(design, samples[: 2 * now], looks=looks[:place], horizon=looks[-1])
        if evaluation.verdict is not Verdict.INCONCLUSIVE:
            break
    return evaluation.verdict, now, evaluation
