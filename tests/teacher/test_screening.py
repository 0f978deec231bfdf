"""Screening: paired differences of each candidate, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import stdev

import pytest
from scipy.stats import norm, t

from contracts.evaluation import Sample
from contracts.parameters import ParameterChange
from teacher.designer import Candidate, screening_read


def candidate() -> Candidate:
    return Candidate(change=ParameterChange(param="k", from_value=3, to_value=2), prior=1.0)


def sample(example: str, variant: str, category: str = "factual", **metrics: float | None) -> Sample:
    return Sample(example_id=example, variant=variant, metrics=metrics, category=category)


def test_screening__pairs__give_mean_error_and_deviation_of_their_differences() -> None:
    samples = [
        *(sample(f"e{i}", "baseline", mrr=value) for i, value in enumerate((0.5, 0.5, 0.5))),
        *(sample(f"e{i}", "k=2", mrr=value) for i, value in enumerate((0.7, 0.5, 0.9))),
    ]

    (found,) = screening_read(samples, [candidate()])

    assert found.differences["mrr"].mean == pytest.approx(0.2)
    assert found.differences["mrr"].deviation == pytest.approx(0.2)
    assert found.differences["mrr"].error == pytest.approx(0.2 / 3**0.5)
    assert found.differences["mrr"].n == 3


def families(gains: Sequence[float]) -> list[Sample]:
    """Each gain twice, in two variants of one family that agree with each other."""
    return [
        Sample(
            example_id=f"f{family}-{number}", variant=arm, metrics={"mrr": value}, category="factual",
            cluster=f"f{family}",
        )
        for family, gain in enumerate(gains)
        for number in range(2)
        for arm, value in (("baseline", 0.0), ("k=2", gain))
    ]  # fmt: skip


def test_screening__variants_of_one_family__count_as_one() -> None:
    gains = (0.1, 0.2, 0.3, 0.4, 0.5)

    (found,) = screening_read(families(gains), [candidate()])

    # Two variants that say the same tell no more than one: the error of five values, not of ten, and Student's t.
    assert found.differences["mrr"].n == 10
    assert found.differences["mrr"].clusters == 5
    assert found.differences["mrr"].error == pytest.approx(stdev(gains) / 5**0.5 * t.ppf(norm.cdf(1), 4))


@pytest.mark.parametrize(("gains", "wider"), [((0.1, 0.3), 1.837), ((0.1, 0.2, 0.3), 1.321)])
def test_screening__two_or_three_families__are_clustered_too_and_trusted_less(
    gains: tuple[float, ...], wider: float
) -> None:
    (found,) = screening_read(families(gains), [candidate()])

    assert found.differences["mrr"].error == pytest.approx(stdev(gains) / len(gains) ** 0.5 * wider, rel=1e-3)


def test_screening__one_family_alone__has_the_error_of_its_questions() -> None:
    samples = [item.model_copy(update={"cluster": "one"}) for item in families((0.1, 0.2, 0.3))]

    (found,) = screening_read(samples, [candidate()])

    assert found.differences["mrr"].clusters == 1
    assert found.differences["mrr"].error == pytest.approx(stdev([0.1, 0.1, 0.2, 0.2, 0.3, 0.3]) / 6**0.5)


def test_screening__families_that_cancel_out__never_claim_more_than_independence() -> None:
    items = families((0.2,) * 6)
    turned = [
        item.model_copy(update={"metrics": {"mrr": -0.2}})
        if item.variant == "k=2" and item.example_id.endswith("1")
        else item
        for item in items
    ]

    (found,) = screening_read(turned, [candidate()])

    assert found.differences["mrr"].error == pytest.approx(found.differences["mrr"].deviation / 12**0.5)


def test_screening__missing_or_inapplicable_on_one_side__is_no_pair() -> None:
    samples = [
        sample("both", "baseline", mrr=0.1), sample("both", "k=2", mrr=0.4),
        sample("missing", "baseline", mrr=None), sample("missing", "k=2", mrr=1.0),
        sample("absent", "baseline"), sample("absent", "k=2", mrr=1.0),
        sample("alone", "k=2", mrr=1.0),
    ]  # fmt: skip

    (found,) = screening_read(samples, [candidate()])

    assert (found.differences["mrr"].n, found.differences["mrr"].error) == (1, 0.0)
    assert found.gain("mrr", higher_is_better=True) == pytest.approx(0.3)


def test_screening__of_one_category__looks_at_its_questions_alone() -> None:
    samples = [
        sample("a", "baseline", "temporal", mrr=0.0), sample("a", "k=2", "temporal", mrr=1.0),
        sample("b", "baseline", "factual", mrr=1.0), sample("b", "k=2", "factual", mrr=0.0),
    ]  # fmt: skip

    (found,) = screening_read(samples, [candidate()], category="temporal")

    assert (found.differences["mrr"].mean, found.differences["mrr"].n) == (1.0, 1)


def test_screening__candidate_without_runs__has_no_difference_and_no_gain() -> None:
    (found,) = screening_read([sample("a", "baseline", mrr=1.0)], [candidate()])

    assert found.differences == {}
    assert found.gain("mrr", higher_is_better=True) == 0.0
