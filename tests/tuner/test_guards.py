from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.change import LIFTED_BY_APPROVAL, ChangeProposal, GuardCode
from contracts.parameters import FactorDefinition, ParameterValue
from tests.tuner.factories import change, proposal
from tuner.domain.guards import GuardState, check
from tuner.domain.values import beyond_auto_range, step_span, value_violation
from tuner.registry import DEFAULTS, FACTORS


def _state(**fields: Any) -> GuardState:
    return GuardState(current=fields.pop("current", dict(DEFAULTS)), factors=FACTORS, **fields)


def _codes(param: str, from_value: ParameterValue, to_value: ParameterValue, **fields: Any) -> list[str]:
    tested = fields.pop("tested", False)
    experiment = fields.pop("experiment", None)
    wish = proposal(change(param, from_value, to_value), tested=tested, experiment=experiment)
    return [str(violation.code) for violation in check(wish, _state(**fields))]


@pytest.mark.parametrize(
    ("param", "from_value", "to_value", "expected"),
    [
        ("retrieval.top_k", 3, 4, []),
        ("retrieval.top_k", 3, 2, []),
        ("retrieval.nonsense", 3, 4, ["UNKNOWN_PARAM"]),
        ("retrieval.top_k", 3, 4.0, ["WRONG_TYPE"]),
        ("retrieval.top_k", 3, True, ["WRONG_TYPE"]),
        ("retrieval.top_k", 3, "4", ["WRONG_TYPE"]),
        ("retrieval.top_k", 3, 0, ["OUT_OF_RANGE", "STEP_TOO_LARGE"]),
        ("retrieval.top_k", 3, 21, ["OUT_OF_RANGE", "STEP_TOO_LARGE"]),
        ("retrieval.top_k", 3, 5, ["STEP_TOO_LARGE"]),
        ("retrieval.top_k", 3, 6, ["STEP_TOO_LARGE", "NEEDS_APPROVAL"]),
        ("retrieval.top_k", 2, 4, ["STALE_FROM"]),
        ("retrieval.keyword_count", 5, 7, []),
        ("retrieval.relevance_weight", 0.5, 0.6, []),
        ("retrieval.relevance_weight", 0.5, 0.4, []),
        ("retrieval.relevance_weight", 0.5, 0.61, ["STEP_TOO_LARGE"]),
        ("retrieval.relevance_weight", 0.5, float("nan"), ["WRONG_TYPE"]),
        ("retrieval.min_score", 0.0, 0.1, []),
        ("retrieval.min_score", 0.0, 0.2, ["STEP_TOO_LARGE"]),
        ("retrieval.strategy", "tags", "lexical", ["MANUAL_ONLY"]),
        ("retrieval.strategy", "tags", "telepathy", ["OUT_OF_RANGE", "MANUAL_ONLY"]),
        ("context.max_tokens", 4000, 4800, []),
        ("context.max_tokens", 4000, 4801, ["STEP_TOO_LARGE"]),
        ("context.include_metadata", True, False, []),
        ("context.include_metadata", True, 0, ["WRONG_TYPE"]),
        ("context.memory_order", "relevance", "recency", []),
        ("archivist.summary_length", "medium", "short", []),
        ("prompts.responder", "v1", "v2", ["UNTESTED_PROMPT"]),
        ("prompts.archivist", "v1", "v9", ["OUT_OF_RANGE", "MANUAL_ONLY"]),
    ],
)
def test_check__one_change__breaks_exactly_these_rules(
    param: str, from_value: ParameterValue, to_value: ParameterValue, expected: list[str]
) -> None:
    assert _codes(param, from_value, to_value) == expected


def test_check__tested_prompt__is_allowed() -> None:
    assert _codes("prompts.responder", "v1", "v2", tested=True, tried={("prompts.responder", "v2")}) == []
    assert _codes("prompts.responder", "v1", "v2", tested=False, tried={("prompts.responder", "v2")}) == [
        "UNTESTED_PROMPT"
    ]


def test_check__two_prompts_and_one_was_tried__names_the_other() -> None:
    wish = proposal(change("prompts.responder", "v1", "v2"), change("prompts.analyzer", "v1", "v2"), tested=True)
    found = check(wish, _state(tried={("prompts.responder", "v2")}))
    assert [v.param for v in found if v.code is GuardCode.UNTESTED_PROMPT] == ["prompts.analyzer"]


def test_check__frozen__refuses() -> None:
    assert _codes("retrieval.top_k", 3, 4, frozen=True) == ["FROZEN"]


def test_check__frozen_and_two_factors_of_which_one_is_unknown__names_each() -> None:
    wish = proposal(change("retrieval.top_k", 3, 4), change("x.y", 1, 2))
    found = check(wish, _state(frozen=True, frozen_why="person:bob: release day"))
    assert [(v.param, v.value) for v in found if v.code is GuardCode.FROZEN] == [("retrieval.top_k", 4), ("x.y", 2)]
    assert found[0].limit == "changes are frozen by person:bob: release day"


def test_check__resting_factor__is_in_cooldown() -> None:
    assert _codes("retrieval.top_k", 3, 4, cooldowns={"retrieval.top_k": 1}) == ["COOLDOWN"]


def test_check__undone_value__needs_new_evidence() -> None:
    assert _codes("retrieval.min_score", 0.0, 0.1, undone={("retrieval.min_score", 0.1)}) == ["COOLDOWN"]


def test_check__factor_under_test_by_another_experiment__conflicts() -> None:
    running = {"retrieval.top_k": "other"}
    assert _codes("retrieval.top_k", 3, 4, running_conflicts=running, experiment="mine") == ["CONFLICT"]
    assert _codes("retrieval.top_k", 3, 4, running_conflicts=running, experiment="other") == []


def test_check__two_factors__are_too_many() -> None:
    wish = proposal(change("retrieval.top_k", 3, 4), change("retrieval.min_score", 0.0, 0.1))
    assert [v.code for v in check(wish, _state())] == [GuardCode.TOO_MANY_CHANGES]


def test_check__relative_step_at_zero__is_a_share_of_the_hard_range() -> None:
    current = {**DEFAULTS, "retrieval.recency_weight": 0.0}
    wish = proposal(change("retrieval.recency_weight", 0.0, 0.2))
    codes = [v.code for v in check(wish, _state(current=current))]
    assert GuardCode.STEP_TOO_LARGE not in codes


def test_check__violation__says_value_limit_and_what_is_allowed() -> None:
    (violation,) = check(proposal(change("context.max_tokens", 4000, 5000)), _state())
    assert (violation.value, violation.limit, violation.allowed) == (5000, "20%", [3200, 4800])
    assert "3200 to 4800" in violation.message


@pytest.mark.parametrize("code", list(GuardCode))
def test_check__approved__lifts_what_approval_may_lift_and_nothing_else(code: GuardCode) -> None:
    step = proposal(change("retrieval.top_k", 3, 4))
    everything: dict[GuardCode, tuple[ChangeProposal, dict[str, Any]]] = {
        GuardCode.UNKNOWN_PARAM: (proposal(change("x.y", 1, 2)), {}),
        GuardCode.WRONG_TYPE: (proposal(change("retrieval.top_k", 3, "4")), {}),
        GuardCode.OUT_OF_RANGE: (proposal(change("retrieval.top_k", 3, 21)), {}),
        GuardCode.STEP_TOO_LARGE: (proposal(change("retrieval.top_k", 3, 5)), {}),
        GuardCode.MANUAL_ONLY: (proposal(change("retrieval.strategy", "tags", "lexical")), {}),
        GuardCode.NEEDS_APPROVAL: (proposal(change("retrieval.top_k", 3, 6)), {}),
        GuardCode.FROZEN: (step, {"frozen": True}),
        GuardCode.COOLDOWN: (step, {"cooldowns": {"retrieval.top_k": 1}}),
        GuardCode.CONFLICT: (
            proposal(change("retrieval.top_k", 3, 4)),
            {"running_conflicts": {"retrieval.top_k": "e"}},
        ),
        GuardCode.STALE_FROM: (proposal(change("retrieval.top_k", 2, 4)), {}),
        GuardCode.TOO_MANY_CHANGES: (
            proposal(change("retrieval.top_k", 3, 4), change("retrieval.min_score", 0.0, 0.1)),
            {},
        ),
        GuardCode.UNTESTED_PROMPT: (proposal(change("prompts.responder", "v1", "v2")), {}),
    }
    wish, facts = everything[code]
    found = [v for v in check(wish, _state(**facts)) if v.code == code]
    assert found
    for violation in found:
        told = violation.model_dump(mode="json")
        assert None not in (told["value"], told["limit"], told["allowed"]), told
        assert told["message"]
        assert told["param"]
    approved = check(wish.model_copy(update={"approved_by": "person:alice"}), _state(**facts))
    assert (code in {v.code for v in approved}) == (code not in LIFTED_BY_APPROVAL)


_NUMBERS = [f for f in FACTORS.values() if f.type in ("int", "float")]


@given(st.sampled_from(_NUMBERS), st.floats(allow_nan=True), st.floats(0, 1))
def test_check__any_number__passes_only_inside_range_and_step(
    factor: FactorDefinition, wild: float, place: float
) -> None:
    """Whatever number is proposed from whatever current value, what passes is inside every limit."""
    assert factor.low is not None
    assert factor.high is not None
    current: float = factor.low + place * (factor.high - factor.low)
    target: float = wild
    if factor.type == "int":
        current = round(current)
        target = round(wild) if abs(wild) < 1e9 else 7
    wish = proposal(change(factor.key, current, target))
    if check(wish, _state(current={**DEFAULTS, factor.key: current})):
        return
    span = step_span(factor, current)
    assert span is not None
    assert value_violation(factor, target) is None
    assert not beyond_auto_range(factor, target)
    assert span[0] - 1e-6 <= target <= span[1] + 1e-6
