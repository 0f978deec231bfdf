"""An activation by hand passes what no person's word lifts; the codes of the guards are told in one place."""

from __future__ import annotations

import pytest

from contracts.actor import Actor
from contracts.change import GUARD_MEANINGS, LIFTED_BY_APPROVAL, GuardCode
from kernel.errors import RuleViolated
from tests.tuner.factories import next_step
from tuner import database, selectors, services
from tuner.factor_services import factor_change
from tuner.registry_docs import factors_markdown


def activate(version: int, actor: Actor) -> None:
    services.version_activate(
        version=version, expected_active=selectors.active_version().version, actor=actor, reason="by hand"
    )


def made(**values: object) -> int:
    """A production version that nothing led to, as somebody with the functions alone could write it."""
    full = {**selectors.active_version().stored_values, **values}
    return database.version_create(parent=1, values=full, experiment=None, reason="by hand", actor="person:mallory")


def codes(error: RuleViolated) -> list[str]:
    return sorted(item["code"] for item in error.details["violations"])


@pytest.mark.django_db
def test_activation__prompt_without_a_test_and_value_beyond_the_hard_range__names_both(alice: Actor) -> None:
    with pytest.raises(RuleViolated) as caught:
        activate(made(**{"prompts.responder": "v3", "retrieval.top_k": 99}), alice)
    assert codes(caught.value) == ["OUT_OF_RANGE", "UNTESTED_PROMPT"]
    assert selectors.active_version().version == 1


@pytest.mark.django_db
def test_activation__factor_that_is_frozen__is_refused_until_it_is_thawed(alice: Actor) -> None:
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=alice)
    factor_change(key="retrieval.top_k", values={"frozen": True}, reason="repair", actor=alice)
    with pytest.raises(RuleViolated) as caught:
        activate(1, alice)
    assert codes(caught.value) == ["FROZEN"]
    factor_change(key="retrieval.top_k", values={"frozen": None}, reason="repaired", actor=alice)
    activate(1, alice)
    assert selectors.active_version().version == 1


@pytest.mark.django_db
def test_activation__prompt_of_a_version_that_was_stable__needs_no_further_test(alice: Actor) -> None:
    services.change_apply(proposal=next_step("prompts.responder", "v2", tested=True, experiment="e1"), actor=alice)
    services.version_confirm_stable(version=2, actor=alice, reason="golden agrees")
    activate(1, alice)
    activate(2, alice)
    assert selectors.version_values(2)["prompts.responder"] == "v2"
    assert selectors.active_version().version == 2


def test_guard_codes__each_one__is_explained_with_whether_approval_lifts_it() -> None:
    assert set(GUARD_MEANINGS) == set(GuardCode)
    table = factors_markdown()
    for code in GuardCode:
        lifted = "yes" if code in LIFTED_BY_APPROVAL else "no"
        assert f"| `{code}` | {GUARD_MEANINGS[code]} | {lifted} |" in table
