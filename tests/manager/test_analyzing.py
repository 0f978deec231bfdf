"""What ANALYZING leaves alone, and when it calls a target reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from goals.models import Campaign
from maas.client import get_client
from manager.engine.analyzing import _answers_enough, factors_waiting
from manager.engine.passes import monitor_seed
from manager.models import Approval
from manager.services.evaluation import version_evaluate
from sensor.models import SensorEvent
from teacher.domain.gaps import Measured
from tests.manager.world import DATASET, Sizes, approval_made, campaign_make, dataset_load, experiment_won


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=2, golden=1))
    return campaign_make()


@pytest.mark.parametrize(("errors", "enough"), [(None, True), (0.0, True), (0.01, True), (0.02, False)])
def test_targets__while_more_runs_fail_than_is_usual__do_not_count_as_reached(
    errors: float | None, enough: bool
) -> None:
    assert _answers_enough(Measured(metrics={"error_rate": errors})) is enough


def test_factor__that_waits_for_a_person__is_left_alone_until_it_is_decided(campaign: Campaign) -> None:
    approval = approval_made(experiment_won(campaign))
    assert factors_waiting(campaign) == {approval.experiment.factor}
    Approval.objects.filter(id=approval.id).update(status="rejected")
    assert factors_waiting(campaign) == set()


def test_monitoring__whoever_asks__uses_one_seed_per_data_set_and_split(campaign: Campaign) -> None:
    version_evaluate(dataset=DATASET, split="validation", version=None, client=get_client())
    drawn = set(SensorEvent.objects.values_list("seed", flat=True))

    assert len(drawn) == SensorEvent.objects.count() > 1  # one for each question
    assert monitor_seed(dataset=DATASET, split="validation") != monitor_seed(dataset=DATASET, split="golden")
