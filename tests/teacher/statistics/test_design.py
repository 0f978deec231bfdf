"""Replicates, pairs, failures, absences: what one number per example and arm is made of."""

from __future__ import annotations

import pytest

from contracts.evaluation import Sample, Verdict
from teacher.statistics import evaluate
from tests.teacher.statistics.factories import METRIC, arms, increase, no_rise, noisy, pairs, spec_of


def test_replicates__every_example_three_times__same_criteria_and_verdict() -> None:
    samples = pairs(*noisy(100, 0.03))
    once, thrice = (evaluate(spec_of(increase()), given) for given in (samples, samples * 3))
    assert once == thrice


def test_replicates__binary_runs_that_disagree__mean_is_bounded() -> None:
    runs = [
        Sample(example_id=f"e{row}", variant=arm, metrics={"hit_rate": float((row + turn) % 2 or arm == "variant")})
        for row in range(60)
        for arm in ("baseline", "variant")
        for turn in range(2)
    ]
    result = evaluate(spec_of(increase("hit_rate")), runs).criteria[0]
    assert (result.n, result.baseline_value) == (60, 0.5)
    assert "McNemar" not in result.method


def test_paired__example_in_one_arm_only__is_missing() -> None:
    samples = pairs(*noisy(80, 0.05))
    evaluation = evaluate(spec_of(increase()), samples[:-1])
    assert evaluation.n == 79
    assert any("missing for 0 examples of baseline, 1 of variant" in note for note in evaluation.notes)


def test_paired__many_examples_in_one_arm_only__blocks() -> None:
    samples = [item for item in pairs(*noisy(100, 0.1)) if item.variant == "baseline" or item.example_id > "e0020"]
    evaluation = evaluate(spec_of(increase()), samples)
    assert evaluation.verdict is Verdict.INCONCLUSIVE
    assert not next(check for check in evaluation.health if check.name == "missing_rate").ok


def test_n__unpaired__is_the_smaller_arm() -> None:
    first, second = noisy(80, 0.05)
    evaluation = evaluate(spec_of(increase(), mode="by_example"), arms(first, second[:60]))
    assert evaluation.n == 60


def test_by_user__many_runs_of_a_user__one_unit() -> None:
    base, up = noisy(60, 0.1)
    samples = arms([x for x in base for _ in range(2)], [x for x in up for _ in range(2)])
    users = [f"{item.variant}{int(item.example_id[-4:]) // 2}" for item in samples]
    by_user = [item.model_copy(update={"example_id": user}) for item, user in zip(samples, users, strict=True)]
    assert evaluate(spec_of(increase(), mode="by_user"), by_user).n == 60


@pytest.mark.parametrize(("metric", "worst"), [("retrieval_recall", 0.0), ("hallucination_rate", 1.0)])
@pytest.mark.parametrize("metrics", [{}, {"retrieval_recall": None, "hallucination_rate": None}])
def test_failed_without_value__bounded_or_binary__counts_as_worst(
    metric: str, worst: float, metrics: dict[str, float | None]
) -> None:
    samples = pairs([1 - worst] * 60, [1 - worst] * 60, metric)
    samples[1] = samples[1].model_copy(update={"metrics": metrics, "failed": True})
    result = evaluate(spec_of(increase(metric)), samples).criteria[0]
    assert result.n == 60
    assert result.variant_value == pytest.approx((59 * (1 - worst) + worst) / 60)


@pytest.mark.parametrize("metric", ["token_cost", "latency_ms"])
def test_failed_without_value__cost_or_latency__left_out_and_not_missing(metric: str) -> None:
    samples = pairs([1.0 + row % 5 for row in range(60)], [1.1 + row % 7 for row in range(60)], metric)
    samples[1] = samples[1].model_copy(update={"metrics": {}, "failed": True})
    evaluation = evaluate(spec_of(no_rise(metric, 0.1)), samples)
    assert evaluation.n == 59
    assert not any("missing" in note for note in evaluation.notes)


def test_failed_with_value__the_value_counts() -> None:
    samples = pairs(*noisy(60, 0.0))
    samples[0] = samples[0].model_copy(update={"failed": True})
    whole = evaluate(spec_of(increase()), pairs(*noisy(60, 0.0))).criteria
    assert evaluate(spec_of(increase()), samples).criteria == whole


def test_none__not_failed__missing_left_out_and_counted() -> None:
    samples = pairs(*noisy(80, 0.05))
    samples[0] = samples[0].model_copy(update={"metrics": {METRIC: None}})
    evaluation = evaluate(spec_of(increase()), samples)
    assert evaluation.n == 79
    assert any("missing for 1 examples of baseline" in note for note in evaluation.notes)


def test_nan__is_missing_too() -> None:
    samples = pairs(*noisy(80, 0.05))
    samples[0] = samples[0].model_copy(update={"metrics": {METRIC: float("nan")}})
    assert evaluate(spec_of(increase()), samples).n == 79


def test_absent_name__is_not_missing_but_noted_when_shares_differ() -> None:
    samples = [
        item.model_copy(update={"metrics": {}}) if item.variant == "variant" and item.example_id < "e0020" else item
        for item in pairs(*noisy(100, 0.05))
    ]
    evaluation = evaluate(spec_of(increase()), samples)
    assert (evaluation.n, evaluation.verdict) == (80, Verdict.WINNER)
    assert any("does not apply to 0 % of the examples of baseline and 20 % of variant" in x for x in evaluation.notes)


def test_nothing_to_compare__typed_absence_with_reason() -> None:
    evaluation = evaluate(spec_of(increase("mrr")), pairs(*noisy(60, 0.0)))
    result = evaluation.criteria[0]
    assert (result.estimate, result.low, result.high, result.p_value, result.n) == (None, None, None, None, 0)
    assert result.reason == "no complete pair has a value"
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_no_samples__inconclusive_without_error() -> None:
    evaluation = evaluate(spec_of(increase(), mode="by_example"), [])
    assert (evaluation.n, evaluation.verdict) == (0, Verdict.INCONCLUSIVE)


def test_one_pair__typed_absence() -> None:
    result = evaluate(spec_of(increase()), pairs([0.1], [0.2])).criteria[0]
    assert (result.estimate, result.reason) == (None, "one value tells nothing about variation")


def test_error_rate__reads_failed() -> None:
    samples = [item.model_copy(update={"failed": row % 10 == 0}) for row, item in enumerate(pairs(*noisy(100, 0.0)))]
    result = evaluate(spec_of(no_rise("error_rate", 0.05)), samples).criteria[0]
    assert (result.baseline_value, result.variant_value) == (0.2, 0.0)


def test_feedback_scale__failed_run__worst_is_one_star() -> None:
    samples = arms([4.0, 5.0] * 30, [4.0, 5.0] * 30, "user_satisfaction")
    samples[-1] = samples[-1].model_copy(update={"metrics": {}, "failed": True})
    result = evaluate(spec_of(increase("user_satisfaction"), mode="by_user"), samples).criteria[0]
    assert result.variant_value == pytest.approx((4.5 * 60 - 5 + 1) / 60)


def test_cost__some_runs_free__ratio_of_means() -> None:
    costs = [0.0 if row % 10 == 0 else 1.0 + row % 3 for row in range(100)]
    dearer = [1.1 * cost + 0.001 * (row % 4) for row, cost in enumerate(costs)]
    result = evaluate(spec_of(no_rise("token_cost", 0.2)), pairs(costs, dearer, "token_cost")).criteria[0]
    assert "ratio of means" in result.method
    assert result.estimate == pytest.approx(0.1, abs=0.01)


def test_metrics__others_present__means_of_all_of_them() -> None:
    samples = [
        item.model_copy(update={"metrics": {**item.metrics, "latency_ms": 100.0 + row // 2}})
        for row, item in enumerate(pairs(*noisy(101, 0.0)))
    ]
    told = evaluate(spec_of(increase()), samples).metrics["baseline"]
    assert (told["latency_ms"], told["latency_p50"], told["latency_p95"]) == (150.0, 150.0, 195.0)


def test_strangers__samples_of_no_arm__are_noted_and_left_out() -> None:
    stranger = Sample(example_id="e0000", variant="ghost", metrics={METRIC: 1.0})
    evaluation = evaluate(spec_of(increase()), [*pairs(*noisy(80, 0.05)), stranger])
    assert evaluation.n == 80
    assert any("ghost" in note for note in evaluation.notes)
