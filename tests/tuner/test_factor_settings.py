"""What meta-users change of factors: within hard limits, with a reason, and felt by guards, designer and forms."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from contracts.change import GuardCode
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from tests.access.people import client_of, person
from tests.tuner.factories import next_step
from tuner import services
from tuner.domain.overrides import Override, overridden, problems
from tuner.factor_services import factor_change, factor_reset, prompt_value_offer, prompt_value_register
from tuner.factors import factor_now, factors_now, offered
from tuner.models import FactorSetting, PromptValue
from tuner.registry import FACTORS
from tuner.registry_docs import factors_markdown

TOP_K, WEIGHT, STRATEGY, RESPONDER = (
    FACTORS[key] for key in ("retrieval.top_k", "retrieval.relevance_weight", "retrieval.strategy", "prompts.responder")
)


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "override", "wrong"),
    [
        (TOP_K, Override(auto_low=2, auto_high=4, step=2, cooldown_cycles=5, manual=True, frozen=True), set()),
        (TOP_K, Override(auto_high=6), {"auto_high"}),
        (TOP_K, Override(auto_low=0), {"auto_low"}),
        (TOP_K, Override(auto_low=2.5), {"auto_low"}),
        (TOP_K, Override(step=1.5), {"step"}),
        (TOP_K, Override(step=0), {"step"}),
        (TOP_K, Override(auto_low=5, auto_high=3), {"auto_low"}),
        (WEIGHT, Override(auto_low=0, auto_high=1), set()),
        (WEIGHT, Override(auto_high=1.1), {"auto_high"}),
        (WEIGHT, Override(auto_low=math.nan), {"auto_low"}),
        (WEIGHT, Override(step=math.inf), {"step"}),
        (TOP_K, Override(auto_high=math.nan, auto_low=-math.inf), {"auto_high", "auto_low"}),
        (WEIGHT, Override(cooldown_cycles=-1), {"cooldown_cycles"}),
        (STRATEGY, Override(manual=False), {"manual"}),
        (STRATEGY, Override(manual=True, frozen=True), set()),
        (STRATEGY, Override(auto_low=1, step=2), {"auto_low", "step"}),
    ],
)
def test_override__by_what_is_possible__is_refused_or_stands(factor: Any, override: Override, wrong: set[str]) -> None:
    assert set(problems(factor, override)) == wrong


def test_overridden__what_is_not_given__stays_as_registered() -> None:
    factor = overridden(TOP_K, Override(auto_high=4))
    assert (factor.auto_low, factor.auto_high, factor.high, factor.step) == (1, 4, 20, 1)
    assert overridden(TOP_K, None) is TOP_K


# --- the service ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_factor_change__narrower_range__is_what_guards_ask(alice: Actor) -> None:
    assert services.change_check(proposal=next_step("retrieval.top_k", 4)) == ()
    factor_change(key="top_k", values={"auto_high": 3}, reason="answers grew long", actor=alice)
    (violation,) = services.change_check(proposal=next_step("retrieval.top_k", 4))
    assert (violation.code, violation.allowed) == (GuardCode.NEEDS_APPROVAL, [1, 3])
    entry = AuditEntry.objects.get(action="factor.changed")
    assert (entry.parameter, entry.before, entry.after) == ("retrieval.top_k", {"auto_high": None}, {"auto_high": 3})


@pytest.mark.django_db
def test_factor_change__frozen__refuses_the_change_even_approved_and_takes_it_from_the_designer(alice: Actor) -> None:
    factor_change(key="retrieval.top_k", values={"frozen": True}, reason="under repair", actor=alice)
    codes = [item.code for item in services.change_check(proposal=next_step(to_value=4, approved_by="person:alice"))]
    assert codes == [GuardCode.FROZEN]
    assert "retrieval.top_k" not in offered(factors_now())
    factor_change(key="retrieval.top_k", values={"frozen": None}, reason="repaired", actor=alice)
    assert services.change_check(proposal=next_step(to_value=4)) == ()


@pytest.mark.django_db
def test_factor_reset__after_changes__is_as_the_registry_has_it_and_both_are_in_the_log(alice: Actor) -> None:
    factor_change(key="retrieval.top_k", values={"auto_high": 4, "step": 2}, reason="wider steps", actor=alice)
    assert factor_now("top_k").step == 2
    factor_reset(key="retrieval.top_k", reason="it was too much", actor=alice)
    assert factor_now("top_k") == TOP_K
    reasons = AuditEntry.objects.filter(action="factor.changed").order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["wider steps", "it was too much"]


@pytest.mark.django_db
def test_factor_change__to_what_holds_already__writes_nothing(alice: Actor) -> None:
    factor_change(key="retrieval.top_k", values={"auto_high": None}, reason="again", actor=alice)
    assert not AuditEntry.objects.filter(action="factor.changed").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "values", "reason", "error"),
    [
        ("retrieval.top_k", {"auto_high": 30}, "why not", InvalidInput),
        ("retrieval.top_k", {"high": 30}, "why not", InvalidInput),
        ("retrieval.top_k", {"auto_high": 4}, "  ", InvalidInput),
        ("retrieval.nonsense", {"auto_high": 4}, "why not", NotFound),
    ],
)
def test_factor_change__wrong__is_refused_and_changes_nothing(
    key: str, values: dict[str, Any], reason: str, error: type[Exception], alice: Actor
) -> None:
    with pytest.raises(error):
        factor_change(key=key, values=values, reason=reason, actor=alice)
    assert factors_now() == dict(FACTORS)


@pytest.mark.django_db
def test_factor_change__by_an_operator__is_refused(bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        factor_change(key="retrieval.top_k", values={"frozen": True}, reason="r", actor=bob)


@pytest.mark.django_db
def test_factor_change__longer_cooldown__is_what_a_rolled_back_factor_rests(alice: Actor) -> None:
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=alice)
    services.parameters_rollback(actor=alice, reason="worse")
    factor_change(key="retrieval.top_k", values={"cooldown_cycles": 9}, reason="let it rest", actor=alice)
    found = [item for item in services.change_check(proposal=next_step("retrieval.top_k", 2)) if item.limit == 9]
    assert [item.code for item in found] == [GuardCode.COOLDOWN]


# --- prompts written since --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_prompt_value__registered__may_be_tested_and_applied_only_after_a_won_test(alice: Actor) -> None:
    prompt_value_register(key="prompts.responder", value="kind-1", actor=alice)
    assert "kind-1" in offered(factors_now())["prompts.responder"].choices
    arms = {"baseline": {}, "variant": {"prompts.responder": "kind-1"}}
    assert services.experiment_prepare(experiment="kind", arms=arms, base_version=1, actor=alice)["variant"] > 1
    codes = [item.code for item in services.change_check(proposal=next_step("prompts.responder", "kind-1"))]
    assert codes == [GuardCode.UNTESTED_PROMPT]
    won = next_step("prompts.responder", "kind-1", tested=True, experiment="kind")
    assert services.change_check(proposal=won) == ()


@pytest.mark.django_db
def test_prompt_value__withdrawn__is_not_offered_and_stays_valid(alice: Actor) -> None:
    prompt_value_register(key="prompts.responder", value="kind-1", actor=alice)
    prompt_value_offer(key="prompts.responder", value="kind-1", offered=False, reason="too kind", actor=alice)
    assert "kind-1" not in offered(factors_now())["prompts.responder"].choices
    assert "kind-1" in factors_now()["prompts.responder"].choices


@pytest.mark.django_db
def test_prompt_value__registered_twice__is_one(alice: Actor) -> None:
    for _ in range(2):
        prompt_value_register(key="prompts.responder", value="kind-1", actor=alice)
    assert PromptValue.objects.count() == 1
    assert AuditEntry.objects.filter(action="factor.prompt_registered").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("retrieval.top_k", "v9", InvalidInput),
        ("prompts.responder", "two words", InvalidInput),
        ("prompts.responder", "v1", Conflict),
        ("prompts.nobody", "v9", NotFound),
    ],
)
def test_prompt_value__wrong__is_refused(key: str, value: str, error: type[Exception], alice: Actor) -> None:
    with pytest.raises(error):
        prompt_value_register(key=key, value=value, actor=alice)


# --- a new entry ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_new_factor__one_entry_in_the_registry__is_in_docs_forms_and_guards(
    monkeypatch: pytest.MonkeyPatch, alice: Actor
) -> None:
    new = TOP_K.model_copy(update={"key": "retrieval.patience", "title": "Patience", "aliases": ("patience",)})
    more = {**FACTORS, new.key: new}
    for module in ("registry", "registry_docs", "factors", "factor_services", "admin"):
        monkeypatch.setattr(f"tuner.{module}.FACTORS", more)
    assert "retrieval.patience" in factors_markdown()
    assert factors_now()["retrieval.patience"].title == "Patience"
    page = client_of(person("alice", Role.META_USER)).get(reverse("admin:tuner_factorsetting_changelist"))
    assert "Patience" in page.content.decode()


# --- the form ---------------------------------------------------------------------------------------------------------

EMPTY = dict.fromkeys(("auto_low", "auto_high", "step", "cooldown_cycles"), "") | {
    "manual": "unknown", "frozen": "unknown",
}  # fmt: skip


def form(key: str = "retrieval.top_k") -> str:
    return reverse("admin:tuner_factorsetting_change", args=[key])


@pytest.mark.django_db
def test_form__changed_with_a_reason__holds_and_says_who() -> None:
    browser = client_of(person("alice", Role.META_USER))
    assert browser.get(form()).status_code == 200
    answer = browser.post(form(), {**EMPTY, "auto_high": "4", "reason": "answers grew long"})
    assert answer.status_code == 302
    row = FactorSetting.objects.get(key="retrieval.top_k")
    assert (row.auto_high, row.changed_by, row.reason) == (4, "person:alice", "answers grew long")


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"auto_high": "30"}, {"reason": ""}, {"step": "0"}])
def test_form__wrong__says_so_beside_the_field_and_changes_nothing(changes: dict[str, str]) -> None:
    answer = client_of(person("alice", Role.META_USER)).post(
        form(), {**EMPTY, "reason": "r", "auto_high": "4", **changes}
    )
    assert answer.status_code == 200
    assert not FactorSetting.objects.filter(changed_at__isnull=False).exists()


@pytest.mark.django_db
def test_form__for_a_viewer__shows_and_refuses() -> None:
    viewer: Client = client_of(person("charlie", Role.VIEWER))
    assert viewer.get(form()).status_code == 200
    assert viewer.post(form(), {**EMPTY, "auto_high": "4", "reason": "r"}).status_code == 403
