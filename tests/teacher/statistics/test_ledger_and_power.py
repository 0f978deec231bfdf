"""The ledger over a stream of experiments, and planning."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from contracts.evaluation import HealthCheck
from teacher.statistics import evaluate
from teacher.statistics.ledger import Ledger, ledger_p, ledger_p_value
from teacher.statistics.power import needs_n, plan_from_history, power, unpaired_variance
from tests.teacher.statistics.factories import increase, no_drop, noisy, pairs, spec_of

GAMMA_1 = 1 / 2.2857656656801293


def test_ledger__empty__first_level_is_half_of_w0_gamma_one() -> None:
    assert Ledger().next_level() == pytest.approx(0.5 * 0.025 * GAMMA_1)


def test_ledger__candidate_without_discovery__spends_nothing() -> None:
    ledger = Ledger().record("a", 0.3)
    assert ledger.spent == 0
    assert ledger.next_level() == pytest.approx(Ledger().next_level())


def test_ledger__hopeless_p__spends_and_the_next_level_falls() -> None:
    ledger = Ledger().record("a", 0.9)
    assert ledger.next_level() == pytest.approx(0.5 * 0.025 * GAMMA_1 * 2**-1.6)
    assert ledger.spent == pytest.approx(2 * ledger.entries[0].level)
    assert ledger.left == pytest.approx(0.025 - ledger.spent)


def test_ledger__discoveries__earn_level_back() -> None:
    ledger = Ledger().record("a", 1e-6)
    assert ledger.entries[0].discovery
    # the discovery is itself a candidate: w0 stays at γ(2 − 1), α − w0 starts at γ(2 − 1 − 0)
    assert ledger.next_level() == pytest.approx(0.5 * (0.025 + 0.025) * GAMMA_1)
    twice = ledger.record("b", 1e-6)
    assert twice.next_level() == pytest.approx(0.5 * (0.025 + 0.025 + 0.05) * GAMMA_1)


def test_ledger__same_experiment_again__changes_nothing() -> None:
    ledger = Ledger().record("a", 0.9)
    assert ledger.record("a", 0.0001) is ledger


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=20))
def test_ledger__any_stream__estimated_false_share_never_above_alpha(values: list[float]) -> None:
    ledger = Ledger()
    for place, value in enumerate(values):
        ledger = ledger.record(str(place), value)
    assert ledger.estimated_false_share <= 0.05 + 1e-12
    assert 0 < ledger.next_level() <= 0.5


def test_ledger_p__conjunction__largest_of_the_targets() -> None:
    samples = [
        item.model_copy(update={"metrics": {**item.metrics, **other.metrics}})
        for item, other in zip(pairs(*noisy(100, 0.05)), pairs(*noisy(100, 0.02, seed=2), metric="mrr"), strict=True)
    ]
    both = spec_of(increase(), increase("mrr"), no_drop("mrr", -0.5))
    evaluation = evaluate(both, samples)
    targets = [item.p_value for item in evaluation.criteria[:2] if item.p_value is not None]
    assert ledger_p_value(both, evaluation) == pytest.approx(max(targets))
    any_of = spec_of(increase(), increase("mrr"), any_may_win=True)
    assert ledger_p_value(any_of, evaluate(any_of, samples)) == pytest.approx(2 * min(targets))


def test_ledger_p__interim_look__is_scaled_up() -> None:
    spec, samples = spec_of(increase()), pairs(*noisy(100, 0.05))
    final, peek = evaluate(spec, samples), evaluate(spec, samples, looks=[100], horizon=400)
    first, second = ledger_p_value(spec, final), ledger_p_value(spec, peek)
    assert first is not None and second is not None and second > first


def test_ledger_p__wrong_way_or_untestable__one_or_none() -> None:
    assert ledger_p_value(spec_of(increase()), evaluate(spec_of(increase()), pairs(*noisy(100, -0.05)))) == 1.0
    assert ledger_p_value(spec_of(increase("mrr")), evaluate(spec_of(increase("mrr")), [])) is None


def test_power__against_statsmodels__equal() -> None:
    found = power(n=120, variance=unpaired_variance(sd=0.35), delta=0.1)
    expected = NormalIndPower().power(0.1 / 0.35, 120, 0.05, alternative="two-sided")
    assert found == pytest.approx(expected, abs=1e-4)


def test_needs_n__no_effect__refused() -> None:
    with pytest.raises(ValueError, match="effect of 0"):
        needs_n(variance=0.1, delta=0, one_sided=False)


def test_plan__paired_history__smaller_than_unpaired() -> None:
    base, up = noisy(100, 0.0)
    paired = plan_from_history(baseline=base, variant=up, delta=0.02, paired=True)
    unpaired = plan_from_history(baseline=base, variant=up, delta=0.02, paired=False)
    assert paired.n < unpaired.n
    assert paired.runs == 2 * paired.n
    assert power(n=paired.n, variance=paired.variance, delta=0.02) == pytest.approx(0.8, abs=0.01)


def test_plan__baseline_alone__assumes_the_variant_varies_as_much() -> None:
    base, _ = noisy(100, 0.0)
    spread = sum((x - sum(base) / 100) ** 2 for x in base) / 99
    plan = plan_from_history(baseline=base, delta=0.05, paired=True)
    assert plan.variance == pytest.approx(2 * spread * 0.3)
    assert math.isfinite(plan.power_at_floor)


def test_ledger_p__blocked_experiment__is_one_with_the_reason() -> None:
    spec, samples = spec_of(increase()), pairs(*noisy(80, 0.05))
    broken = HealthCheck(name="judge_version", ok=False)
    assert ledger_p(spec, evaluate(spec, samples, health=[broken])) == (
        1.0,
        "the experiment was not sound: judge_version",
    )


def test_ledger_p__too_few_examples__is_one_however_clear_they_are() -> None:
    spec = spec_of(increase())
    p_value, untested = ledger_p(spec, evaluate(spec, pairs(*noisy(49, 0.3))))
    assert (p_value, untested) == (1.0, "n = 49 is fewer than the 50 that a verdict needs")


def test_ledger_p__sound_experiment__is_that_of_the_targets() -> None:
    spec, samples = spec_of(increase(), no_drop("hit_rate")), pairs(*noisy(80, 0.05))
    samples = [item.model_copy(update={"metrics": {**item.metrics, "hit_rate": 1.0}}) for item in samples]
    evaluation = evaluate(spec, samples)
    assert ledger_p(spec, evaluation) == (evaluation.criteria[0].p_value, "")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=15), st.integers(0, 14))
def test_ledger__levels__depend_on_the_past_alone(values: list[float], cut: int) -> None:
    whole, part = Ledger(), Ledger()
    for place, value in enumerate(values):
        whole = whole.record(str(place), value)
    for place, value in enumerate(values[:cut]):
        part = part.record(str(place), value)
    assert whole.entries[:cut] == part.entries
