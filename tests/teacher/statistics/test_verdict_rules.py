"""Every rule of "Rules of the verdict" in docs/STATISTICS.md."""

from __future__ import annotations

import pytest

from contracts.evaluation import HealthCheck, Sample, Verdict
from kernel.errors import InvalidInput
from teacher.statistics import evaluate, evaluate_variant
from tests.teacher.statistics.factories import (
    METRIC,
    arms,
    binary_pairs,
    increase,
    no_drop,
    no_rise,
    noisy,
    pairs,
    spec_of,
)


def test_estimate__variant_higher__is_variant_minus_baseline_even_for_a_decrease() -> None:
    spec = spec_of({"metric": METRIC, "direction": "decrease"})
    result = evaluate(spec, pairs(*noisy(80, 0.05))).criteria[0]
    assert result.estimate == pytest.approx(0.05)


def test_baseline__variant_named_baseline_is_second__is_still_the_baseline() -> None:
    spec = spec_of(increase(), arms=("variant", "baseline"))
    assert evaluate(spec, pairs(*noisy(80, 0.05))).criteria[0].estimate == pytest.approx(0.05)


def test_baseline__nobody_so_named__is_the_first() -> None:
    samples = [item.model_copy(update={"variant": item.variant[0]}) for item in pairs(*noisy(80, 0.05))]
    evaluation = evaluate(spec_of(increase(), arms=("v", "b")), samples)
    assert evaluation.variant == "b"
    assert evaluation.criteria[0].estimate == pytest.approx(-0.05)


def test_cost__third_cheaper__estimate_is_relative() -> None:
    base, _ = noisy(80, 0)
    spec = spec_of({"metric": "token_cost", "direction": "decrease", "min_delta": 0.1})
    noise = [1 + 0.001 * (row % 7 - 3) for row in range(80)]
    result = evaluate(spec, pairs(base, [x * 2 / 3 * y for x, y in zip(base, noise, strict=True)], "token_cost"))
    assert result.criteria[0].estimate == pytest.approx(-1 / 3, abs=0.01)
    assert result.verdict is Verdict.WINNER


def test_min_delta__negative_sign__magnitude_counts() -> None:
    spec = spec_of({"metric": METRIC, "direction": "decrease", "min_delta": -0.02})
    assert evaluate(spec, pairs(*noisy(200, -0.05))).verdict is Verdict.WINNER


def test_increase__significant_and_large_enough__wins() -> None:
    assert evaluate(spec_of(increase(min_delta=0.02)), pairs(*noisy(200, 0.05))).verdict is Verdict.WINNER


def test_increase__short_of_min_delta__is_inconclusive_not_failed() -> None:
    evaluation = evaluate(spec_of(increase(min_delta=0.2)), pairs(*noisy(200, 0.05)))
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert "short of min_delta .2" in evaluation.criteria[0].reason


@pytest.mark.parametrize("delta", [None, 0.0])
def test_increase__min_delta_absent_or_zero__any_improvement_wins(delta: float | None) -> None:
    spec = spec_of(increase(min_delta=delta))
    assert evaluate(spec, pairs(*noisy(400, 0.012, spread=0.05))).verdict is Verdict.WINNER


def test_increase__p_equal_to_nothing_significant__says_needs_n() -> None:
    result = evaluate(spec_of(increase(min_delta=0.01)), pairs(*noisy(60, 0.005))).criteria[0]
    assert not result.passes
    assert f"needs n = {result.needs_n}" in result.reason


def test_increase__significantly_down__loses() -> None:
    evaluation = evaluate(spec_of(increase()), pairs(*noisy(200, -0.05)))
    assert evaluation.verdict is Verdict.LOSER
    assert evaluation.criteria[0].failed_significantly


def test_interval__increase__at_the_level_of_the_test() -> None:
    result = evaluate(spec_of(increase(p_value_threshold=0.01)), pairs(*noisy(100, 0.02))).criteria[0]
    wider = evaluate(spec_of(increase(p_value_threshold=0.001)), pairs(*noisy(100, 0.02))).criteria[0]
    assert result.level == 0.01
    assert wider.low is not None and result.low is not None and wider.low < result.low


def test_interval__guard__is_the_one_minus_two_alpha_interval() -> None:
    samples = pairs(*noisy(100, 0.0))
    guard = evaluate(spec_of(no_drop()), samples).criteria[0]
    two_sided = evaluate(spec_of(increase(p_value_threshold=0.1)), samples).criteria[0]
    assert (guard.low, guard.high) == (two_sided.low, two_sided.high)


def test_guard__bound_inside_the_margin__passes_alone_and_wins() -> None:
    evaluation = evaluate(spec_of(no_drop()), pairs(*noisy(200, 0.0)))
    assert evaluation.verdict is Verdict.WINNER
    assert evaluation.criteria[0].margin == -0.03


def test_guard__p_value__is_of_the_deciding_test_and_two_sided_apart() -> None:
    result = evaluate(spec_of(no_drop()), pairs(*noisy(200, 0.0))).criteria[0]
    assert result.p_value is not None and result.p_value < 0.001
    assert result.p_two_sided == pytest.approx(1.0)


def test_guard__mission_example_with_insignificant_drop__is_inconclusive() -> None:
    evaluation = evaluate(spec_of(no_drop()), pairs(*noisy(100, -0.02, spread=0.155)))
    result = evaluation.criteria[0]
    assert result.p_two_sided == pytest.approx(0.2, abs=0.02)
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert "lies beyond the margin −.03" in result.reason


def test_guard__significant_drop_inside_the_margin__passes() -> None:
    result = evaluate(spec_of(no_drop()), pairs(*noisy(400, -0.012, spread=0.05))).criteria[0]
    assert result.p_two_sided is not None and result.p_two_sided < 0.01
    assert result.passes and not result.failed_significantly


def test_guard__whole_interval_beyond_the_margin__loses() -> None:
    evaluation = evaluate(spec_of(no_drop()), pairs(*noisy(200, -0.1)))
    assert evaluation.verdict is Verdict.LOSER


def test_guard__positive_max_delta_for_a_drop__direction_gives_the_sign() -> None:
    assert evaluate(spec_of(no_drop(margin=0.03)), pairs(*noisy(200, 0.0))).criteria[0].margin == -0.03


def test_guard__rise_of_cost_within_a_tenth__margin_on_the_log_scale() -> None:
    base, _ = noisy(120, 0)
    noise = [1 + 0.01 * (row % 11 - 5) for row in range(120)]
    samples = pairs(base, [x * 1.03 * y for x, y in zip(base, noise, strict=True)], "token_cost")
    assert evaluate(spec_of(no_rise("token_cost", 0.1)), samples).verdict is Verdict.WINNER
    assert evaluate(spec_of(no_rise("token_cost", 0.02)), samples).verdict is not Verdict.WINNER


def test_floor__forty_nine_pairs__inconclusive_whatever_the_effect() -> None:
    evaluation = evaluate(spec_of(increase()), pairs(*noisy(49, 0.3)))
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert "n = 49 is below the floor of 50" in evaluation.criteria[0].reason


def test_floor__two_criteria__the_smallest_n_counts() -> None:
    samples = pairs(*noisy(80, 0.2))
    rows = [
        item.model_copy(update={"metrics": {**item.metrics, **({"mrr": 0.5 + row % 5 / 10} if row < 90 else {})}})
        for row, item in enumerate(samples)
    ]
    evaluation = evaluate(spec_of(increase(), no_drop("mrr", -0.5)), rows)
    assert (evaluation.n, evaluation.verdict) == (45, Verdict.INCONCLUSIVE)


def test_order__blocked_health_and_significant_loss__inconclusive() -> None:
    blocked = HealthCheck(name="golden_hash", ok=False, detail="changed")
    evaluation = evaluate(spec_of(increase()), pairs(*noisy(200, -0.2)), health=(blocked,))
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert any("blocked by golden_hash" in note for note in evaluation.notes)


def test_order__unhealthy_but_not_blocking__verdict_stands() -> None:
    soft = HealthCheck(name="soft", ok=False, blocks=False)
    assert evaluate(spec_of(increase()), pairs(*noisy(200, 0.2)), health=(soft,)).verdict is Verdict.WINNER


def test_order__one_criterion_wins_and_one_fails__loser() -> None:
    up, down = noisy(200, 0.2), noisy(200, -0.2, seed=2)
    both = [
        item.model_copy(update={"metrics": {**item.metrics, **other.metrics}})
        for item, other in zip(pairs(*up), pairs(*down, metric="mrr"), strict=True)
    ]
    assert evaluate(spec_of(increase(), no_drop("mrr")), both).verdict is Verdict.LOSER


def test_conjunction__one_of_two_targets_undecided__inconclusive() -> None:
    up, flat = noisy(200, 0.2), noisy(200, 0.001, seed=2)
    both = [
        item.model_copy(update={"metrics": {**item.metrics, **other.metrics}})
        for item, other in zip(pairs(*up), pairs(*flat, metric="mrr"), strict=True)
    ]
    assert evaluate(spec_of(increase(), increase("mrr")), both).verdict is Verdict.INCONCLUSIVE


def test_wrong_way__three_targets__tested_at_a_third_of_alpha() -> None:
    samples = pairs(*noisy(100, -0.0215))  # p near .03: below .05, above .05 / 3
    alone = evaluate(spec_of(increase()), samples)
    extra = [
        item.model_copy(
            update={"metrics": {**item.metrics, "mrr": (row // 2 % 10) / 10, "tag_overlap": (row % 9) / 10}}
        )
        for row, item in enumerate(samples)
    ]
    together = evaluate(spec_of(increase(), increase("mrr"), increase("tag_overlap")), extra)
    assert alone.verdict is Verdict.LOSER
    assert not together.criteria[0].failed_significantly


def test_needs_n__sd_035_correlation_07_margin_003__is_505() -> None:
    from teacher.statistics.power import needs_n, paired_variance

    assert needs_n(variance=paired_variance(sd=0.35, correlation=0.7), delta=0.03, one_sided=True) == 505


def test_needs_n__two_criteria__is_the_largest() -> None:
    samples = pairs(*noisy(100, 0.0))
    evaluation = evaluate(spec_of(increase(min_delta=0.01), no_drop(margin=-0.1)), samples)
    assert evaluation.needs_n == evaluation.criteria[0].needs_n
    assert evaluation.criteria[1].needs_n == 50


def test_zero_events__fifty_pairs_margin_three_percent__does_not_pass_and_needs_99() -> None:
    evaluation = evaluate(spec_of(no_rise("hallucination_rate", 0.03)), pairs([0] * 50, [0] * 50, "hallucination_rate"))
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert evaluation.criteria[0].high == pytest.approx(1 - 0.05 ** (1 / 50))
    assert evaluation.needs_n == 99


def test_zero_events__ninety_nine_pairs__passes() -> None:
    evaluation = evaluate(spec_of(no_rise("hallucination_rate", 0.03)), pairs([0] * 99, [0] * 99, "hallucination_rate"))
    assert evaluation.verdict is Verdict.WINNER


def test_zero_events__unpaired_fifty__does_not_pass() -> None:
    spec = spec_of(no_rise("hallucination_rate", 0.03), mode="by_example")
    assert not evaluate(spec, arms([0] * 50, [0] * 50, "hallucination_rate")).criteria[0].passes


def test_constant_differences__cost_identical_in_both_arms__exact_bound_decides() -> None:
    spec = spec_of(no_rise("token_cost", 0.1))
    assert evaluate(spec, pairs([0.004] * 60, [0.004] * 60, "token_cost")).verdict is Verdict.WINNER


def test_constant_differences__nothing_differs__increase_has_p_one() -> None:
    result = evaluate(spec_of(increase()), pairs([0.5] * 60, [0.5] * 60)).criteria[0]
    assert (result.p_value, result.passes, result.estimate) == (1.0, False, 0.0)


def test_binary__paired_catalogue_metric__mcnemar_mid_p() -> None:
    baseline, variant = binary_pairs(7, 1, 40, 12)
    result = evaluate(spec_of(increase("hit_rate")), pairs(baseline, variant, "hit_rate")).criteria[0]
    assert result.p_value == pytest.approx(0.0390625)
    assert result.method.startswith("McNemar mid-p")


def test_binary__paired_guard__tango() -> None:
    baseline, variant = binary_pairs(7, 9, 60, 24)
    result = evaluate(spec_of(no_drop("hit_rate")), pairs(baseline, variant, "hit_rate")).criteria[0]
    assert result.method == "Tango score"


def test_binary__unpaired__score_test_and_miettinen_nurminen() -> None:
    samples = arms([1] * 48 + [0] * 32, [1] * 56 + [0] * 14, "hit_rate")
    spec = spec_of(increase("hit_rate"), no_drop("hit_rate", p_value_threshold=0.025), mode="by_example")
    target, guard = evaluate(spec, samples).criteria
    assert (target.low, target.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (guard.low, guard.high) == pytest.approx((0.0528, 0.3382), abs=5e-5)


def test_binary__unknown_name_with_zeros_and_ones__is_binary() -> None:
    baseline, variant = binary_pairs(7, 1, 40, 12)
    result = evaluate(spec_of(increase("answer_ok")), pairs(baseline, variant, "answer_ok")).criteria[0]
    assert result.method.startswith("McNemar")


def test_bounded__catalogue_metric_with_zeros_and_ones__stays_bounded() -> None:
    baseline, variant = binary_pairs(17, 5, 30, 12)
    assert evaluate(spec_of(increase()), pairs(baseline, variant)).criteria[0].method == "paired t"


def test_several_arms__third_arm_asked_for__is_compared_with_the_baseline() -> None:
    base, up = noisy(100, 0.1)
    third = [
        Sample(example_id=f"e{row:04d}", variant="other", metrics={METRIC: value - 0.2}) for row, value in enumerate(up)
    ]
    spec = spec_of(increase(), arms=("baseline", "variant", "other"))
    samples = pairs(base, up) + third
    first, other = evaluate(spec, samples), evaluate_variant(spec, samples, "other")
    assert (first.verdict, other.verdict) == (Verdict.WINNER, Verdict.LOSER)
    assert any("3 arms" in note for note in first.notes)
    assert set(first.metrics) == {"baseline", "variant", "other"}


def test_variant__not_an_arm_of_the_spec__invalid_input() -> None:
    with pytest.raises(InvalidInput):
        evaluate_variant(spec_of(increase()), [], "baseline")


def test_few_differing_pairs__four_of_a_hundred_up__no_winner_by_t_alone() -> None:
    result = evaluate(spec_of(increase()), pairs([0.0] * 100, [1.0] * 4 + [0.0] * 96)).criteria[0]
    assert result.p_value == pytest.approx(0.125)


def test_few_differing_pairs__one_tiny_difference__guard_is_as_careful_as_the_exact_bound() -> None:
    result = evaluate(spec_of(no_drop()), pairs([0.5] * 50, [0.49] + [0.5] * 49)).criteria[0]
    assert not result.passes
