"""κ and the two rates: published values, weights of a stratified sample, and intervals that hold what they promise."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from teacher.calibration.agreement import Agreement, Cell, agreement, cohen_kappa, wilson

counts = st.integers(min_value=0, max_value=60)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the oracle, where all agree by chance
@given(both=counts, first=counts, second=counts, neither=counts)
def test_cohen_kappa__any_table__is_that_of_statsmodels(both: int, first: int, second: int, neither: int) -> None:
    table = np.array([[both, first], [second, neither]])
    found = cohen_kappa(both, first, second, neither)
    n = int(table.sum())
    if not n or max(both, neither) == n:
        assert found.value is None
        assert found.absent
        return
    expected = cohens_kappa(table)
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    if expected.std_kappa**2 > 1e-12:
        assert found.low == pytest.approx(max(expected.kappa_low, -1), abs=1e-6)
        assert found.high == pytest.approx(min(expected.kappa_upp, 1), abs=1e-6)


@given(positive=counts, other=counts)
def test_wilson__any_share__is_that_of_statsmodels(positive: int, other: int) -> None:
    if positive + other == 0:
        assert wilson(0, 0) == (0.0, 1.0)
        return
    expected = proportion_confint(positive, positive + other, method="wilson")
    assert wilson(positive, positive + other) == pytest.approx(expected, abs=1e-9)


@given(counts, counts, counts, counts)
def test_agreement__whole_population_labelled__is_kappa_of_its_table(a: int, b: int, c: int, d: int) -> None:
    found = agreement([Cell(True, a + c, a + c, a), Cell(False, b + d, b + d, b)])
    expected = cohen_kappa(a, b, c, d)
    assert found.kappa.value == (None if expected.value is None else pytest.approx(expected.value))
    assert found.tpr.value == (pytest.approx(a / (a + b)) if a + b else None)
    assert found.tnr.value == (pytest.approx(d / (c + d)) if c + d else None)


cells = st.lists(
    st.tuples(st.booleans(), st.floats(1, 5000), st.integers(1, 60), st.floats(0, 1)).map(
        lambda row: Cell(row[0], row[1], row[2], round(row[2] * row[3]))
    ),
    min_size=1,
    max_size=6,
)


@given(cells)
def test_agreement__any_cells__estimate_lies_in_its_interval(held: list[Cell]) -> None:
    found = agreement(held)
    for figure, floor in ((found.kappa, -1), (found.tpr, 0), (found.tnr, 0)):
        if figure.value is not None:
            assert floor <= figure.low <= figure.value + 1e-12  # type: ignore[operator]  # None goes with None
            assert figure.value - 1e-12 <= figure.high <= 1  # type: ignore[operator]
        else:
            assert figure.absent


@given(cells)
def test_agreement__yes_and_no_swapped__kappa_stays_and_rates_change_places(held: list[Cell]) -> None:
    swapped = [Cell(not cell.mark, cell.weight, cell.n, cell.n - cell.positive) for cell in held]
    one, other = agreement(held), agreement(swapped)
    for mine, theirs in ((one.kappa, other.kappa), (one.tpr, other.tnr), (one.tnr, other.tpr)):
        assert (mine.value is None) == (theirs.value is None)
        if mine.value is not None:
            assert (mine.value, mine.low, mine.high) == pytest.approx((theirs.value, theirs.low, theirs.high), abs=1e-6)


def test_agreement__nothing_labelled__says_so_and_shows_no_number() -> None:
    found = agreement([Cell(True, 100, 0, 0), Cell(False, 900, 0, 0)])
    assert (found.n, found.kappa.value, found.kappa.absent) == (0, None, "no case is labelled yet")


def test_agreement__no_miss_among_few_that_stand_for_many__tpr_stays_uncertain() -> None:
    """25 clean cases of 5000 were looked at: a Wilson interval of 25 of 25 would claim .86 to 1."""
    found = agreement([Cell(True, 100, 25, 25), Cell(False, 5000, 25, 0)])
    assert found.tpr.value == 1.0
    assert found.tpr.low is not None
    assert found.tpr.low < 0.2


# --- a population whose truth is known, sampled by the judge's mark ---------------------------------------------------


class Truth(NamedTuple):
    yes_right: int
    yes_wrong: int
    no_wrong: int
    no_right: int

    @property
    def tpr(self) -> float:
        return self.yes_right / (self.yes_right + self.no_wrong)

    @property
    def tnr(self) -> float:
        return self.no_right / (self.no_right + self.yes_wrong)

    @property
    def kappa(self) -> float:
        return cohen_kappa(self.yes_right, self.yes_wrong, self.no_wrong, self.no_right).value or 0.0


RARE = Truth(yes_right=200, yes_wrong=150, no_wrong=50, no_right=4600)  # tpr .8, tnr .968, 5 % true


def sampled(truth: Truth, n: int, chance: random.Random) -> tuple[Agreement, float, float]:
    """Half of `n` from each mark; the weighted figures, and the raw rates of the sample."""
    marked = [True] * truth.yes_right + [False] * truth.yes_wrong
    clean = [True] * truth.no_wrong + [False] * truth.no_right
    right = sum(chance.sample(marked, n // 2))
    missed = sum(chance.sample(clean, n // 2))
    found = agreement([Cell(True, len(marked), n // 2, right), Cell(False, len(clean), n // 2, missed)])
    return found, right / (right + missed), (n // 2 - missed) / (n - right - missed)


def test_agreement__sample_by_the_judges_mark__weights_take_the_bias_away() -> None:
    chance = random.Random(11)
    draws = [sampled(RARE, 400, chance) for _ in range(400)]
    tpr = [found.tpr.value for found, _, _ in draws]
    tnr = [found.tnr.value for found, _, _ in draws]
    kappa = [found.kappa.value for found, _, _ in draws]
    assert np.mean(tpr) == pytest.approx(RARE.tpr, abs=0.02)  # type: ignore[arg-type]
    assert np.mean(tnr) == pytest.approx(RARE.tnr, abs=0.005)  # type: ignore[arg-type]
    assert np.mean(kappa) == pytest.approx(RARE.kappa, abs=0.01)  # type: ignore[arg-type]
    assert np.mean([raw for _, raw, _ in draws]) > RARE.tpr + 0.1
    assert np.mean([raw for _, _, raw in draws]) < RARE.tnr - 0.1


@pytest.mark.parametrize(
    "truth", [RARE, Truth(800, 400, 200, 3600), Truth(450, 50, 50, 450), Truth(125, 140, 125, 4610)]
)
@pytest.mark.parametrize("n", [50, 200])
def test_agreement__many_samples__intervals_hold_the_truth(truth: Truth, n: int) -> None:
    """95 % intervals; never under 90 % for κ, 93 % for the rates (1000 draws: standard error .8 %)."""
    chance = random.Random(n)
    held = {"kappa": 0, "tpr": 0, "tnr": 0}
    for _ in range(1000):
        found, _, _ = sampled(truth, n, chance)
        for name in held:
            figure = getattr(found, name)
            held[name] += figure.value is None or figure.low <= getattr(truth, name) <= figure.high
    assert held["kappa"] >= 900
    assert held["tpr"] >= 930
    assert held["tnr"] >= 930
