"""A page asks a fixed number of queries, however many rows it lists."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from goals.models import Campaign
from manager.models import Approval
from tests.manager.world import approval_made, experiment_won
from tests.pages.world import cycle_measured

PAGES = (
    "/", "/goals/", "/experiments/", "/approvals/", "/parameters/", "/changes/", "/hypotheses/", "/reports/",
    "/telemetry/", "/runs/", "/system/", "/analytics/", "/parameters/factors/", "/parameters/factors/retrieval.top_k/",
    "/policy/", "/cycles/", "/safety/",
)  # fmt: skip


def asked(client: Client, path: str, *, using: str = "default") -> int:
    client.get(path)
    with CaptureQueriesContext(connections[using]) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", PAGES)
def test_page__more_rows__asks_no_more_queries(
    meta_user: Client, campaign: Campaign, approval: Approval, path: str
) -> None:
    before = asked(meta_user, path)
    for number in range(4):
        approval_made(experiment_won(campaign, slug=f"more-{number}", factor="retrieval.top_k", to_value=4))
        cycle_measured(campaign, number=number + 3, recall=0.5)
    assert asked(meta_user, path) <= before
    assert before < 40
