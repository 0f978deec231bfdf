"""Any two versions beside each other, on the page of parameters and over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contracts.actor import Role, component
from tests.access.people import bearer
from tests.tuner.factories import next_step
from tuner import services

MANAGER = component("manager")


@pytest.fixture
def arm(db: None) -> int:
    """Versions 1 to 3, and an arm on top of 3; its number is given."""
    services.change_apply(proposal=next_step("retrieval.top_k", 4), actor=MANAGER)
    services.change_apply(proposal=next_step("retrieval.min_score", 0.1), actor=MANAGER)
    arms = {"variant": {"retrieval.min_score": 0.2}}
    return services.experiment_prepare(experiment="e1", arms=arms, base_version=3, actor=MANAGER)["variant"]


def part(client: Client, before: object, after: object) -> str:
    text = client.get(f"/parameters/?from={before}&to={after}").content.decode()
    return text[text.index('id="difference"') :]


def test_page__two_versions__shows_every_factor_that_differs(viewer: Client, arm: int) -> None:
    shown = part(viewer, 3, 1)
    assert [key for key in ("retrieval.top_k", "retrieval.min_score", "llm.temperature") if key in shown] == [
        "retrieval.top_k", "retrieval.min_score",
    ]  # fmt: skip
    assert '<td class="num" data-label="v3">4</td>' in shown
    assert '<td data-label="v1"><b class="num">3</b></td>' in shown
    assert "defaults of the registry" in shown


def test_page__version_of_an_arm__is_compared_as_well(viewer: Client, arm: int) -> None:
    shown = part(viewer, "v3", arm)
    assert "retrieval.min_score" in shown
    assert "retrieval.top_k" not in shown
    assert "arm variant" in shown


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (2, 2, "Every factor has the same value in both."),
        (2, 99, "There is no version 99."),
        ("two", 1, "Name two versions by their numbers."),
        ("", 1, "Name two versions by their numbers."),
        (1, "9" * 40, "Name two versions by their numbers."),
    ],
)
def test_page__nothing_to_show__says_why(viewer: Client, arm: int, before: Any, after: Any, said: str) -> None:
    assert said in part(viewer, before, after)


def test_page__nobody_asked__shows_the_empty_form_with_the_known_versions(viewer: Client, arm: int) -> None:
    shown = part(viewer, "", "")
    assert '<option value="3"><option value="2"><option value="1">' in shown
    assert "error" not in shown


def test_api__from_and_to__are_both_versions_with_their_changes(arm: int) -> None:
    client = Client(headers=bearer(Role.VIEWER))
    body = client.get("/api/v1/parameters/diff?from=1&to=3").json()
    assert (body["from"]["version"], body["to"]["version"], body["to"]["parent_version"]) == (1, 3, 2)
    assert body["changes"] == [
        {"param": "retrieval.min_score", "from": 0.0, "to": 0.1},
        {"param": "retrieval.top_k", "from": 3, "to": 4},
    ]
    assert client.get(f"/api/v1/parameters/diff?from=3&to={arm}").json()["changes"] == [
        {"param": "retrieval.min_score", "from": 0.1, "to": 0.2}
    ]


@pytest.mark.parametrize(("query", "status"), [("from=1&to=99", 404), ("from=1", 422), ("from=1&to=x", 422)])
def test_api__what_is_no_version__is_told(db: None, query: str, status: int) -> None:
    answer = Client(headers=bearer(Role.VIEWER)).get(f"/api/v1/parameters/diff?{query}")
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
