"""Values looked up, values kept, and independent oracles (statsmodels, scipy)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri
from scipy.stats import chi2_contingency, multivariate_normal
from scipy.stats import fisher_exact as scipy_fisher
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import DescrStatsW, ttest_ind

from benchmarks.references import KEPT, REFERENCES, Z
from benchmarks.statistics import exact_rows, reference_row
from teacher.statistics import evaluate
from teacher.statistics.health import fisher_exact
from teacher.statistics.paired_proportions import tango_z
from teacher.statistics.proportions import miettinen_nurminen_z, newcombe, score_z, upper_tail
from teacher.statistics.sequential import look_level
from tests.teacher.statistics.factories import METRIC, arms, increase, noisy, pairs, spec_of

BOTH = (*REFERENCES, *KEPT)


@pytest.mark.parametrize(("what", "computed", "known"), BOTH, ids=[item[0] for item in BOTH])
def test_reference__looked_up_or_kept_value__equal_to_four_decimals(
    what: str, computed: Callable[[], float], known: float
) -> None:
    assert computed() == pytest.approx(known, abs=5e-5)


@pytest.mark.parametrize("looks", [1, 2, 3, 4, 5])
def test_boundaries__multivariate_normal_of_scipy__spend_what_they_should(looks: int) -> None:
    times = np.arange(1, looks + 1) / 5
    sizes = [80 * place for place in range(1, looks + 1)]
    tails = [
        look_level(0.025, one_sided=True, looks=sizes[:place], horizon=400, expected_n=400)
        for place in range(1, looks + 1)
    ]
    correlation = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    normal = multivariate_normal(mean=np.zeros(looks), cov=correlation, seed=1, abseps=1e-8, releps=1e-8)
    crossed = 1 - float(normal.cdf(-ndtri(np.array(tails))))
    assert crossed == pytest.approx(float(2 * ndtr(ndtri(0.0125) / math.sqrt(looks / 5))), abs=2e-5)


def test_welch__same_arms_as_statsmodels__same_p_and_interval() -> None:
    first, _ = noisy(60, 0.0, seed=3)
    _, second = noisy(83, 0.04, seed=4)
    result = evaluate(spec_of(increase(), mode="by_example"), arms(first, second)).criteria[0]
    _, p, _ = ttest_ind(second, first, usevar="unequal")
    from statsmodels.stats.weightstats import CompareMeans

    low, high = CompareMeans.from_data(second, first).tconfint_diff(usevar="unequal")
    assert (result.p_value, result.low, result.high) == pytest.approx((p, low, high), abs=1e-9)
    assert result.method == "Welch"


def test_paired_t__same_differences_as_statsmodels__same_p_and_interval() -> None:
    first, second = noisy(70, 0.02, seed=5)
    result = evaluate(spec_of(increase()), pairs(first, second)).criteria[0]
    oracle = DescrStatsW(np.array(second) - np.array(first))
    low, high = oracle.tconfint_mean()
    assert (result.p_value, result.low, result.high) == pytest.approx((oracle.ttest_mean(0)[1], low, high), abs=1e-9)


def test_cost__lognormal__ratio_of_geometric_means_by_welch_on_logs() -> None:
    chance = np.random.default_rng(6)
    first, second = np.exp(chance.normal(-5, 0.5, 90)), np.exp(chance.normal(-5.1, 0.5, 90))
    spec = spec_of({"metric": "token_cost", "direction": "decrease"}, mode="by_example")
    result = evaluate(spec, arms(first.tolist(), second.tolist(), "token_cost")).criteria[0]
    _, p, _ = ttest_ind(np.log(second), np.log(first), usevar="unequal")
    assert result.p_value == pytest.approx(p, abs=1e-9)
    assert result.estimate == pytest.approx(math.exp(np.log(second).mean() - np.log(first).mean()) - 1)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (0, 60, 5, 60), (99, 100, 80, 90), (1, 50, 0, 70)])
def test_newcombe__against_statsmodels__equal(counts: tuple[int, int, int, int]) -> None:
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert newcombe(*counts, Z) == pytest.approx((low, high), abs=1e-7)


def test_score_test__against_pearson_chi_square__equal() -> None:
    p = 2 * upper_tail(abs(score_z(56, 70, 48, 80)), None)
    assert p == pytest.approx(chi2_contingency([[56, 14], [48, 32]], correction=False).pvalue, abs=1e-9)


@pytest.mark.parametrize("table", [(3, 50, 11, 60), (0, 40, 6, 40), (12, 30, 12, 31)])
def test_fisher__against_scipy__equal(table: tuple[int, int, int, int]) -> None:
    x, n, y, m = table
    assert fisher_exact(*table) == pytest.approx(scipy_fisher([[x, n - x], [y, m - y]])[1], abs=1e-9)


@pytest.mark.parametrize("delta", [-0.2, -0.03, 0.05, 0.3])
def test_miettinen_nurminen__closed_form__maximises_the_restricted_likelihood(delta: float) -> None:
    x_v, n_v, x_b, n_b = 56, 70, 48, 80

    def loss(p_b: float) -> float:
        p_v = p_b + delta
        return -(
            x_v * math.log(p_v)
            + (n_v - x_v) * math.log(1 - p_v)
            + x_b * math.log(p_b)
            + (n_b - x_b) * math.log(1 - p_b)
        )

    edge = 1e-9
    bounds = (max(edge, -delta + edge), min(1 - edge, 1 - delta - edge))
    p_b = float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    p_v = p_b + delta
    variance = (p_v * (1 - p_v) / n_v + p_b * (1 - p_b) / n_b) * (n_v + n_b) / (n_v + n_b - 1)
    expected = (x_v / n_v - x_b / n_b - delta) / math.sqrt(variance)
    assert miettinen_nurminen_z(x_v, n_v, x_b, n_b, delta) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("gained", "lost", "delta"), [(1, 7, -0.1), (40, 20, 0.05), (3, 9, -0.03)])
def test_tango__closed_form__maximises_the_restricted_likelihood(gained: int, lost: int, delta: float) -> None:
    n = 160

    def loss(p_lost: float) -> float:
        rest = 1 - 2 * p_lost - delta
        return -(gained * math.log(p_lost + delta) + lost * math.log(p_lost) + (n - gained - lost) * math.log(rest))

    edge = 1e-9
    bounds = (max(edge, -delta + edge), (1 - delta) / 2 - edge)
    p_lost = float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    expected = (gained - lost - n * delta) / math.sqrt(n * (2 * p_lost + delta - delta**2))
    assert tango_z(gained, lost, n, delta) == pytest.approx(expected, abs=1e-5)


def test_metrics__reference_arms__means_of_each_arm() -> None:
    evaluation = evaluate(spec_of(increase()), pairs([0.2] * 60, [0.4] * 60))
    assert evaluation.metrics == {
        "baseline": {METRIC: pytest.approx(0.2)},
        "variant": {METRIC: pytest.approx(0.4)},
    }


def test_benchmark__rows_without_chance__held() -> None:
    assert [row.check for row in (*exact_rows(), reference_row()) if not row.ok] == []
