"""A rollback looks at today's hard ranges: what is impossible by now is never made active again (decision 0027)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from contracts.actor import Actor, Role, component
from contracts.parameters import ParameterContext
from incidents.models import Incident
from kernel.errors import RuleViolated
from manager.services.safety import rollback_order
from tests.access.people import client_of, person
from tests.tuner.factories import next_step
from tuner import selectors, services
from tuner.fitness import rollback_plan
from tuner.registry import FACTORS
from tuner.tenants import tenant_parameters_set

pytestmark = pytest.mark.django_db
MANAGER = component("manager")


def ranges(monkeypatch: pytest.MonkeyPatch, **highest: float) -> None:
    """The release after this one has other hard ranges for these factors of retrieval."""
    changed = {f"retrieval.{name}": high for name, high in highest.items()}
    today = {
        key: item.model_copy(update={"high": changed[key], "auto_high": changed[key]}) if key in changed else item
        for key, item in FACTORS.items()
    }
    monkeypatch.setattr("tuner.factors.FACTORS", today)


@pytest.fixture
def three(db: None) -> None:
    """Version 2 (top_k 4) and version 3 (min_score .1 beside it) are stable, version 4 is active."""
    for number, (key, value) in enumerate([("top_k", 4), ("min_score", 0.1)], start=2):
        services.change_apply(proposal=next_step(f"retrieval.{key}", value), actor=MANAGER)
        services.version_confirm_stable(version=number, actor=MANAGER, reason="good")
    services.change_apply(proposal=next_step("retrieval.top_k", 3), actor=MANAGER)


def test_rollback__last_stable_version_impossible_by_now__goes_to_the_next_and_says_so(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges(monkeypatch, min_score=0.05)
    back = services.parameters_rollback(actor=MANAGER, reason="worse")
    assert (back.previous_version, back.version, back.passed_over) == (4, 2, (3,))
    assert selectors.effective_params(ParameterContext()).values["retrieval.min_score"] == 0
    told = AuditEntry.objects.filter(action="parameters.rolled_back").values_list("after", flat=True)
    assert all("0 to 0.05" in row["passed_over"]["3"][0] for row in told if row)


def test_rollback__several_impossible__ends_at_the_seed(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges(monkeypatch, top_k=3)
    back = services.parameters_rollback(actor=MANAGER, reason="worse")
    assert (back.version, back.passed_over) == (1, (3, 2))


def test_rollback__all_impossible__is_refused_and_names_each_with_what_is_possible(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges(monkeypatch, top_k=2)
    with pytest.raises(RuleViolated, match=r"version 3: .*1 to 2.*version 2: .*version 1: ") as caught:
        services.parameters_rollback(actor=MANAGER, reason="worse")
    assert {item["code"] for item in caught.value.details["violations"]} == {"OUT_OF_RANGE"}
    assert selectors.active_version().version == 4
    assert AuditEntry.objects.filter(action="parameters.refused").count() == 1


def test_rollback__by_the_system__passes_over_as_well(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges(monkeypatch, min_score=0.05)
    assert rollback_order(reason="precision fell", actor=MANAGER).version == 2
    assert Incident.objects.get().subject == "version:4"


def test_rollback_plan__nothing_impossible__passes_nothing_over(three: None) -> None:
    assert (rollback_plan().target, rollback_plan().skipped) == (3, {})


def test_rollback__after_ranges_are_back__reaches_the_version_again(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        ranges(patch, min_score=0.05)
        services.parameters_rollback(actor=MANAGER, reason="worse")
    assert rollback_plan().target == 3, "passed over is not rolled back"


def test_rollback__on_the_page__says_before_and_after_what_is_passed_over(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges(monkeypatch, min_score=0.05)
    browser: Client = client_of(person("alice", Role.META_USER))
    shown = browser.get(reverse("pages:parameters")).content.decode()
    assert "active: version 2." in shown
    assert "Version 3 is passed over" in shown
    fields: dict[str, Any] = {"reason": "worse", "active": "4", "next": "/parameters/"}
    assert "Version 3 was passed over" in browser.post(reverse("pages:rollback"), fields, follow=True).content.decode()


def test_tenant__version_impossible_by_now__is_refused(
    three: None, monkeypatch: pytest.MonkeyPatch, alice: Actor
) -> None:
    ranges(monkeypatch, min_score=0.05)
    user = uuid.uuid4()
    with pytest.raises(RuleViolated, match=r"0 to 0.05"):
        tenant_parameters_set(user_id=user, version=3, reason="a case", actor=alice)
