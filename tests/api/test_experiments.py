"""Experiments by hand over HTTP: planned from YAML or an object, every error by its path, any spec as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.actor import Role
from experiments.models import Experiment
from experiments.spec_text import spec_read
from goals.models import Campaign
from tests.api.test_routes import Program
from tests.manager.test_importing import arms, written
from tests.manager.world import Sizes, campaign_make, dataset_load
from tests.pages.world import cycle_measured

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=2, golden=1))
    found = campaign_make()
    cycle_measured(found, number=1, recall=0.41)
    return found


@pytest.fixture
def program(db: None) -> Program:
    return Program(Role.OPERATOR)


@pytest.mark.parametrize("spec", [written(), yaml.safe_dump(written())], ids=["object", "yaml"])
def test_import__good_spec__is_planned_and_names_the_request_it_waits_for(
    campaign: Campaign, program: Program, spec: Any
) -> None:
    made = program.post("experiments/import", {"spec": spec, "because": "it may"})

    assert made.status_code == 201
    told = made.json()
    assert (told["experiment_id"], told["status"], told["campaign"]) == ("top_k_3_vs_2", "planned", campaign.number)
    waiting = program.get(f"approvals/{told['approval_id']}").json()
    assert (waiting["kind"], waiting["status"], waiting["proposed_by"]) == (
        "start", "pending", "token:program operator",
    )  # fmt: skip


def test_import__errors__are_422_with_each_path(campaign: Campaign, program: Program) -> None:
    made = program.post("experiments/import", {"spec": written(variants=arms(**{"no.such": 1, "top_k": "two"}))})

    assert made.status_code == 422
    assert {item["path"] for item in made.json()["error"]["details"]["errors"]} == {
        "variants.1.params.no.such", "variants.1.params.top_k",
    }  # fmt: skip
    assert not Experiment.objects.exists()


def test_import__viewer__is_forbidden(campaign: Campaign) -> None:
    assert Program(Role.VIEWER).post("experiments/import", {"spec": written()}).status_code == 403


def test_spec__of_an_experiment__is_told_as_object_and_as_text_that_reads_the_same(
    campaign: Campaign, program: Program
) -> None:
    program.post("experiments/import", {"spec": written()})

    told = program.get("experiments/top_k_3_vs_2/spec").json()

    assert told["spec"] == Experiment.objects.get().spec
    assert spec_read(told["yaml"]).to_mission_json() == told["spec"]
