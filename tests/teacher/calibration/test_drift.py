"""A judge that is agreed with less than before is noticed, a steady one hardly ever accused."""

from __future__ import annotations

import random

import pytest
from scipy.stats import binomtest, fisher_exact

from teacher.calibration.drift import STEP, WINDOW, Marked, drift, succession


def labels(n: int, agreement: float, chance: random.Random, *, mark: bool | None = None) -> list[Marked]:
    return [Marked(chance.random() < 0.5 if mark is None else mark, chance.random() < agreement) for _ in range(n)]


def test_drift__one_kind_of_mark__is_fishers_exact_test() -> None:
    chance = random.Random(4)
    old, new = labels(60, 0.9, chance, mark=True), labels(WINDOW, 0.7, chance, mark=True)
    found = drift(old[:50] + new)
    assert found is not None
    good, late = sum(item.agreed for item in old[:50]), sum(item.agreed for item in new)
    expected = fisher_exact([[late, WINDOW - late], [good, 50 - good]], alternative="less").pvalue
    assert found.p_value == pytest.approx(expected)
    assert (found.before, found.latest) == (good / 50, late / WINDOW)


def test_drift__agreement_halved__is_significant() -> None:
    chance = random.Random(5)
    found = drift(labels(100, 0.95, chance) + labels(WINDOW, 0.5, chance))
    assert found is not None
    assert found.significant


def test_drift__only_the_mixture_of_marks_changed__is_no_drift() -> None:
    """What is marked as a hallucination is agreed with less; the latest window holds nothing else."""
    right = [Marked(False, True)] * 95 + [Marked(False, False)] * 5
    hard = [Marked(True, place % 5 > 1) for place in range(50)]
    found = drift([*right, *hard, *(Marked(True, place % 5 > 1) for place in range(WINDOW))])
    assert found is not None
    assert found.before - found.latest > 0.2
    assert not found.significant


@pytest.mark.parametrize("n", [0, 49, 99])
def test_drift__fewer_than_two_windows__cannot_be_told(n: int) -> None:
    assert drift(labels(n, 0.9, random.Random(1))) is None


def test_drift__between_two_looks__stays_as_it_was() -> None:
    course = labels(100 + STEP - 1, 0.8, random.Random(2))
    assert drift(course) == drift(course[:100])


def test_drift__steady_judge_over_500_labels__is_rarely_accused() -> None:
    chance = random.Random(6)
    accused = 0
    for _ in range(300):
        course = labels(500, 0.85, chance)
        accused += any(found.significant for n in range(100, 501, STEP) if (found := drift(course[:n])) is not None)
    assert accused / 300 <= 0.03


def test_drift__agreement_falls_by_a_third__is_mostly_noticed_within_a_window() -> None:
    chance = random.Random(7)
    noticed = 0
    for _ in range(200):
        found = drift(labels(150, 0.92, chance) + labels(WINDOW, 0.62, chance))
        noticed += found is not None and found.significant
    assert noticed / 200 >= 0.88


def test_succession__cases_lost_and_won__is_the_exact_test_of_mcnemar() -> None:
    pairs = [(True, True)] * 30 + [(True, False)] * 12 + [(False, True)] * 2 + [(False, False)] * 6
    found = succession(pairs)
    assert found is not None
    assert found.p_value == pytest.approx(binomtest(12, 14, alternative="greater").pvalue)
    assert (found.old, found.new, found.n) == (42 / 50, 32 / 50, 50)
    assert not found.significant


def test_succession__nothing_judged_by_both__cannot_be_told() -> None:
    assert succession([]) is None


def test_succession__new_version_agrees_more__is_never_worse() -> None:
    found = succession([(False, True)] * 20)
    assert found is not None
    assert not found.significant
