"""A day's limit of changes counts what the system applied by itself, and nothing else."""

from __future__ import annotations

import pytest

from contracts.actor import Actor, component
from manager.services.daily import changes_by_itself, enough_today
from manager.services.policy import policy_change
from tests.tuner.factories import next_step
from tuner.services import change_apply, parameters_rollback, version_activate

pytestmark = pytest.mark.django_db
MANAGER = component("manager")


def test_enough_today__changes_by_the_system__count_and_approved_ones_by_hand_and_rollbacks_do_not(
    alice: Actor,
) -> None:
    change_apply(proposal=next_step("retrieval.top_k", 4), actor=MANAGER)
    change_apply(proposal=next_step("retrieval.min_score", 0.1, approved_by="person:alice"), actor=MANAGER)
    version_activate(version=1, expected_active=3, actor=alice, reason="look")
    change_apply(proposal=next_step("retrieval.keyword_count", 6), actor=MANAGER)
    parameters_rollback(actor=MANAGER, reason="worse")
    assert changes_by_itself() == 2
    policy_change(actor=alice, reason="slowly", changes_per_day=3)
    assert enough_today() == ""
    policy_change(actor=alice, reason="slower", changes_per_day=2)
    assert enough_today().startswith("2 changes were applied without a person")
