"""The list of recorded runs, narrowed to what real people said."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sensor.services import runs_capture
from tests.sensor import factories

pytestmark = pytest.mark.django_db
RUNS: dict[str, dict[str, Any]] = {
    "agreed and pleased": {"client_kind": "user", "consent": True, "feedback_score": 5},
    "not agreed": {"client_kind": "user", "feedback_score": 2},
    "simulated": {"client_kind": "emulator"},
}


@pytest.mark.parametrize(
    ("narrowed", "shown"),
    [
        ("", set(RUNS)),
        ("consent__exact=1", {"agreed and pleased"}),
        ("feedback=given", {"agreed and pleased", "not agreed"}),
        ("feedback=2", {"not agreed"}),
        ("feedback=nonsense", set(RUNS)),
        ("client=user", {"agreed and pleased", "not agreed"}),
        ("client=emulator", {"simulated"}),
    ],
)
def test_recorded_runs__narrowed__show_these(admin_client: Client, narrowed: str, shown: set[str]) -> None:
    runs_capture(run_ids=[factories.run(user_query=query, **columns) for query, columns in RUNS.items()])

    page = admin_client.get(f"{reverse('admin:sensor_sensorevent_changelist')}?{narrowed}").content.decode()

    assert {query for query in RUNS if query in page} == shown
