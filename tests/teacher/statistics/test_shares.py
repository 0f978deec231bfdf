"""The exact interval of a share, against scipy's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from teacher.statistics.shares import exact_interval


@given(st.integers(1, 300), st.data())
def test_exact_interval__any_counts__is_that_of_scipy(n: int, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, n))
    oracle = binomtest(x, n).proportion_ci(method="exact")
    assert exact_interval(x, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_exact_interval__one_of_one__is_not_sure_of_itself() -> None:
    assert exact_interval(1, 1) == pytest.approx((0.025, 1.0))
