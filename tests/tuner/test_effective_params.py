from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from contracts.actor import component
from contracts.parameters import ParameterContext
from kernel.errors import Unavailable
from tests.tuner.factories import next_step
from tuner import lastgood, selectors, services

pytestmark = pytest.mark.django_db


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Any:
    def shut() -> None:
        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise OperationalError("connection refused")

        monkeypatch.setattr(connection, "cursor", refuse)

    return shut


def test_effective_params__database_gone__is_the_last_known_good(unreachable: Any) -> None:
    services.change_apply(proposal=next_step(), actor=component("manager"))
    before = selectors.effective_params(ParameterContext())
    unreachable()
    assert selectors.effective_params(ParameterContext()) == before


def test_effective_params__database_gone_and_nothing_known__is_unavailable(
    unreachable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "_last_known", {})
    unreachable()
    with pytest.raises(Unavailable):
        selectors.effective_params(ParameterContext())


def test_effective_params__known_version__costs_one_query(django_assert_num_queries: Any) -> None:
    selectors.effective_params(ParameterContext())
    with django_assert_num_queries(1):
        selectors.effective_params(ParameterContext())


def test_effective_params__read_again__writes_the_last_good_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(selectors, "_last_known", {})
    monkeypatch.setattr(lastgood, "write", lambda version, _digest, _values: written.append(version))
    for _ in range(3):
        selectors.effective_params(ParameterContext())
    assert written == [1]


def test_effective_params__same_content_in_two_versions__has_one_hash() -> None:
    manager = component("manager")
    seeded = selectors.effective_params(ParameterContext())
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=manager)
    changed = selectors.effective_params(ParameterContext())
    services.change_apply(proposal=next_step("retrieval.top_k", 3), actor=manager)
    again = selectors.effective_params(ParameterContext())
    assert (again.version, again.content_hash) == (3, seeded.content_hash)
    assert changed.content_hash != seeded.content_hash


@pytest.mark.django_db(transaction=True)
def test_effective_params__connection_broke_and_server_is_back__hears_of_the_next_version() -> None:
    selectors.effective_params(ParameterContext())
    connection.connection.close()  # as a restarted server does
    while_away = selectors.effective_params(ParameterContext())

    applied = services.change_apply(proposal=next_step(), actor=component("manager"))

    assert while_away.version == 1
    assert selectors.effective_params(ParameterContext()).version == applied.version == 2
