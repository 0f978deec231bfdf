"""A budget that ends in the middle of a step: what was done is kept and counted once, and the campaign ends well."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from contracts.goal import Autonomy, Budget
from experiments.models import EvaluationPass, Experiment
from goals.models import Campaign
from goals.services import Spend, campaign_spend_record
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import advance
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import Step, StepContext
from manager.engine.spending import BudgetSpent, Meter
from manager.models import Report
from sensor.models import SensorEvent
from teacher.judges import Judging
from teacher.models import BatchJudging
from tests.manager.world import Sizes, campaign_make, dataset_load, experiment_won, goal

pytestmark = pytest.mark.django_db
played = pytest.mark.django_db(transaction=True)
"""Simulated users play in threads of their own."""
SIZES = Sizes(train=4, validation=6, golden=3)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    marker = request.node.get_closest_marker("django_db")
    request.getfixturevalue("transactional_db" if marker and marker.kwargs.get("transaction") else "db")
    dataset_load(tmp_path, sizes=SIZES)


def campaign_with(**limits: object) -> Campaign:
    return campaign_make(
        autonomy=Autonomy.FULL_AUTO,
        cycles=3,
        dialogues=2,
        translation=goal().model_copy(update={"budget": Budget.model_validate(limits)}),
    )


def on(campaign: Campaign) -> str:
    answer = campaign_advance(campaign_id=campaign.id, worker=Worker("w", get_client(), parallel=1))
    campaign.refresh_from_db()
    return answer


def each_run() -> int:
    """Tokens of one run here."""
    rows = SensorEvent.objects.values_list("prompt_tokens", "completion_tokens")
    return max((prompt or 0) + (answer or 0) for prompt, answer in rows)


# --- tokens ----------------------------------------------------------------------------------------------------------


@played
def test_campaign__tokens_spent_among_its_dialogues__ends_with_a_report_and_nothing_lost(made: None) -> None:
    campaign = campaign_with(tokens=600)
    assert on(campaign) == "ended"
    cycle = campaign.cycles.get()
    assert (campaign.status, cycle.outcome, cycle.state) == ("completed", "budget spent", "IDLE")
    assert campaign.end_reason.startswith("budget spent: ")
    assert campaign.tokens == sum(
        (prompt or 0) + (answer or 0)
        for prompt, answer in SensorEvent.objects.values_list("prompt_tokens", "completion_tokens")
    )
    assert 600 <= campaign.tokens < 600 + each_run()
    report = Report.objects.get(campaign=campaign).content
    assert (report["end_reason"], report["tokens"]) == (campaign.end_reason, campaign.tokens)
    asked = SensorEvent.objects.count()
    assert (on(campaign), SensorEvent.objects.count()) == ("ended", asked)


@played
def test_campaign__pass_that_would_go_beyond__does_not_begin(made: None) -> None:
    campaign = campaign_with(tokens=6000)
    assert on(campaign) == "moved"  # four questions of train; six of validation and three of golden come next
    campaign.goal.budget = {**campaign.goal.budget, "tokens": campaign.tokens + 3 * each_run()}
    campaign.goal.save()
    asked = SensorEvent.objects.count()
    assert on(campaign) == "ended"
    assert "would go beyond" in campaign.end_reason
    assert SensorEvent.objects.count() == asked


def test_campaign__budget_spent_within_an_experiment__closes_it_and_frees_its_factor(
    made: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = campaign_with(tokens=10_000)
    experiment = experiment_won(campaign)
    Experiment.objects.filter(pk=experiment.pk).update(status="running")

    def spent(context: StepContext) -> Step:
        raise BudgetSpent("budget spent: 10,000 of 10,000 tokens")

    monkeypatch.setitem(advance.STEPS, CycleState.EMULATING, spent)
    assert on(campaign) == "ended"
    experiment.refresh_from_db()
    assert (experiment.status, experiment.decision) == ("rejected", "refused:budget")
    assert experiment.decision_reason.startswith("budget spent: ")


# --- money, time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"hours": 1}, {"deadline": timezone.now() - timedelta(days=1)}])
def test_campaign__time_over__ends_before_the_next_step(made: None, limits: dict[str, object]) -> None:
    campaign = campaign_with(**limits)
    Campaign.objects.filter(pk=campaign.pk).update(started_at=timezone.now() - timedelta(hours=2))
    assert on(campaign) == "ended"
    assert (campaign.status, campaign.cycles.count(), SensorEvent.objects.count()) == ("completed", 0, 0)
    assert campaign.end_reason.startswith("budget spent: ")


def test_meter__judging__counts_too_and_gets_no_more_than_is_left(made: None) -> None:
    campaign = campaign_with(usd=0.5)
    BatchJudging.objects.create(batch="b", judge_version="m", cost_usd="0.2", in_force=True, stopped="no money")
    meter, policy = Meter(campaign), Judging(judge="llm", usd_per_batch=1.0)
    capped = meter.judging("b", policy)
    assert capped.usd_per_batch == pytest.approx(0.7)
    with pytest.raises(BudgetSpent):
        meter.judged("b", capped, policy)
    campaign.refresh_from_db()
    assert float(campaign.cost_usd) == pytest.approx(0.2)


@played
def test_campaign__without_a_budget__still_counts_what_it_took(made: None) -> None:
    campaign = campaign_with()
    assert on(campaign) == "moved"
    assert campaign.tokens > 0
    assert campaign.spends.count() == SensorEvent.objects.count()


@played
def test_campaign__answers_that_a_killed_worker_did_not_count__are_paid_all_the_same(
    made: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meter, "asked", lambda *_: None)  # as if whoever asked died before it counted
    campaign = campaign_with()
    assert [on(campaign), on(campaign)] == ["moved", "moved"]  # dialogues, and passes over validation and golden
    assert EvaluationPass.objects.filter(campaign=campaign, finished_at__isnull=False).count() >= 2
    assert campaign.spends.count() == SensorEvent.objects.count()
    assert campaign.tokens > 0


def test_meter__runs_on_another_campaigns_bill__are_not_paid_again(made: None) -> None:
    first = campaign_with()
    Campaign.objects.update(status="paused")  # of two that want the same one runs
    second, run_id = campaign_with(), uuid.uuid4()
    campaign_spend_record(campaign_id=first.id, spends=[Spend(f"run:{run_id}", 100, Decimal("0.01"))])
    meter = Meter(second)
    meter.owe([run_id])
    meter.count()
    second.refresh_from_db()
    assert (second.tokens, second.spends.count()) == (0, 0)
