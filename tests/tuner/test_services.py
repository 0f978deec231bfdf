from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from audit.selectors import chain_verify
from contracts.actor import Actor, component
from contracts.parameters import ParameterContext
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound, RuleViolated
from tests.tuner.factories import change, next_step, proposal
from tuner import selectors, services
from tuner.models import ParameterActivation, ParameterVersion
from tuner.registry import DEFAULTS

pytestmark = pytest.mark.django_db
MANAGER = component("manager")
PRODUCTION = ParameterContext()


def _codes(error: RuleViolated) -> set[str]:
    return {violation["code"] for violation in error.details["violations"]}


def test_seed__after_migrate__is_version_one_with_the_registry_defaults() -> None:
    effective = selectors.effective_params(PRODUCTION)
    assert effective.version == 1
    assert effective.values["retrieval.top_k"] == 3
    assert effective.values == dict(DEFAULTS)


def test_change_apply__allowed__is_effective_at_once_and_audited(alice: Actor) -> None:
    applied = services.change_apply(proposal=next_step(experiment="e1"), actor=alice)
    assert (applied.previous_version, applied.version, applied.action) == (1, 2, "activate")
    assert selectors.effective_params(PRODUCTION).values["retrieval.top_k"] == 4
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.action, entry.parameter, entry.experiment) == ("parameters.activated", "retrieval.top_k", "e1")
    assert (entry.before, entry.after) == ({"version": 1, "value": 3}, {"version": 2, "value": 4})
    assert chain_verify().ok


def test_change_apply__alias__names_the_same_factor() -> None:
    applied = services.change_apply(proposal=proposal(change("top_k", 3, 2)), actor=MANAGER)
    assert applied.changes == (change("retrieval.top_k", 3, 2),)


def test_change_apply__broken_rules__lists_all_and_audits_the_refusal() -> None:
    bad = proposal(change("retrieval.top_k", 7, 9), experiment="e1")
    with pytest.raises(RuleViolated) as caught:
        services.change_apply(proposal=bad, actor=MANAGER)
    assert _codes(caught.value) == {"STALE_FROM", "STEP_TOO_LARGE", "NEEDS_APPROVAL"}
    assert selectors.active_version().version == 1
    entry = AuditEntry.objects.get(action="parameters.refused")
    assert entry.parameter == "retrieval.top_k"
    assert entry.after is not None
    assert {v["code"] for v in entry.after["details"]["violations"]} == _codes(caught.value)


def test_change_apply__stale_base__conflicts_and_is_audited() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    with pytest.raises(Conflict):
        services.change_apply(proposal=proposal(change("retrieval.top_k", 3, 2)), actor=MANAGER)
    assert AuditEntry.objects.filter(action="parameters.refused").count() == 1


def test_change_apply__nothing_changes__is_invalid_input() -> None:
    with pytest.raises(InvalidInput):
        services.change_apply(proposal=proposal(change("retrieval.top_k", 3, 3)), actor=MANAGER)


def test_change_apply__by_an_operator__is_not_authorised(bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        services.change_apply(proposal=next_step(), actor=bob)


def test_change_apply__approved_strategy__is_applied() -> None:
    wish = next_step("retrieval.strategy", "lexical")
    assert {v.code for v in services.change_check(proposal=wish)} == {"MANUAL_ONLY"}
    approved = wish.model_copy(update={"approved_by": "person:alice"})
    services.change_apply(proposal=approved, actor=MANAGER)
    assert selectors.effective_params(PRODUCTION).values["retrieval.strategy"] == "lexical"


def test_change_apply__frozen__is_refused_even_when_approved(alice: Actor) -> None:
    services.parameters_freeze(actor=alice, reason="holiday")
    with pytest.raises(RuleViolated) as caught:
        services.change_apply(proposal=next_step(approved_by="person:alice"), actor=MANAGER)
    assert _codes(caught.value) == {"FROZEN"}


def test_change_apply__running_experiment_of_another__conflicts_by_guard() -> None:
    busy = {"top_k": "other"}
    assert [v.code for v in services.change_check(proposal=next_step(), running_conflicts=busy)] == ["CONFLICT"]


def test_rollback__under_freeze__returns_to_the_last_stable_version(alice: Actor) -> None:
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=MANAGER)
    services.version_confirm_stable(version=2, actor=MANAGER, reason="three good cycles")
    services.change_apply(proposal=next_step("retrieval.min_score", 0.1), actor=MANAGER)
    services.change_apply(proposal=next_step("retrieval.keyword_count", 6), actor=MANAGER)
    services.parameters_freeze(actor=alice, reason="look")
    back = services.parameters_rollback(actor=MANAGER, reason="precision fell")
    assert (back.previous_version, back.version, back.action) == (4, 2, "rollback")
    assert selectors.effective_params(PRODUCTION).values["retrieval.top_k"] == 4
    rows = AuditEntry.objects.filter(action="parameters.rolled_back")
    assert {row.parameter for row in rows} == {"retrieval.min_score", "retrieval.keyword_count"}


def test_rollback__again__goes_one_stable_version_further_and_ends_at_the_seed() -> None:
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=MANAGER)
    services.version_confirm_stable(version=2, actor=MANAGER, reason="good")
    services.change_apply(proposal=next_step("retrieval.top_k", 5), actor=MANAGER)
    assert services.parameters_rollback(actor=MANAGER, reason="1").version == 2
    assert services.parameters_rollback(actor=MANAGER, reason="2").version == 1
    with pytest.raises(RuleViolated, match="no stable version"):
        services.parameters_rollback(actor=MANAGER, reason="3")


def test_rollback__overtaken_by_another_change__conflicts() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    with pytest.raises(Conflict):
        services.parameters_rollback(actor=MANAGER, reason="late", expected_active=1)


def test_change_apply__after_rollback__rests_and_needs_new_evidence() -> None:
    services.change_apply(proposal=next_step(experiment="e1"), actor=MANAGER)
    services.parameters_rollback(actor=MANAGER, reason="worse")
    again = services.change_check(proposal=next_step(experiment="e1"))
    assert [v.code for v in again] == ["COOLDOWN", "COOLDOWN"]
    new, old = timezone.now(), timezone.now() - timedelta(days=1)
    assert services.change_check(proposal=next_step(experiment="e2", evidence_at=new), cooldowns={}) == ()
    stale = services.change_check(proposal=next_step(experiment="e2", evidence_at=old), cooldowns={})
    assert [(v.code, v.limit) for v in stale] == [("COOLDOWN", "new evidence")], "its verdict knew of no rollback"


def test_change_apply__same_value_in_turn_with_its_rollback__is_stopped_however_often_it_wins() -> None:
    """Oscillation: apply, roll back, win on the old evidence, apply …"""
    before = timezone.now()
    services.change_apply(proposal=next_step(experiment="e1", evidence_at=before), actor=MANAGER)
    services.parameters_rollback(actor=MANAGER, reason="worse")
    for number in range(3):
        with pytest.raises(RuleViolated):
            services.change_apply(
                proposal=next_step(experiment=f"again-{number}", evidence_at=before), actor=MANAGER, cooldowns={}
            )
    assert selectors.active_version().version == 1


def test_cooldown__after_two_other_activations__is_over() -> None:
    services.change_apply(proposal=next_step(experiment="e1"), actor=MANAGER)
    services.parameters_rollback(actor=MANAGER, reason="worse")
    services.change_apply(proposal=next_step("retrieval.min_score", 0.1), actor=MANAGER)
    fresh = next_step(experiment="e2", evidence_at=timezone.now())
    assert [v.allowed for v in services.change_check(proposal=fresh)] == ["after 1 more, or with approval"]
    services.change_apply(proposal=next_step("retrieval.min_score", 0.2), actor=MANAGER)
    assert services.change_check(proposal=next_step(experiment="e2", evidence_at=timezone.now())) == ()


def test_experiment_prepare__twice__gives_the_same_versions() -> None:
    arms = {"baseline": {}, "variant": {"top_k": 2}}
    first = services.experiment_prepare(experiment="e1", arms=arms, base_version=1, actor=MANAGER)
    assert services.experiment_prepare(experiment="e1", arms=arms, base_version=1, actor=MANAGER) == first
    assert ParameterVersion.objects.filter(kind="experiment").count() == 2
    arm = selectors.effective_params(ParameterContext(experiment="e1", variant="variant"))
    assert (arm.version, arm.values["retrieval.top_k"]) == (first["variant"], 2)


def test_experiment_prepare__other_values_for_a_known_arm__conflicts() -> None:
    services.experiment_prepare(experiment="e1", arms={"v": {"top_k": 2}}, base_version=1, actor=MANAGER)
    with pytest.raises(Conflict):
        services.experiment_prepare(experiment="e1", arms={"v": {"top_k": 4}}, base_version=1, actor=MANAGER)


def test_experiment_prepare__beyond_the_hard_range__is_refused() -> None:
    with pytest.raises(RuleViolated) as caught:
        services.experiment_prepare(experiment="e1", arms={"v": {"top_k": 21}}, base_version=1, actor=MANAGER)
    assert _codes(caught.value) == {"OUT_OF_RANGE"}


def test_version_activate__experiment_version__is_refused() -> None:
    versions = services.experiment_prepare(experiment="e1", arms={"v": {"top_k": 2}}, base_version=1, actor=MANAGER)
    with pytest.raises(RuleViolated, match="never be active"):
        services.version_activate(version=versions["v"], expected_active=1, actor=MANAGER, reason="by accident")


def test_version_activate__earlier_version__becomes_active(alice: Actor) -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    applied = services.version_activate(version=1, expected_active=2, actor=alice, reason="back by hand")
    assert applied.changes == (change("retrieval.top_k", 4, 3),)


def test_version_activate__unknown_version__is_not_found(alice: Actor) -> None:
    with pytest.raises(NotFound):
        services.version_activate(version=99, expected_active=1, actor=alice, reason="typo")


def test_effective_params__unknown_arm__is_not_found() -> None:
    with pytest.raises(NotFound):
        selectors.effective_params(ParameterContext(experiment="e1", variant="nobody"))


def test_effective_params__pinned_version__ignores_what_is_active() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    assert selectors.effective_params(ParameterContext(version=1)).values["retrieval.top_k"] == 3


def test_effective_params__values_altered_by_a_reader__stay_as_they_are() -> None:
    selectors.effective_params(PRODUCTION).values["retrieval.top_k"] = 99
    assert selectors.effective_params(PRODUCTION).values["retrieval.top_k"] == 3


def test_factor_history__after_change_and_rollback__has_each_value_with_its_action() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    services.parameters_rollback(actor=MANAGER, reason="worse")
    points = [(p.version, p.value, p.action) for p in selectors.factor_history("top_k")]
    assert points == [(1, 3, "seed"), (2, 4, "activate"), (1, 3, "rollback")]


def test_freeze__twice__is_audited_once(alice: Actor) -> None:
    for _ in range(2):
        services.parameters_freeze(actor=alice, reason="stop")
    assert selectors.is_frozen()
    assert AuditEntry.objects.filter(action="parameters.frozen").count() == 1
    services.parameters_unfreeze(actor=alice, reason="go")
    assert not selectors.is_frozen()


def test_history__of_activations__swaps_the_versions_on_rollback() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    services.parameters_rollback(actor=MANAGER, reason="worse")
    rows = list(ParameterActivation.objects.order_by("id").values_list("previous", "version"))
    assert rows == [(None, 1), (1, 2), (2, 1)]
