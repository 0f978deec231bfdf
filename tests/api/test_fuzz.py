"""Requests that schemathesis makes up: `FUZZ_CASES` of them an operation, each sent by every role and by nobody."""

from __future__ import annotations

import os
from typing import Any

from django.test import Client

from contracts.actor import Role
from tests.access.people import bearer
from tests.admin.world import World
from tests.api.fuzz import NOBODY, fuzz
from tests.api.places import places_of

SHORT = 2


def test_api__under_made_up_requests__keeps_to_its_schema_and_to_the_roles(world: World, settings: Any) -> None:
    settings.SELFLEARN_API_RATE = 10**6
    headers: dict[str, dict[str, str]] = {NOBODY: {}} | {role.value: bearer(role) for role in Role}
    found = fuzz(places=places_of(world), headers=headers, cases=int(os.environ.get("FUZZ_CASES", SHORT)))
    print(found)  # noqa: T201  shown by `make fuzz`
    assert found.operations > 100
    assert not found.faults, str(found)


def test_post__at_an_address_that_is_none__is_404_in_shape(db: None) -> None:
    """What the fuzz found: without login or CSRF token Django answered with its page about CSRF."""
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/api/v1/emulations/none/stop")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
