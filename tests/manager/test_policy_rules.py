"""What policy makes of autonomy and violations, and the tables of states."""

from __future__ import annotations

from itertools import pairwise

import pytest

from contracts.change import GuardCode, GuardViolation
from contracts.goal import Autonomy
from kernel.errors import IllegalTransition
from manager.domain.lifecycle import APPROVAL, CYCLE, WORKING, ApprovalStatus, CycleState
from manager.domain.policy import Leeway, cycles_problem, decide, decide_start, factor_asked


def violation(code: GuardCode) -> GuardViolation:
    return GuardViolation(code=code, param="retrieval.top_k", value=6, message=f"broken: {code}")


LIFTED, FINAL = violation(GuardCode.NEEDS_APPROVAL), violation(GuardCode.OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("autonomy", "kind"),
    [(Autonomy.FULL_AUTO, "apply"), (Autonomy.SEMI_AUTO, "ask"), (Autonomy.MANUAL, "ask")],
)
def test_decide__no_violation__autonomy_decides(autonomy: Autonomy, kind: str) -> None:
    decision = decide(leeway=Leeway(autonomy), violations=[])
    assert decision.kind == kind
    assert str(autonomy) in decision.reasons[0]


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_decide__violation_that_approval_lifts__asks_at_every_level(autonomy: Autonomy) -> None:
    decision = decide(leeway=Leeway(autonomy), violations=[LIFTED])
    assert (decision.kind, decision.reasons) == ("ask", (LIFTED.message,))


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_decide__violation_that_nothing_lifts__refuses_at_every_level(autonomy: Autonomy) -> None:
    decision = decide(leeway=Leeway(autonomy), violations=[LIFTED, FINAL])
    assert (decision.kind, decision.reasons) == ("refuse", (FINAL.message,))


def test_decide__enough_changed_today__asks_although_everything_holds() -> None:
    decision = decide(leeway=Leeway(Autonomy.FULL_AUTO), violations=[], enough_today="5 were applied today")
    assert (decision.kind, decision.reasons) == ("ask", ("5 were applied today",))


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_decide_start__only_manual_waits_and_says_why(autonomy: Autonomy) -> None:
    decision = decide_start(Leeway(autonomy))
    assert decision.kind == ("ask" if autonomy is Autonomy.MANUAL else "apply")
    assert str(autonomy) in decision.reasons[0]


@pytest.mark.parametrize(
    ("wanted", "most", "level"),
    [
        (Autonomy.FULL_AUTO, Autonomy.SEMI_AUTO, Autonomy.SEMI_AUTO),
        (Autonomy.SEMI_AUTO, Autonomy.FULL_AUTO, Autonomy.SEMI_AUTO),
        (Autonomy.FULL_AUTO, Autonomy.MANUAL, Autonomy.MANUAL),
        (Autonomy.MANUAL, Autonomy.FULL_AUTO, Autonomy.MANUAL),
    ],
)
def test_leeway__goal_and_policy__the_lower_level_holds(wanted: Autonomy, most: Autonomy, level: Autonomy) -> None:
    assert Leeway(wanted, most=most).level is level


def test_decide__policy_below_the_campaign__asks_and_names_the_policy() -> None:
    decision = decide(leeway=Leeway(Autonomy.FULL_AUTO, most=Autonomy.SEMI_AUTO), violations=[])
    assert decision.kind == "ask"
    assert decision.reasons == ("the policy lets no campaign go beyond semi_auto: applying waits for a person",)


@pytest.mark.parametrize(("asked", "kind"), [(["retrieval.top_k"], "ask"), (["retrieval.min_score"], "apply")])
def test_decide__factor_that_the_policy_names__asks_although_everything_holds(asked: list[str], kind: str) -> None:
    why = factor_asked("retrieval.top_k", asked)
    assert decide(leeway=Leeway(Autonomy.FULL_AUTO), violations=[], asked=why).kind == kind


@pytest.mark.parametrize(("wanted", "said"), [(5, ""), (6, "the policy allows a campaign 5 cycles, not 6")])
def test_cycles_problem__beyond_what_the_policy_allows__says_so(wanted: int, said: str) -> None:
    assert cycles_problem(wanted, 5) == said


def test_cycle__its_round__is_allowed_step_by_step() -> None:
    round_trip = [CycleState.IDLE, *WORKING, CycleState.EMULATING]
    assert all(CYCLE.may(one, other) for one, other in pairwise(round_trip))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (CycleState.EMULATING, CycleState.ANALYZING),
        (CycleState.EMULATING, CycleState.IDLE),
        (CycleState.EVALUATING, CycleState.IDLE),
        (CycleState.ANALYZING, CycleState.EMULATING),
        (CycleState.TUNING, CycleState.ANALYZING),
    ],
)
def test_cycle__step_over_a_state__is_illegal(source: CycleState, target: CycleState) -> None:
    with pytest.raises(IllegalTransition):
        CYCLE.check(source, target)


@pytest.mark.parametrize("state", [CycleState.IDLE, *WORKING])
def test_cycle__paused_or_failed_from_anywhere__goes_on_where_it_was(state: CycleState) -> None:
    for stop in (CycleState.PAUSED, CycleState.FAILED):
        assert CYCLE.may(state, stop)
        assert CYCLE.may(stop, state)


@pytest.mark.parametrize(
    "status", [ApprovalStatus.APPLIED, ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED, ApprovalStatus.VOID]
)
def test_approval__once_ended__is_final(status: ApprovalStatus) -> None:
    assert APPROVAL.is_final(status)


def test_approval__applied_only_after_approved() -> None:
    assert APPROVAL.sources(ApprovalStatus.APPLIED) == {ApprovalStatus.APPROVED}
