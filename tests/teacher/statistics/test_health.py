"""What blocks a verdict, and what does not."""

from __future__ import annotations

import pytest

from contracts.evaluation import Evaluation, HealthCheck, Sample, Verdict
from teacher.statistics import evaluate
from tests.teacher.statistics.factories import arms, increase, noisy, pairs, spec_of


def check(evaluation: Evaluation, name: str) -> HealthCheck:
    return next(item for item in evaluation.health if item.name == name)


def ordered(samples: list[Sample], places: list[int]) -> list[Sample]:
    return [item.model_copy(update={"order": place}) for item, place in zip(samples, places, strict=True)]


def test_sample_ratio__hundred_against_two_hundred__blocks() -> None:
    base, up = noisy(200, 0.2)
    evaluation = evaluate(spec_of(increase(), mode="by_example"), arms(base[:100], up))
    assert not check(evaluation, "sample_ratio").ok
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_sample_ratio__uneven_split_as_planned__is_sound() -> None:
    base, up = noisy(200, 0.2)
    spec = spec_of(increase(), assignment={"mode": "by_example", "split": [1 / 3, 2 / 3]})
    evaluation = evaluate(spec, arms(base[:100], up))
    assert check(evaluation, "sample_ratio").ok
    assert evaluation.verdict is Verdict.WINNER


@pytest.mark.parametrize("mode", ["by_example", "by_user"])
def test_assignment__example_in_both_arms__blocks(mode: str) -> None:
    evaluation = evaluate(spec_of(increase(), mode=mode), pairs(*noisy(100, 0.2)))
    assert not check(evaluation, "assignment").ok
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_failure_rate__eight_against_none_of_a_hundred__blocks_paired() -> None:
    samples = [
        item.model_copy(update={"failed": item.variant == "variant" and item.example_id < "e0008"})
        for item in pairs(*noisy(100, 0.2))
    ]
    evaluation = evaluate(spec_of(increase()), samples)
    assert not check(evaluation, "failure_rate").ok
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_failure_rate__three_against_none__is_sound() -> None:
    samples = [
        item.model_copy(update={"failed": item.variant == "variant" and item.example_id < "e0003"})
        for item in pairs(*noisy(100, 0.2))
    ]
    assert check(evaluate(spec_of(increase()), samples), "failure_rate").ok


def test_missing_rate__nine_against_none__blocks_unpaired() -> None:
    base, up = noisy(100, 0.2)
    values: list[float | None] = [None] * 9 + up[9:]
    evaluation = evaluate(spec_of(increase(), mode="by_example"), arms(base, values))
    assert not check(evaluation, "missing_rate").ok
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_interleaving__baseline_first_then_variant__blocks() -> None:
    samples = pairs(*noisy(100, 0.2))
    places = [row // 2 + (100 if item.variant == "variant" else 0) for row, item in enumerate(samples)]
    evaluation = evaluate(spec_of(increase()), ordered(samples, places))
    assert not check(evaluation, "interleaving").ok
    assert evaluation.verdict is Verdict.INCONCLUSIVE


def test_interleaving__alternating__is_sound() -> None:
    samples = pairs(*noisy(100, 0.2))
    assert check(evaluate(spec_of(increase()), ordered(samples, list(range(200)))), "interleaving").ok


def test_interleaving__blocks_of_thirty_in_turn__is_sound() -> None:
    samples = pairs(*noisy(300, 0.2))
    places = [
        (row // 60) * 60 + (30 if item.variant == "variant" else 0) + row % 60 // 2 for row, item in enumerate(samples)
    ]
    assert check(evaluate(spec_of(increase()), ordered(samples, places)), "interleaving").ok


def test_interleaving__no_order_recorded__is_not_checked_and_says_so() -> None:
    found = check(evaluate(spec_of(increase()), pairs(*noisy(100, 0.2))), "interleaving")
    assert (found.ok, found.blocks) == (True, False)
    assert found.detail.startswith("not checked")
