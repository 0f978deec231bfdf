"""A value that was tried and left does not come back on old evidence, nor within its factor's cooldown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from contracts.actor import Actor, component
from contracts.change import GuardCode
from contracts.parameters import ParameterValue
from kernel.errors import RuleViolated
from tests.tuner.factories import next_step
from tuner import selectors, services
from tuner.factor_services import factor_change

pytestmark = pytest.mark.django_db
MANAGER = component("manager")
A, B = 3, 4
KEY, OTHER = "retrieval.top_k", "retrieval.min_score"


def apply(value: ParameterValue, key: str = KEY, **fields: object) -> int:
    """With a verdict of just now, of an experiment of its own."""
    number = selectors.active_version().version
    wish = next_step(key, value, experiment=f"e{number}", evidence_at=timezone.now(), **fields)
    return services.change_apply(proposal=wish, actor=MANAGER).version


def refused(value: ParameterValue, key: str = KEY) -> list[tuple[str, object]]:
    wish = next_step(key, value, experiment="new", evidence_at=timezone.now())
    return [(item.code, item.allowed) for item in services.change_check(proposal=wish)]


def test_swing__a_b_a_b_by_new_evidence_each_time__stops_at_the_second_b() -> None:
    apply(B)
    apply(A)
    assert refused(B) == [(GuardCode.COOLDOWN, "another value, or this one after 2 more, or with approval")]
    with pytest.raises(RuleViolated, match="taken and left again lately"):
        apply(B)
    assert selectors.version_values(selectors.active_version().version)[KEY] == A
    assert refused(2) == [], "another value swings nowhere"


def test_swing__within_the_cooldown_but_after_another_change__is_refused_for_what_is_left_of_it() -> None:
    apply(B)
    apply(A)
    apply(0.1, OTHER)
    assert refused(B) == [(GuardCode.COOLDOWN, "another value, or this one after 1 more, or with approval")]


def test_swing__after_the_cooldown__may_come_back() -> None:
    apply(B)
    apply(A)
    apply(0.1, OTHER)
    apply(0.2, OTHER)
    assert refused(B) == []


def test_swing__one_way_there_and_back__is_no_swing_yet() -> None:
    apply(B)
    assert refused(A) == []


def test_swing__longer_cooldown_of_the_factor__reaches_further_back(alice: Actor) -> None:
    factor_change(key=KEY, values={"cooldown_cycles": 5}, reason="it swings", actor=alice)
    apply(B)
    apply(0.1, OTHER)
    apply(A)
    apply(0.2, OTHER)
    assert refused(B) == [(GuardCode.COOLDOWN, "another value, or this one after 4 more, or with approval")]


def test_swing__left_by_a_person_s_activation__counts_too(alice: Actor) -> None:
    version = apply(B)
    services.version_activate(version=1, expected_active=version, actor=alice, reason="by hand")
    assert [code for code, _ in refused(B)] == [GuardCode.COOLDOWN]


def test_swing__approved__is_a_person_s_choice() -> None:
    apply(B)
    apply(A)
    assert selectors.version_values(apply(B, approved_by="person:alice"))[KEY] == B


def test_swing__through_a_rollback__rests_and_then_needs_a_newer_verdict() -> None:
    apply(B)
    before = timezone.now()
    services.parameters_rollback(actor=MANAGER, reason="worse")
    assert [code for code, _ in refused(B)] == [GuardCode.COOLDOWN]
    apply(0.1, OTHER)
    apply(0.2, OTHER)
    old = next_step(KEY, B, experiment="before", evidence_at=before - timedelta(seconds=1))
    assert [item.limit for item in services.change_check(proposal=old)] == ["new evidence"]
    assert refused(B) == []


@pytest.mark.parametrize("rounds", [8])
def test_swing__whatever_is_proposed_turn_by_turn__never_goes_a_b_a_b_within_the_cooldown(rounds: int) -> None:
    """Each turn asks for the other value with new evidence, and for another factor when that is refused."""
    values, others = [A], iter([0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.3, 0.4])
    for _ in range(rounds):
        wanted = B if values[-1] == A else A
        if refused(wanted):
            apply(next(others), OTHER)
            values.append(values[-1])
        else:
            apply(wanted)
            values.append(wanted)
    window = 4
    runs = ["".join("A" if item == A else "B" for item in values[at : at + window]) for at in range(len(values))]
    assert "ABAB" not in runs
    assert "BABA" not in runs
