"""A person stops one experiment; its campaign goes on, and what was run of it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from experiments.models import EvaluationPass, ExperimentResult
from experiments.selectors import experiment_by_slug
from goals.models import Campaign
from kernel.errors import InvalidInput, NotAuthorised, RuleViolated
from manager.domain.lifecycle import CycleState
from manager.engine import running
from manager.engine.passes import run_pass
from manager.models import Cycle
from manager.services.experiment_closing import experiment_stop
from tests.manager.test_experiment_looks import context, planned
from tests.manager.test_gate import cycle_at, step_on
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load
from tests.pages.conftest import meta_user

__all__ = ["meta_user"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=150, golden=2))
    return campaign_make()


def stop_while(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """`act` happens while the first part of the pass runs."""

    def meanwhile(*args: Any, **more: Any) -> None:
        act()
        run_pass(*args, **more)

    monkeypatch.setattr(running, "run_pass", meanwhile)
    monkeypatch.setattr(running.Ending, "EVERY", 0.0)


def test_stop__while_it_runs__ends_it_without_a_verdict_and_the_cycle_with_the_reason(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = planned(campaign, looks=1)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    stop_while(monkeypatch, lambda: experiment_stop(slug="looking", actor=ALICE, reason="wrong data"))
    step_on(campaign)
    experiment, cycle = experiment_by_slug("looking"), Cycle.objects.get(number=1)
    assert (experiment.status, experiment.decision) == ("rejected", "refused:stopped")
    assert experiment.decision_reason == "stopped by person:alice: wrong data"
    assert (cycle.outcome, cycle.outcome_text) == ("rejected", experiment.decision_reason)
    assert not ExperimentResult.objects.exists()
    assert EvaluationPass.objects.get(experiment="looking").done < 300
    assert EvaluationPass.objects.get(experiment="looking").finished_at is not None
    campaign.refresh_from_db()
    assert campaign.status == "running"


def test_stop__just_as_its_last_part_ends__is_not_completed_after_all(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = context(campaign, experiment := planned(campaign, looks=1))
    running.start(where, experiment)

    def then_stopped(*args: Any, **more: Any) -> None:
        run_pass(*args, **more)
        experiment_stop(slug="looking", actor=ALICE, reason="late")

    monkeypatch.setattr(running, "run_pass", then_stopped)
    assert running.run(where, experiment_by_slug("looking")).status == "rejected"


def test_stop__planned__is_audited_and_never_starts(campaign: Campaign) -> None:
    experiment = planned(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    experiment_stop(slug="looking", actor=ALICE, reason="not needed")
    entry = AuditEntry.objects.get(action="experiment.rejected", subject_id="looking")
    assert (entry.actor, entry.reason) == ("alice", "stopped by person:alice: not needed")
    step_on(campaign)
    assert not EvaluationPass.objects.filter(experiment="looking").exists()


def test_stop__without_reason_or_right_or_twice__is_refused(campaign: Campaign) -> None:
    planned(campaign)
    with pytest.raises(InvalidInput):
        experiment_stop(slug="looking", actor=ALICE, reason="  ")
    with pytest.raises(NotAuthorised):
        experiment_stop(slug="looking", actor=Actor(kind="person", name="v", role=Role.VIEWER), reason="x")
    experiment_stop(slug="looking", actor=ALICE, reason="x")
    with pytest.raises(RuleViolated, match="only a planned or running one"):
        experiment_stop(slug="looking", actor=ALICE, reason="x")


def test_page__running_experiment__is_stopped_from_its_page(campaign: Campaign, meta_user: Client) -> None:
    planned(campaign)
    assert "Stop the experiment" in meta_user.get("/experiments/looking/").content.decode()
    answer = meta_user.post("/experiments/looking/stop/", {"reason": "seen enough"}, follow=True)
    assert "decides nothing" in answer.content.decode()
    assert experiment_by_slug("looking").status == "rejected"
    assert "Stop the experiment" not in meta_user.get("/experiments/looking/").content.decode()
