"""P50 and P95 of latency."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.evaluation import Sample, Verdict
from teacher.statistics import evaluate
from tests.teacher.statistics.factories import arms, no_rise, pairs, spec_of


def latencies(n: int, factor: float, seed: int) -> list[float]:
    return [float(value) for value in factor * np.exp(np.random.default_rng(seed).normal(7, 0.4, n))]


def test_p50__unpaired__estimate_in_milliseconds_of_percentile_cont() -> None:
    first, second = latencies(100, 1, 1), latencies(100, 1.2, 2)
    spec = spec_of({"metric": "latency_p50", "direction": "decrease"}, mode="by_example")
    result = evaluate(spec, arms(first, second, "latency_ms")).criteria[0]
    assert result.estimate == pytest.approx(np.median(second) - np.median(first))
    assert result.method == "bootstrap"


def test_p95__clearly_slower__fails_significantly() -> None:
    first, second = latencies(200, 1, 1), latencies(200, 2, 2)
    spec = spec_of(no_rise("latency_p95", 200), mode="by_example")
    assert evaluate(spec, arms(first, second, "latency_ms")).verdict is Verdict.LOSER


def test_p95__paired_and_hardly_slower__within_a_wide_margin() -> None:
    first = latencies(200, 1, 1)
    second = [value * (1.01 + 0.01 * (row % 3)) for row, value in enumerate(first)]
    evaluation = evaluate(spec_of(no_rise("latency_p95", 500)), pairs(first, second, "latency_ms"))
    assert evaluation.criteria[0].method == "paired bootstrap"
    assert evaluation.verdict is Verdict.WINNER


def test_bootstrap__same_samples_in_another_order__same_result() -> None:
    samples = pairs(latencies(80, 1, 1), latencies(80, 1.1, 2), "latency_ms")
    spec = spec_of(no_rise("latency_p95", 500))
    assert evaluate(spec, samples) == evaluate(spec, samples[::-1])


def test_bootstrap__other_seed_of_the_spec__other_draws() -> None:
    samples = pairs(latencies(80, 1, 1), latencies(80, 1.1, 2), "latency_ms")
    first, second = (evaluate(spec_of(no_rise("latency_p95", 500), seed=seed), samples).criteria[0] for seed in (1, 2))
    assert first.estimate == second.estimate
    assert (first.low, first.high) != (second.low, second.high)


def test_constant_latency__too_few_for_a_p95__no_bound_and_no_pass() -> None:
    values = latencies(50, 1, 1)
    result = evaluate(spec_of(no_rise("latency_p95", 500)), pairs(values, values, "latency_ms")).criteria[0]
    assert (result.estimate, result.high, result.passes) == (0.0, None, False)


def test_constant_latency__many_examples__bounded_by_neighbouring_order_statistics() -> None:
    values = latencies(400, 1, 1)
    result = evaluate(spec_of(no_rise("latency_p95", 500)), pairs(values, values, "latency_ms")).criteria[0]
    assert result.high is not None and 0 < result.high < 500
    assert result.passes


def test_clustered_latency__whole_scenarios_are_drawn() -> None:
    chance = np.random.default_rng(3)
    shared = np.repeat(np.exp(chance.normal(0, 0.5, 10)), 10)
    samples = [
        Sample(example_id=f"e{row}", variant=arm, cluster=f"s{row // 10}", metrics={"latency_ms": float(value)})
        for arm, factor in (("baseline", 1.0), ("variant", 1.1))
        for row, value in enumerate(1000 * factor * shared * np.exp(chance.normal(0, 0.1, 100)))
    ]
    alone = [item.model_copy(update={"cluster": None}) for item in samples]
    spec = spec_of(no_rise("latency_p50", 100))
    clustered, independent = (evaluate(spec, given).criteria[0] for given in (samples, alone))
    assert clustered.method == "bootstrap over clusters"
    assert clustered.estimate == independent.estimate
