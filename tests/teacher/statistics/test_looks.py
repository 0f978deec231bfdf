"""Looking often: spending, confidence sequences, Holm."""

from __future__ import annotations

import pytest
from scipy.special import ndtri

from contracts.evaluation import Sample, Verdict
from kernel.errors import InvalidInput
from teacher.statistics import evaluate
from teacher.statistics.sequential import is_final, look_level
from tests.teacher.statistics.factories import increase, no_drop, noisy, pairs, spec_of

TEN = list(range(40, 401, 40))


def level(looks: list[int], horizon: int | None, *, alpha: float = 0.05, one_sided: bool = False) -> float:
    return look_level(alpha, one_sided=one_sided, looks=looks, horizon=horizon, expected_n=400)


def test_level__no_looks__is_alpha_whole() -> None:
    assert level([], None) == level([], 400) == 0.05


def test_level__single_look_at_the_horizon__is_alpha_whole() -> None:
    assert level([400], 400) == pytest.approx(0.05)
    assert level([400], 400, one_sided=True) == pytest.approx(0.05)


def test_level__ten_looks__grows_and_stays_below_alpha() -> None:
    found = [level(TEN[:place], 400) for place in range(1, 11)]
    assert found == sorted(found)
    assert found[0] < 1e-10
    assert 0.03 < found[-1] < 0.05


def test_level__one_sided_guard__ten_looks_to_the_horizon__near_alpha() -> None:
    assert -ndtri(level(TEN, 400, one_sided=True)) == pytest.approx(1.7, abs=0.1)


def test_level__beyond_the_horizon__counts_as_the_horizon() -> None:
    assert level([200, 450], 400) == pytest.approx(level([200, 400], 400), rel=1e-6)


def test_level__look_after_all_is_spent__is_none() -> None:
    assert level([200, 400, 450], 400) == 0


def test_level__same_look_twice__is_one_look() -> None:
    assert level([200, 200, 400], 400) == level([200, 400], 400)


@pytest.mark.parametrize(("looks", "horizon"), [([100, 50], 400), ([0], 400), ([50], 0)])
def test_level__impossible_sizes__invalid_input(looks: list[int], horizon: int) -> None:
    with pytest.raises(InvalidInput):
        level(looks, horizon)


def test_confidence_sequence__any_look__well_below_alpha_and_tightest_near_expected() -> None:
    found = {n: level([n], None) for n in (50, 200, 400, 4000)}
    assert max(found.values()) == found[400] < 0.005


def test_confidence_sequence__history_of_looks__does_not_matter() -> None:
    assert level([100, 200, 400], None) == level([400], None)


def test_final__without_horizon_no_look_is_last() -> None:
    assert is_final([], None) and is_final([400], 400)
    assert not is_final([200], 400) and not is_final([400], None)


def test_peek__p_of_three_percent__passes_alone_but_not_at_an_early_look() -> None:
    samples = pairs(*noisy(100, 0.0215))
    assert evaluate(spec_of(increase()), samples).verdict is Verdict.WINNER
    peek = evaluate(spec_of(increase()), samples, looks=[100], horizon=400)
    assert peek.verdict is Verdict.INCONCLUSIVE
    assert "an interim look at 100 of 400" in peek.notes


def test_peek__guard_and_target__each_spends_its_own_alpha() -> None:
    results = evaluate(spec_of(increase(), no_drop()), pairs(*noisy(200, 0.0)), looks=[200], horizon=400).criteria
    assert results[0].level == pytest.approx(level([200], 400))
    assert results[1].level == pytest.approx(level([200], 400, one_sided=True))


def test_look_too_early_to_spend__no_interval_and_its_reason() -> None:
    result = evaluate(spec_of(increase()), pairs(*noisy(60, 0.1)), looks=[60], horizon=6000).criteria[0]
    assert (result.low, result.high, result.level) == (None, None, 0)
    assert result.reason == "no part of α may be spent at this look"


def three(shifts: tuple[float, float, float]) -> list[Sample]:
    columns = [pairs(*noisy(100, shift, seed=7 + place), metric=f"m{place}") for place, shift in enumerate(shifts)]
    return [
        first.model_copy(update={"metrics": {**first.metrics, **second.metrics, **third.metrics}})
        for first, second, third in zip(*columns, strict=True)
    ]


def test_any_may_win__one_of_three_strong__wins() -> None:
    criteria = [increase(f"m{place}") for place in range(3)]
    samples = three((0.08, 0.0, 0.0))
    assert evaluate(spec_of(*criteria, any_may_win=True), samples).verdict is Verdict.WINNER
    assert evaluate(spec_of(*criteria), samples).verdict is Verdict.INCONCLUSIVE


def test_any_may_win__final_look__holm_steps() -> None:
    criteria = [increase(f"m{place}") for place in range(3)]
    results = evaluate(spec_of(*criteria, any_may_win=True), three((0.08, 0.06, 0.0))).criteria
    assert [item.level for item in results] == pytest.approx([0.05 / 3, 0.05 / 2, 0.05])


def test_any_may_win__first_step_fails__no_other_is_tested_at_more() -> None:
    criteria = [increase(f"m{place}") for place in range(3)]
    results = evaluate(spec_of(*criteria, any_may_win=True), three((0.001, 0.0, 0.0))).criteria
    assert [item.level for item in results] == pytest.approx([0.05 / 3] * 3)


def test_any_may_win__peeking__alpha_over_m_each() -> None:
    criteria = [increase(f"m{place}") for place in range(3)]
    spec = spec_of(*criteria, any_may_win=True)
    results = evaluate(spec, three((0.08, 0.06, 0.0)), looks=[100], horizon=200).criteria
    assert [item.level for item in results] == pytest.approx([level([100], 200, alpha=0.05 / 3)] * 3)


def test_any_may_win__guard_undecided__does_not_win() -> None:
    spec = spec_of(increase("m0"), increase("m1"), no_drop("m2", -0.001), any_may_win=True)
    assert evaluate(spec, three((0.08, 0.0, 0.0))).verdict is Verdict.INCONCLUSIVE
