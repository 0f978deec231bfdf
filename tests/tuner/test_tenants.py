"""Parameters of one person alone, and the last good ones of an earlier process."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from pytest_django import Settings

from audit.models import AuditEntry
from contracts.actor import Actor, component
from contracts.parameters import ParameterContext
from kernel.errors import InvalidInput, NotAuthorised, NotFound, RuleViolated, Unavailable
from tests.tuner.factories import next_step
from tuner import lastgood, selectors, services
from tuner.models import TenantParameters
from tuner.tenants import tenant_parameters_set

pytestmark = pytest.mark.django_db
ANNA, BORIS = uuid.uuid4(), uuid.uuid4()
MANAGER = component("manager")


def of(user: uuid.UUID | None = None, **context: Any) -> int:
    return selectors.effective_params(ParameterContext(user_id=user, **context)).version


def refuse(*_args: Any, **_kwargs: Any) -> Any:
    raise OperationalError("connection refused")


@pytest.fixture
def second(db: None) -> int:
    """Version 2 is active, version 1 is the seed."""
    return services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=MANAGER).version


def test_tenant__set_for_one_person__holds_for_them_alone(second: int, alice: Actor) -> None:
    tenant_parameters_set(user_id=ANNA, version=1, reason="a support case", actor=alice)
    assert (of(ANNA), of(BORIS), of()) == (1, second, second)
    entry = AuditEntry.objects.get(action="parameters.tenant_set")
    assert (entry.subject_id, entry.before, entry.after) == (str(ANNA), {"version": None}, {"version": 1})


def test_tenant__arm_or_pinned_version__wins(second: int, alice: Actor) -> None:
    tenant_parameters_set(user_id=ANNA, version=1, reason="a support case", actor=alice)
    arms = services.experiment_prepare(
        experiment="e1", arms={"variant": {"top_k": 2}}, base_version=second, actor=alice
    )
    assert of(ANNA, experiment="e1", variant="variant") == arms["variant"]
    assert of(ANNA, version=second) == second


def test_tenant__removed__is_production_again_also_under_freeze(second: int, alice: Actor) -> None:
    tenant_parameters_set(user_id=ANNA, version=1, reason="a support case", actor=alice)
    services.parameters_freeze(actor=alice, reason="look")
    tenant_parameters_set(user_id=ANNA, version=None, reason="solved", actor=alice)
    assert of(ANNA) == second
    with pytest.raises(RuleViolated, match="frozen"):
        tenant_parameters_set(user_id=ANNA, version=1, reason="again", actor=alice)


def test_tenant__version_that_may_hold_for_nobody__is_refused(second: int, alice: Actor) -> None:
    arm = services.experiment_prepare(experiment="e1", arms={"a": {}}, base_version=second, actor=alice)["a"]
    services.parameters_rollback(actor=alice, reason="worse")
    for version, error in ((arm, RuleViolated), (second, RuleViolated), (99, NotFound)):
        with pytest.raises(error):
            tenant_parameters_set(user_id=ANNA, version=version, reason="try", actor=alice)
    with pytest.raises(InvalidInput):
        tenant_parameters_set(user_id=ANNA, version=1, reason=" ", actor=alice)
    assert not TenantParameters.objects.exists()


def test_tenant__by_an_operator__is_refused(second: int, bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        tenant_parameters_set(user_id=ANNA, version=1, reason="r", actor=bob)


def test_tenant__written_past_its_function__is_refused_by_the_database(second: int) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        TenantParameters.objects.create(user_id=ANNA, version=1, reason="r", set_by="me")


def test_tenant__database_gone__keeps_each_persons_own(
    second: int, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_parameters_set(user_id=ANNA, version=1, reason="a support case", actor=alice)
    assert (of(ANNA), of(BORIS)) == (1, second)
    monkeypatch.setattr(connection, "cursor", refuse)
    assert (of(ANNA), of(BORIS), of(uuid.uuid4())) == (1, second, second)


def test_tenant__whose_version_is_rolled_back__is_on_the_active_one_at_once(second: int, alice: Actor) -> None:
    tenant_parameters_set(user_id=ANNA, version=second, reason="first to have it", actor=alice)
    services.parameters_rollback(actor=alice, reason="worse")
    assert of(ANNA) == of() == 1


def test_tenant__removed_and_the_database_gone__has_production_and_not_what_was_removed(
    second: int, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_parameters_set(user_id=ANNA, version=1, reason="a support case", actor=alice)
    assert of(ANNA) == 1
    tenant_parameters_set(user_id=ANNA, version=None, reason="solved", actor=alice)
    assert of(ANNA) == second
    monkeypatch.setattr(connection, "cursor", refuse)
    assert of(ANNA) == second


def test_last_good__process_that_never_reached_the_database__answers_as_the_one_before(
    second: int, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LAST_GOOD_PARAMETERS = tmp_path / "last_good.json"
    monkeypatch.setattr(selectors, "_last_known", {})
    before = selectors.effective_params(ParameterContext())
    monkeypatch.setattr(selectors, "_last_known", {})
    monkeypatch.setattr(selectors, "_values_by_hash", {})
    monkeypatch.setattr(connection, "cursor", refuse)
    assert selectors.effective_params(ParameterContext()) == before
    with pytest.raises(Unavailable):
        selectors.effective_params(ParameterContext(version=second))


@pytest.mark.parametrize("body", ["", "{}", '{"version": "x"', '{"version": 1, "content_hash": "h", "values": 7}'])
def test_last_good__file_that_cannot_be_read__is_as_none(body: str, settings: Settings, tmp_path: Path) -> None:
    settings.LAST_GOOD_PARAMETERS = tmp_path / "last_good.json"
    (tmp_path / "last_good.json").write_text(body)
    assert lastgood.read() is None


def test_last_good__place_that_cannot_be_written__costs_only_the_copy(settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.LAST_GOOD_PARAMETERS = blocked / "last_good.json"
    lastgood.write(1, "h", {})
    assert lastgood.read() is None
