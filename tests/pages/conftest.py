"""A campaign with one measured cycle, a change that waits, and the cast at the door."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from contracts.actor import Role
from contracts.goal import Autonomy
from goals.models import Campaign
from manager.models import Approval
from tests.access.people import client_of, person
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.pages.world import cycle_measured, report_made


@pytest.fixture
def meta_user(db: None) -> Client:
    return client_of(person("alice", Role.META_USER))


@pytest.fixture
def operator(db: None) -> Client:
    return client_of(person("bob", Role.OPERATOR))


@pytest.fixture
def viewer(db: None) -> Client:
    return client_of(person("charlie", Role.VIEWER))


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    found = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    cycle_measured(found, number=1, recall=0.41)
    cycle_measured(found, number=2, recall=0.52)
    return found


@pytest.fixture
def approval(campaign: Campaign) -> Approval:
    approval = approval_made(experiment_won(campaign))
    report_made(campaign)
    return approval
