"""Two workers who claim at once: the one whom the server undoes has lost a race, and nothing else has gone wrong."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError
from psycopg.errors import DeadlockDetected, SerializationFailure

from maas import claims
from maas.access import Outcome


def deadlock() -> DatabaseError:
    error = OperationalError("deadlock detected")
    error.__cause__ = DeadlockDetected("deadlock detected")
    return error


def met_at_the_index() -> DatabaseError:
    return IntegrityError("one_working_dialogue_run_per_user")


def other_trouble() -> DatabaseError:
    error = OperationalError("could not serialize access")
    error.__cause__ = SerializationFailure("could not serialize access")
    return error


def _raising(*errors: DatabaseError) -> Callable[..., list[Outcome]]:
    """An access to the database that fails so many times, and then finds nothing."""
    left = list(errors)

    def act(*_: Any, **__: Any) -> list[Outcome]:
        if left:
            raise left.pop(0)
        return [Outcome(0, [])]

    return act


@pytest.mark.parametrize("lost", [deadlock, met_at_the_index])
def test_claim__race_lost__gives_none(monkeypatch: pytest.MonkeyPatch, lost: Callable[[], DatabaseError]) -> None:
    monkeypatch.setattr(claims, "act_for", _raising(lost()))
    assert claims.claim(uuid.uuid4(), uuid.uuid4()) is None


def test_claim__other_trouble__is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "act_for", _raising(other_trouble()))
    with pytest.raises(OperationalError, match="serialize"):
        claims.claim(uuid.uuid4(), uuid.uuid4())


def test_claim_next__races_lost__looks_again_until_nothing_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    act = _raising(deadlock(), met_at_the_index())
    looks: list[int] = []

    def counted(*statements: Any, **options: Any) -> list[Outcome]:
        looks.append(1)
        return act(*statements, **options)

    monkeypatch.setattr(claims, "act_as_service", counted)
    assert claims.claim_next() is None
    assert len(looks) == 3


def test_claim_next__other_trouble__is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "act_as_service", _raising(other_trouble()))
    with pytest.raises(OperationalError, match="serialize"):
        claims.claim_next()
