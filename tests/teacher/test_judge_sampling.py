"""The sample that is judged: by category, all arms together, the same each time, and each beginning of it a sample."""

from __future__ import annotations

import uuid
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.canonical import derive_uuid
from teacher.judges.sampling import Unit, drawn, units_of


def units(arms: int = 2, **sizes: int) -> list[Unit]:
    return units_of(
        (derive_uuid(category, number, arm), f"{category}-{number}", category)
        for category, size in sizes.items()
        for number in range(size)
        for arm in range(arms)
    )


def names(found: list[Unit]) -> list[str]:
    return [unit.example for unit in found]


def test_units__runs_of_all_arms_of_an_example__are_one() -> None:
    assert [len(unit.runs) for unit in units(arms=3, factual=4)] == [3, 3, 3, 3]


def test_units__runs_without_an_example__are_one_each() -> None:
    first, second = uuid.uuid4(), uuid.uuid4()

    assert {unit.runs for unit in units_of([(first, None, None), (second, None, None)])} == {(first,), (second,)}


def test_drawn__enough_room__is_everything() -> None:
    found = drawn(units(factual=10, temporal=5), limit=30, seed=1)

    assert sorted(names(found)) == sorted(names(units(factual=10, temporal=5)))


def test_drawn__limit__counts_runs_and_takes_no_example_in_half() -> None:
    found = drawn(units(factual=20), limit=7, seed=1)

    assert [len(unit.runs) for unit in found] == [2, 2, 2]


def test_drawn__large_and_small_categories__have_about_their_shares() -> None:
    found = Counter(unit.category for unit in drawn(units(factual=80, temporal=16, negative=4), limit=50, seed=1))

    assert found["negative"] >= 1
    assert abs(found["temporal"] - 4) <= 1
    assert abs(found["factual"] - 20) <= 1


def test_drawn__room_for_one_of_each_category__takes_one_of_each() -> None:
    found = drawn(units(factual=100, temporal=2, negative=1), limit=6, seed=5)

    assert {unit.category for unit in found} == {"factual", "temporal", "negative"}


def test_drawn__one_arm_or_two__are_the_same_examples() -> None:
    alone = drawn(units(arms=1, factual=30, temporal=10), limit=10, seed="d")
    paired = drawn(units(arms=2, factual=30, temporal=10), limit=20, seed="d")

    assert names(alone) == names(paired)


def test_drawn__another_seed__is_another_sample() -> None:
    assert names(drawn(units(factual=50), limit=20, seed=1)) != names(drawn(units(factual=50), limit=20, seed=2))


@given(
    sizes=st.lists(st.integers(0, 25), min_size=1, max_size=4),
    small=st.integers(0, 40),
    more=st.integers(0, 40),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_drawn__smaller_sample__is_the_beginning_of_the_larger(
    sizes: list[int], small: int, more: int, seed: int
) -> None:
    every = units(**{f"c{place}": size for place, size in enumerate(sizes)})
    larger, smaller = (drawn(every, limit=limit, seed=seed) for limit in (small + more, small))

    assert larger[: len(smaller)] == smaller
    assert sum(len(unit.runs) for unit in smaller) <= small
    assert drawn(every[::-1], limit=small, seed=seed) == smaller
