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


def prompt_won(value: str, actor: Actor, *, experiment: str = "e1") -> int:
    """An experiment tried this version of the prompt, won, and led to a version."""
    active = selectors.active_version().version
    arms = {"baseline": {}, "variant": {"prompts.responder": value}}
    services.experiment_prepare(experiment=experiment, arms=arms, base_version=active, actor=actor)
    wish = next_step("prompts.responder", value, tested=True, experiment=experiment)
    return services.change_apply(proposal=wish, actor=actor).version


@pytest.mark.django_db
def test_change_apply__tested_by_an_experiment_on_something_else__is_an_untested_prompt(alice: Actor) -> None:
    arms = {"baseline": {}, "variant": {"top_k": 4}}
    services.experiment_prepare(experiment="e1", arms=arms, base_version=1, actor=alice)
    with pytest.raises(RuleViolated) as caught:
        services.change_apply(proposal=next_step("prompts.responder", "v2", tested=True, experiment="e1"), actor=alice)
    assert codes(caught.value) == ["UNTESTED_PROMPT"]


@pytest.mark.django_db
def test_activation__version_of_another_factor_s_experiment__proves_nothing_of_its_prompt(alice: Actor) -> None:
    arms = {"baseline": {}, "variant": {"top_k": 4}}
    services.experiment_prepare(experiment="e1", arms=arms, base_version=1, actor=alice)
    full = {**selectors.active_version().stored_values, "prompts.responder": "v3", "retrieval.top_k": 4}
    version = database.version_create(parent=1, values=full, experiment="e1", reason="won", actor="person:mallory")
    with pytest.raises(RuleViolated) as caught:
        activate(version, alice)
    assert codes(caught.value) == ["UNTESTED_PROMPT"]


@pytest.mark.django_db
def test_activation__prompt_that_won_its_test_and_was_rolled_back__is_a_person_s_choice(alice: Actor) -> None:
    version = prompt_won("v2", alice)
    services.parameters_rollback(actor=alice, reason="worse")
    activate(version, alice)
    assert selectors.active_version().version == version


@pytest.mark.django_db
def test_activation__while_everything_is_frozen__says_so_of_each_factor(alice: Actor) -> None:
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=alice)
    services.parameters_freeze(actor=alice, reason="release day")
    with pytest.raises(RuleViolated) as caught:
        activate(1, alice)
    (told,) = caught.value.details["violations"]
    assert (told["code"], told["param"], told["value"]) == ("FROZEN", "retrieval.top_k", 3)
    assert told["limit"] == "changes are frozen by person:alice: release day"


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
    prompt_won("v2", alice)
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
