from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.canonical import canonical_json, derive_seed, derive_uuid, stable_fraction, stable_hash

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed_keys(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_reversed_keys(item) for item in value]
    return value


@given(json_values)
def test_canonical_json__any_value__reads_back_equal(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(json_values)
def test_canonical_json__keys_in_another_order__gives_the_same_text(value: Any) -> None:
    assert canonical_json(_reversed_keys(value)) == canonical_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}, ({"b": math.nan},)])
def test_canonical_json__not_finite__is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        canonical_json(value)


def test_canonical_json__object_without_json__is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        canonical_json(object())


def test_stable_hash__known_value__never_changes() -> None:
    """Stored hashes and assignments stand on it."""
    assert stable_hash("a", 1) == "135f17a475a61afdeeaf3759ad2e45ad1c7abb192395abe47e41fc8e395dc1a9"


@given(st.lists(scalars, max_size=3), st.lists(scalars, max_size=3))
def test_stable_hash__different_texts__differ(left: list[Any], right: list[Any]) -> None:
    assert (stable_hash(*left) == stable_hash(*right)) == (canonical_json(left) == canonical_json(right))


@given(json_values)
def test_derived_numbers__any_value__lie_in_their_ranges_and_repeat(value: Any) -> None:
    assert 0 <= stable_fraction(value) < 1
    assert 0 <= derive_seed(value) < 2**63
    assert derive_uuid(value) == derive_uuid(value)


def test_stable_fraction__many_parts__spread_evenly() -> None:
    share = sum(stable_fraction("seed", number) < 0.3 for number in range(4000)) / 4000
    assert abs(share - 0.3) < 0.03
