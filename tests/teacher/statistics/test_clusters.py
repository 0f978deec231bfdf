"""Examples of one scenario are clustered."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from contracts.evaluation import Sample
from teacher.statistics import evaluate
from teacher.statistics.clusters import OneClusterError, paired_variance, unpaired_variance
from tests.teacher.statistics.factories import arms, increase, no_drop, noisy, pairs, spec_of


def scenario_noise(scenarios: int, each: int, seed: int = 1) -> tuple[list[float], list[float]]:
    """Differences that all examples of a scenario share."""
    chance = np.random.default_rng(seed)
    shared = np.repeat(chance.normal(0.03, 0.1, scenarios), each)
    base = chance.uniform(0.3, 0.6, scenarios * each)
    return base.tolist(), (base + shared + chance.normal(0, 0.01, base.size)).tolist()


def in_scenarios(samples: list[Sample], each: int) -> list[Sample]:
    return [item.model_copy(update={"cluster": f"s{int(item.example_id[-4:]) // each}"}) for item in samples]


def test_singletons__every_example_its_own_cluster__same_as_without() -> None:
    samples = pairs(*noisy(80, 0.02))
    assert evaluate(spec_of(increase()), in_scenarios(samples, 1)) == evaluate(spec_of(increase()), samples)


def test_shared_noise__ten_scenarios_of_ten__much_wider_than_independent() -> None:
    samples = pairs(*scenario_noise(10, 10))
    alone = evaluate(spec_of(increase()), samples).criteria[0]
    together = evaluate(spec_of(increase()), in_scenarios(samples, 10)).criteria[0]
    assert alone.low is not None and together.low is not None and together.p_value is not None
    assert together.low < alone.low - 0.03
    assert alone.p_value is not None and together.p_value > 100 * alone.p_value
    assert "cluster-robust" in together.method
    assert together.needs_n is not None and alone.needs_n is not None and together.needs_n > 2 * alone.needs_n


def test_paired_variance__equal_clusters__statsmodels_sandwich() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0, 1, 12), 8) + np.random.default_rng(3).normal(0, 0.1, 96)
    codes = np.repeat(np.arange(12), 8)
    fit = OLS(values, np.ones(96)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = paired_variance(values - values.mean(), codes)
    # statsmodels' small-sample factor is G/(G−1) · (N−1)/(N−1) for one regressor
    assert math.sqrt(found.value) == pytest.approx(float(fit.bse[0]), rel=1e-9)
    assert found.df == pytest.approx(11)


def test_variance__clusters_that_cancel__never_below_independence() -> None:
    residuals = np.array([1.0, -1.0] * 30)
    found = paired_variance(residuals, np.repeat(np.arange(30), 2))
    assert found.value == pytest.approx(paired_variance(residuals, None).value)
    assert found.design_effect == 1.0


def test_degrees_of_freedom__one_huge_cluster__fewer_than_clusters() -> None:
    codes = np.array([0] * 80 + list(range(1, 21)))
    assert paired_variance(np.random.default_rng(1).normal(size=100), codes).df < 2


def test_unpaired__cluster_in_both_arms__what_they_share_cancels() -> None:
    shared = np.repeat(np.random.default_rng(4).normal(0, 1, 10), 6)
    noise = np.random.default_rng(5).normal(0, 0.1, (2, 60))
    codes = np.repeat(np.arange(10), 6)
    first, second = shared + noise[0], shared + noise[1]
    straddling = unpaired_variance(first - first.mean(), second - second.mean(), (codes, codes))
    nested = unpaired_variance(first - first.mean(), second - second.mean(), (codes, codes + 10))
    assert straddling.value < nested.value


def test_one_cluster__nothing_to_infer() -> None:
    with pytest.raises(OneClusterError):
        paired_variance(np.array([1.0, -1.0, 0.5]), np.zeros(3, dtype=np.int64))
    result = evaluate(spec_of(increase()), in_scenarios(pairs(*noisy(60, 0.1)), 1000)).criteria[0]
    assert (result.estimate, result.passes) == (None, False)
    assert "one scenario" in result.reason


@pytest.mark.parametrize("mode", ["paired", "by_example"])
def test_binary__clustered__wider_than_independent(mode: str) -> None:
    chance = np.random.default_rng(6)
    hard = np.repeat(chance.uniform(0, 1, 12) < 0.5, 10)
    base, up = (hard | (chance.uniform(size=120) < 0.1)), (~hard | (chance.uniform(size=120) < 0.3))
    make = pairs if mode == "paired" else arms
    samples = make([int(x) for x in base], [int(x) for x in up], "hit_rate")
    spec = spec_of(no_drop("hit_rate"), increase("hit_rate"), mode=mode)
    alone = evaluate(spec, samples).criteria
    prefix = "" if mode == "paired" else "{arm}"
    names = [prefix.format(arm=item.variant) + str(int(item.example_id[-4:]) // 10) for item in samples]
    named = [item.model_copy(update={"cluster": name}) for item, name in zip(samples, names, strict=True)]
    together = evaluate(spec, named).criteria
    for before, after in zip(alone, together, strict=True):
        assert before.low is not None and after.low is not None and after.low < before.low
        assert "design effect" in after.method
        assert after.p_value is not None and before.p_value is not None and after.p_value >= before.p_value


def test_constant_differences__clustered__scenarios_count_not_examples() -> None:
    samples = in_scenarios(pairs([1] * 100, [1] * 100, "hit_rate"), 10)
    result = evaluate(spec_of(no_drop("hit_rate")), samples).criteria[0]
    assert result.low == pytest.approx(-(1 - 0.05 ** (1 / 10)))
