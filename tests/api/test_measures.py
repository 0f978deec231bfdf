"""Measures and versions by program."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from contracts.actor import Role
from tests.access.people import client_of, person
from tests.manager.world import Sizes, campaign_make, dataset_load, experiment_won

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return client_of(person("charlie", Role.VIEWER))


def test_measures__nothing_learnt__has_counts_of_zero_and_no_made_up_values(viewer: Client) -> None:
    body = viewer.get("/api/v1/teacher/measures").json()
    assert body["teacher"]["experiment_yield"] == {"part": 0, "whole": 0, "value": None}
    assert body["trend"] == []


@pytest.mark.parametrize("by", ["campaign", "month"])
def test_measures__one_winner__has_its_row(viewer: Client, tmp_path: Path, by: str) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    experiment_won(campaign_make())
    body = viewer.get(f"/api/v1/teacher/measures?by={by}").json()
    assert body["teacher"]["experiment_yield"] == {"part": 1, "whole": 1, "value": 1.0}
    assert [row["finished"] for row in body["trend"]] == [1]


def test_versions__at_first__is_the_seeded_one(viewer: Client) -> None:
    (story,) = viewer.get("/api/v1/teacher/versions").json()
    assert (story["version"], story["active"], story["promise"], story["rows"]) == (1, True, None, {})


def test_measures__without_a_role__are_refused(client: Client) -> None:
    assert client.get("/api/v1/teacher/measures").status_code == 401
