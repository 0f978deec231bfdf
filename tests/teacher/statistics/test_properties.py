"""Invariants for any samples, replay, and the price of importing."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.evaluation import Evaluation, Sample
from teacher.statistics import ENGINE_VERSION, evaluate
from teacher.statistics.paired_proportions import mcnemar_mid_p, tango, tango_z
from teacher.statistics.proportions import miettinen_nurminen, miettinen_nurminen_z, newcombe
from teacher.statistics.replay import evaluation_bytes, replay, samples_hash
from tests.teacher.statistics.factories import arms, increase, no_drop, no_rise, noisy, pairs, spec_of

scores = st.floats(0, 1, allow_subnormal=False)
METRICS = ("retrieval_recall", "hit_rate", "token_cost", "answer_ok", "memory_growth")


@st.composite
def experiments(draw: st.DrawFn) -> tuple[str, list[Sample]]:
    """Small experiments with gaps, failures and ties, paired or not."""
    mode = draw(st.sampled_from(["paired", "by_example"]))
    n = draw(st.integers(0, 8))
    value = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), scores)
    samples = []
    for arm in ("baseline", "variant"):
        for row in range(n):
            metrics = {name: draw(value) for name in METRICS if draw(st.integers(0, 5))}
            name = f"e{row}" if mode == "paired" else f"{arm}{row}"
            cluster = draw(st.sampled_from([None, "s1", "s2", "s3"]))
            failed = draw(st.integers(0, 8)) == 0
            samples.append(Sample(example_id=name, variant=arm, metrics=metrics, cluster=cluster, failed=failed))
    return mode, samples


CRITERIA = (
    increase("retrieval_recall"),
    no_drop("hit_rate"),
    no_rise("token_cost", 0.1),
    increase("answer_ok"),
    no_rise("memory_growth", 0.5),
    no_rise("error_rate", 0.05),
)


@settings(max_examples=25, deadline=None)
@given(experiments())
def test_evaluate__any_samples__probabilities_and_ordered_intervals(experiment: tuple[str, list[Sample]]) -> None:
    mode, samples = experiment
    for result in evaluate(spec_of(*CRITERIA, mode=mode), samples).criteria:
        for p in (result.p_value, result.p_two_sided):
            assert p is None or 0 <= p <= 1
        if result.estimate is None:
            assert result.reason and result.p_value is None
        if result.low is not None and result.high is not None and result.estimate is not None:
            assert result.low - 1e-9 <= result.estimate <= result.high + 1e-9


@settings(max_examples=15, deadline=None)
@given(experiments(), st.randoms(use_true_random=False))
def test_evaluate__any_order_of_samples__same_bytes(
    experiment: tuple[str, list[Sample]], chance: random.Random
) -> None:
    mode, samples = experiment
    spec = spec_of(*CRITERIA, mode=mode)
    shuffled = samples.copy()
    chance.shuffle(shuffled)
    assert evaluation_bytes(evaluate(spec, samples)) == evaluation_bytes(evaluate(spec, shuffled))


@settings(max_examples=15, deadline=None)
@given(experiments())
def test_evaluate__every_run_twice__no_new_evidence(experiment: tuple[str, list[Sample]]) -> None:
    mode, samples = experiment
    spec = spec_of(*CRITERIA, mode=mode)
    assert evaluate(spec, samples * 2).criteria == evaluate(spec, samples).criteria


@settings(max_examples=15, deadline=None)
@given(experiments())
def test_evaluate__arms_swapped__estimate_flips_and_p_stays(experiment: tuple[str, list[Sample]]) -> None:
    mode, samples = experiment
    other = {"baseline": "variant", "variant": "baseline"}
    swapped = [item.model_copy(update={"variant": other[item.variant]}) for item in samples]
    spec = spec_of(increase("retrieval_recall"), increase("hit_rate"), mode=mode)
    for first, second in zip(evaluate(spec, samples).criteria, evaluate(spec, swapped).criteria, strict=True):
        if first.estimate is None:
            assert second.estimate is None
            continue
        assert second.estimate == pytest.approx(-first.estimate, abs=1e-9)
        assert second.p_value == pytest.approx(first.p_value, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(0.001, 10)), min_size=2, max_size=12))
def test_evaluate__arms_of_a_cost_swapped__ratio_inverts_and_p_stays(values: list[tuple[float, float]]) -> None:
    before, after = zip(*values, strict=True)
    criterion = {"metric": "token_cost", "direction": "decrease"}
    (first,) = evaluate(spec_of(criterion), pairs(before, after, "token_cost")).criteria
    (second,) = evaluate(spec_of(criterion), pairs(after, before, "token_cost")).criteria
    assert first.estimate is not None
    assert second.estimate is not None
    assert (1 + first.estimate) * (1 + second.estimate) == pytest.approx(1, rel=1e-6)
    assert second.p_value == pytest.approx(first.p_value, abs=1e-6)


counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.integers(1, 40))


@given(counts)
def test_two_proportions__any_counts__intervals_hold_the_estimate_and_mirror(drawn: tuple[int, int, int, int]) -> None:
    x, y, more, again = drawn
    n, m = x + more, y + again
    for interval in (newcombe, miettinen_nurminen):
        low, high = interval(x, n, y, m, 1.96)
        assert -1 <= low <= x / n - y / m + 1e-9 and x / n - y / m - 1e-9 <= high <= 1
        assert interval(y, m, x, n, 1.96) == pytest.approx((-high, -low), abs=1e-8)


@given(counts, st.floats(-0.9, 0.9))
def test_miettinen_nurminen__score__falls_with_the_difference_asked_about(
    drawn: tuple[int, int, int, int], delta: float
) -> None:
    x, y, more, again = drawn
    args = (x, x + more, y, y + again)
    assert miettinen_nurminen_z(*args, delta) >= miettinen_nurminen_z(*args, delta + 0.01) - 1e-6


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 60))
def test_tango__any_discordance__interval_holds_the_estimate_and_mirrors(gained: int, lost: int, rest: int) -> None:
    n = gained + lost + rest
    low, high = tango(gained, lost, n, 1.645)
    assert low - 1e-9 <= (gained - lost) / n <= high + 1e-9
    assert tango(lost, gained, n, 1.645) == pytest.approx((-high, -low), abs=1e-8)
    assert tango_z(gained, lost, n, low) == pytest.approx(1.645, abs=1e-4) or low < -0.999


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar__any_counts__symmetric_probability(gained: int, lost: int) -> None:
    assert mcnemar_mid_p(gained, lost) == mcnemar_mid_p(lost, gained)
    assert 0 < mcnemar_mid_p(gained, lost) <= 1


def test_replay__same_samples__identical_bytes() -> None:
    spec, samples = spec_of(increase(), no_rise("latency_p95", 100)), pairs(*noisy(80, 0.02))
    stored = evaluate(spec, samples, looks=[80], horizon=400)
    kept = Evaluation.from_mission_json(stored.to_mission_json())
    report = replay(kept, spec, samples[::-1], looks=[80], horizon=400)
    assert (report.identical, report.engine_changed, report.differences) == (True, False, ())


def test_replay__other_engine_and_other_value__says_where() -> None:
    spec, samples = spec_of(increase()), pairs(*noisy(80, 0.02))
    stored = evaluate(spec, samples).model_copy(update={"engine_version": "0.9", "n": 79})
    report = replay(stored, spec, samples)
    assert (report.identical, report.engine_changed) == (False, True)
    assert set(report.differences) == {"n: 79 → 80", f"engine_version: 0.9 → {ENGINE_VERSION}"}


def test_samples_hash__order__irrelevant_and_content_matters() -> None:
    samples = arms([0.1, 0.2], [0.3, 0.4])
    assert samples_hash(samples) == samples_hash(samples[::-1])
    assert samples_hash(samples) != samples_hash(samples[:-1])


def test_import__of_the_package__loads_neither_numpy_nor_scipy() -> None:
    program = "import sys, teacher.statistics, teacher.statistics.ledger, teacher.statistics.power;"
    program += "sys.exit(bool({'numpy', 'scipy', 'django'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
