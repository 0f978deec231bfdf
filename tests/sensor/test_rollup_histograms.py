"""Percentiles from histograms, against numpy on the values themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.domain.rollup import GAMMA, RELATIVE_ERROR, ZERO_BIN, bin_value, percentiles


def binned(values: list[float]) -> dict[int, int]:
    found: dict[int, int] = {}
    for value in values:
        number = ZERO_BIN if value < 0.001 else math.ceil(math.log(value) / math.log(GAMMA))
        found[number] = found.get(number, 0) + 1
    return found


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=60), st.floats(0, 1))
def test_percentiles__any_values__within_half_a_per_cent(values: list[float], share: float) -> None:
    exact = float(np.quantile(values, share))

    (found,) = percentiles(binned(values), [share])

    assert found == pytest.approx(exact, rel=RELATIVE_ERROR * 1.001)


def test_percentiles__no_values__none() -> None:
    assert percentiles({}, [0.5, 0.95]) == [None, None]
    assert percentiles({7: 0}, [0.5]) == [None]


def test_percentiles__zeros_among_values__count_as_zero() -> None:
    assert percentiles({ZERO_BIN: 3, 100: 1}, [0.5]) == [0.0]


def test_bin_value__both_ends_of_a_bin__equally_far() -> None:
    low, high = GAMMA**99, GAMMA**100

    assert bin_value(100) / low - 1 == pytest.approx(1 - bin_value(100) / high, rel=0.02)
