"""Where an experiment looks, and over which examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.domain.looks import decided_early, look_row, look_sizes, looking_order, sizes_spent
from tests.experiments.makers import example


@pytest.mark.parametrize(
    ("total", "looks", "sizes"),
    [(311, 1, []), (311, 3, [104, 207, 311]), (311, 20, [52, 104, 156, 207, 259, 311]), (99, 5, []), (0, 5, [])],
)
def test_look_sizes__of_a_total__are_equal_parts_of_at_least_the_floor(
    total: int, looks: int, sizes: list[int]
) -> None:
    assert look_sizes(total, looks=looks, floor=50) == sizes


@given(st.integers(0, 2000), st.integers(1, 20))
def test_look_sizes__any__grow_to_the_total_by_parts_not_under_the_floor(total: int, looks: int) -> None:
    sizes = look_sizes(total, looks=looks, floor=50)
    parts = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
    assert all(part >= 50 for part in parts)
    assert len(sizes) <= looks
    assert not sizes or sizes[-1] == total


def test_looking_order__same_seed__is_the_same_whatever_order_they_come_in() -> None:
    names = [example(f"e{row}") for row in range(50)]
    ordered = looking_order(names, seed=3)
    assert ordered == looking_order(reversed(names), seed=3)
    assert ordered != looking_order(names, seed=4)
    assert sorted(item.external_id for item in ordered) == sorted(item.external_id for item in names)


def row(n: int, verdict: str) -> dict[str, object]:
    return look_row(n=n, verdict=verdict, p_value=0.5, level=0.01)


def test_sizes_spent__complete__end_at_the_horizon() -> None:
    assert sizes_spent([50, 100], [row(50, "inconclusive")], complete=True) == (50, 100)


def test_sizes_spent__decided_early__end_where_it_was_decided() -> None:
    looks = [row(50, "inconclusive"), row(100, "winner")]
    assert decided_early(looks)
    assert sizes_spent([50, 100, 150], looks, complete=True) == (50, 100)


def test_sizes_spent__cut_short__are_those_that_were_looked_at() -> None:
    assert sizes_spent([50, 100, 150], [row(50, "inconclusive")], complete=False) == (50,)


def test_sizes_spent__one_look__are_none() -> None:
    assert sizes_spent([], [], complete=True) == ()
