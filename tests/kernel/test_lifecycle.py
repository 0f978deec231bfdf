from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import IllegalTransition
from kernel.lifecycle import Lifecycle


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    BROKEN = "broken"


LIGHT = Lifecycle(
    "a light", {Light.RED: frozenset({Light.GREEN, Light.BROKEN}), Light.GREEN: frozenset({Light.RED, Light.BROKEN})}
)


def test_check__step_in_table__passes() -> None:
    LIGHT.check(Light.RED, Light.GREEN)  # raises nothing
    assert LIGHT.may(Light.RED, Light.GREEN)


def test_check__step_not_in_table__names_both_states_and_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition, match="a light cannot go from broken to red") as caught:
        LIGHT.check(Light.BROKEN, Light.RED)
    assert caught.value.details == {"from": "broken", "to": "red", "allowed": []}


def test_is_final__state_without_steps__is_true() -> None:
    assert LIGHT.is_final(Light.BROKEN)
    assert not LIGHT.is_final(Light.RED)


@given(source=st.sampled_from(Light), target=st.sampled_from(Light))
def test_sources__any_pair__agree_with_may(source: Light, target: Light) -> None:
    assert (source in LIGHT.sources(target)) == LIGHT.may(source, target)
