"""Campaign tests: small threads, short leases, and data that stays for a module where a campaign is dear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def two_threads(settings: Settings) -> Iterator[None]:
    settings.MANAGER_PARALLEL = 2
    yield
