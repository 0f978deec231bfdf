"""Candidate steps: which are offered from a value, which need a person, and which were tried enough."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.parameters import FactorDefinition, ParameterValue
from teacher.designer import Candidate, StepHistory, candidates_list
from teacher.designer.candidates import approval_reasons


def factor(**more: Any) -> FactorDefinition:
    return FactorDefinition.model_validate({"key": "f", "title": "F", "type": "int", "default": 3, "step": 1, **more})


K = factor(key="k", low=1, high=20, auto_low=1, auto_high=5)
WEIGHT = factor(
    key="w", type="float", default=0.5, low=0, high=1, auto_low=0.3, auto_high=0.7, step=0.2, step_relative=True
)


def listed(definition: FactorDefinition, current: ParameterValue, **more: Any) -> list[Candidate]:
    given = {"metric": "mrr", "base_version": 1, **more}
    return candidates_list(
        factors={definition.key: definition}, allowed=[definition.key], current={definition.key: current}, **given
    )


def values(definition: FactorDefinition, current: ParameterValue, **more: Any) -> list[ParameterValue]:
    return [item.change.to_value for item in listed(definition, current, **more)]


@pytest.mark.parametrize(
    ("definition", "current", "steps"),
    [
        (K, 3, [4, 2]),
        (K, 1, [2]),
        (K, 20, [19]),
        (WEIGHT, 0.5, [0.6, 0.4]),
        (factor(type="bool", step=None), True, [False]),
        (factor(type="bool", step=None), False, [True]),
        (factor(type="choice", step=None, choices=("a", "b", "c")), "b", ["a", "c"]),
        (factor(type="prompt", step=None, choices=("v1", "v2")), "v1", ["v2"]),
        (factor(type="prompt", step=None, choices=("v1",)), "v1", []),
        (factor(type="int", step=None), 3, []),
    ],
)
def test_candidates__from_a_value__are_single_steps_of_its_type(
    definition: FactorDefinition, current: ParameterValue, steps: list[ParameterValue]
) -> None:
    assert values(definition, current) == steps


@pytest.mark.parametrize(
    ("definition", "current", "steps"),
    [
        (factor(low=1, high=20, step=4), 2, [6, 1]),
        (factor(type="float", low=0, high=1, step=0.4), 0.9, [1.0, 0.5]),
        (factor(type="float", low=0, high=1, step=0.1), 0.0, [0.1]),
        (factor(step=4), 2, [6, -2]),
    ],
)
def test_candidates__step_beyond_the_hard_range__ends_at_its_edge(
    definition: FactorDefinition, current: ParameterValue, steps: list[ParameterValue]
) -> None:
    assert values(definition, current) == steps


def test_candidates__step_that_leaves_the_automatic_range__offers_its_edge_too() -> None:
    found = listed(WEIGHT, 0.6)

    assert [(item.change.to_value, bool(item.needs_approval)) for item in found] == [
        (0.72, True), (0.7, False), (0.48, False),
    ]  # fmt: skip


def test_candidates__at_the_edge_of_the_automatic_range__the_step_out_needs_a_person() -> None:
    beyond, back = listed(K, 5)

    assert beyond.change.to_value == 6
    assert beyond.needs_approval == ("6 lies outside the automatic range 1 to 5",)
    assert (back.change.to_value, back.needs_approval) == (4, ())


def test_candidates__wider__adds_double_steps_that_need_a_person() -> None:
    found = listed(K, 3, wider=True)

    assert [item.change.to_value for item in found] == [4, 2, 5, 1]
    assert found[2].needs_approval == ("the step of 2 is larger than 1",)
    assert found[0].needs_approval == ()


def test_candidates__factor_that_only_people_move__says_why() -> None:
    manual = factor(type="choice", step=None, choices=("a", "b"), manual=True, auto=False, reason="It is the design.")

    (found,) = listed(manual, "a")

    assert found.needs_approval == ("f is always decided by a person: It is the design.",)


@pytest.mark.parametrize("fields", [{"manual": True}, {"auto": False}])
def test_candidates__factor_manual_or_not_automatic__needs_a_person(fields: dict[str, Any]) -> None:
    (found,) = listed(factor(type="bool", step=None, **fields), True)

    assert found.needs_approval == ("f is always decided by a person: it changes the design",)


def test_approval_reasons__range_open_on_one_side__are_still_words() -> None:
    assert approval_reasons(factor(auto_high=5, step=None), 5, 6) == ("6 lies outside the automatic range … to 5",)


def test_candidates__not_allowed_unknown_or_acting_on_memory__are_left_out() -> None:
    written = factor(key="m", acts_on="memory")
    factors = {"k": K, "m": written, "w": WEIGHT}

    found = candidates_list(
        factors=factors, allowed=["k", "m", "no.such"], current={"k": 3, "m": 3, "w": 0.5}, metric="mrr", base_version=1
    )

    assert {item.change.param for item in found} == {"k"}


def test_candidates__with_a_belief_about_the_metric__come_most_promising_first() -> None:
    top_k = K.model_copy(update={"key": "retrieval.top_k"})
    other = factor(key="other.factor")
    factors = {"other.factor": other, "retrieval.top_k": top_k}

    found = candidates_list(
        factors=factors, allowed=list(factors), current={"other.factor": 3, "retrieval.top_k": 3},
        metric="retrieval_precision", base_version=1,
    )  # fmt: skip

    assert [(item.change.param, item.change.to_value) for item in found] == [
        ("retrieval.top_k", 2), ("other.factor", 4), ("other.factor", 2), ("retrieval.top_k", 4),
    ]  # fmt: skip


def tried(outcome: str, *, base_version: int = 1, to_value: ParameterValue = 4) -> StepHistory:
    return StepHistory("k", 3, to_value, base_version, outcome)


@pytest.mark.parametrize("outcome", ["loser", "winner", "rejected"])
def test_candidates__step_decided_before__is_never_offered_again(outcome: str) -> None:
    assert values(K, 3, history=[tried(outcome)], base_version=9) == [2]


def test_candidates__same_step_from_another_value__is_a_new_one() -> None:
    assert 4 in values(K, 5, history=[tried("loser")])


@pytest.mark.parametrize(
    ("history", "offered"),
    [
        ([tried("inconclusive")], False),
        ([tried("inconclusive", base_version=0)], True),
        ([tried("inconclusive", base_version=0), tried("inconclusive", base_version=0)], False),
        ([tried("inconclusive", base_version=0), tried("loser", base_version=0)], False),
    ],
)
def test_candidates__inconclusive_step__is_offered_once_more_under_another_base(
    history: list[StepHistory], offered: bool
) -> None:
    assert (4 in values(K, 3, history=history)) is offered


def test_candidates__history_of_single_steps__leaves_the_wider_ones() -> None:
    history = [tried("loser"), tried("loser", to_value=2)]

    assert values(K, 3, history=history) == []
    assert values(K, 3, history=history, wider=True) == [5, 1]


def test_candidate__arm__is_the_same_name_wherever_the_step_is_tried() -> None:
    assert [item.arm for item in listed(K, 3)] == ["k=4", "k=2"]


@given(
    current=st.floats(min_value=0.31, max_value=0.69).map(lambda value: round(value, 4)),
    share=st.floats(min_value=0.05, max_value=0.5),
    kind=st.sampled_from(["int", "float"]),
)
def test_candidates__inside_the_automatic_range__never_need_a_person_for_their_size(
    current: float, share: float, kind: str
) -> None:
    """Rounding must not carry a step beyond its own limit."""
    scale = 1000 if kind == "int" else 1
    start: ParameterValue = round(current * scale) if kind == "int" else current
    definition = factor(type=kind, low=0, high=scale, auto_low=0, auto_high=scale, step=share, step_relative=True)

    found = listed(definition, start)

    assert found
    assert all(item.needs_approval == () for item in found)
    assert all(0 <= float(item.change.to_value) <= scale for item in found)
