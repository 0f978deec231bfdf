"""The student alone: no parameter provider but the one that a test sets, and helpers that go through its own doors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from contracts.maas import NewMemory, RunRequest
from maas import parameters, prompts
from maas.client import memories_import
from tests.maas import providers

START = datetime(2025, 3, 1, 12, tzinfo=UTC)
Remember = Callable[..., uuid.UUID]


@pytest.fixture(autouse=True)
def student_alone(settings: Settings) -> Iterator[None]:
    settings.MAAS_PARAMETER_PROVIDER = ""
    settings.MAAS_URL = ""
    parameters.forget()
    prompts.forget()
    yield
    parameters.forget()
    prompts.forget()


@pytest.fixture
def use_parameters(settings: Settings) -> Callable[..., None]:
    """`use_parameters(**{"retrieval.top_k": 1})`: from now on the provider gives these."""

    def use(*, version: int = 7, **values: Any) -> None:
        providers.current, providers.version, providers.error = values, version, None
        settings.MAAS_PARAMETER_PROVIDER = "tests.maas.providers.provide"

    return use


@pytest.fixture
def anna() -> uuid.UUID:
    return uuid.UUID("00000000-0000-4000-8000-0000000000a1")


@pytest.fixture
def boris() -> uuid.UUID:
    return uuid.UUID("00000000-0000-4000-8000-0000000000b2")


@pytest.fixture
def remember() -> Remember:
    """`remember(user, text, day=0)`: one imported memory, `day` days after START."""

    def add(user: uuid.UUID, text: str, *, day: float = 0, speaker: str | None = None) -> uuid.UUID:
        memory_id = uuid.uuid4()
        memory = NewMemory(
            memory_id=memory_id, user_id=user, text=text, simulated_at=START + timedelta(days=day), speaker=speaker
        )
        assert memories_import([memory]) == 1
        return memory_id

    return add


def request_of(user: uuid.UUID, query: str, *, day: float = 100, **fields: Any) -> RunRequest:
    return RunRequest(user_id=user, query=query, simulated_at=START + timedelta(days=day), **fields)
