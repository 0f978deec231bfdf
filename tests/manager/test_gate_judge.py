"""Golden with a judge whose calibration says that it does not count: it neither passes the gate nor rolls back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.actor import Actor
from contracts.goal import Autonomy
from goals.models import Campaign
from manager.domain.lifecycle import CycleState
from manager.engine import evaluating
from manager.engine.context import StepContext
from manager.engine.evaluating import settle
from manager.engine.passes import monitor
from manager.models import Cycle
from manager.services.policy import policy_change
from teacher.aggregator import Aggregate
from tests.manager.test_gate import OTHER, activated, context_of, cycle_at, step_on
from tests.manager.world import Sizes, campaign_make, dataset_load, experiment_won

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=12))
    return campaign_make(autonomy=Autonomy.FULL_AUTO)


def test_gate__judge_whose_calibration_does_not_count__refuses_and_says_why(campaign: Campaign, alice: Actor) -> None:
    policy_change(actor=alice, reason="label first", judge_uncalibrated_counts=False)
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (experiment.status, experiment.decision) == ("rejected", "refused:golden")
    assert "does not count on the golden set: judge" in experiment.decision_reason


def test_settle__judge_whose_calibration_does_not_count__rolls_nothing_back_on_its_word(
    campaign: Campaign, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = activated(OTHER, 4400)
    measured = monitor

    def invents(context: StepContext, *, split: str, version: int) -> Aggregate:
        found = measured(context, split=split, version=version)
        rate = 0.9 if version > 1 else 0.0
        return replace(found, metrics={**found.metrics, "hallucination_rate": rate})

    monkeypatch.setattr(evaluating, "monitor", invents)
    policy_change(actor=alice, reason="label first", judge_uncalibrated_counts=False)
    standing = settle(context_of(campaign, Cycle(campaign=campaign, number=1)))
    assert (standing.version, [note.kind for note in standing.notes]) == (version, ["confirmed"])
    assert "hallucination does not count: judge" in standing.notes[0].text
