"""Degradation rules with the numbers of cycles and of live traffic, and what the Manager does about a broken one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, component
from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign
from incidents.models import Incident
from manager.models import JournalEntry, UpkeepCycle
from manager.services.degradation import degradation_act, live_signals, live_watch, offline_signals
from sensor.models import SensorEvent
from teacher.domain.windows import LIVE_WINDOW, LiveRun, live_windows
from tests.manager.world import DATASET, Sizes, campaign_make, dataset_load, experiment_won
from tests.teacher.events import event
from tuner.models import ParameterVersion
from tuner.selectors import active_version
from tuner.services import change_apply, parameters_freeze, version_confirm_stable

MANAGER = component("manager")
GOOD = {"retrieval_recall": 0.5, "retrieval_precision": 0.4, "hallucination_rate": 0.05, "error_rate": 0.0,
        "latency_p95": 40.0}  # fmt: skip


@pytest.fixture
def applied(db: None, tmp_path: Path) -> ParameterVersion:
    """Version 2, applied on the evidence of an experiment that raised recall from .4 to .5, and confirmed."""
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=2, golden=1))
    experiment = experiment_won(campaign_make(), slug="raised", factor="retrieval.top_k", to_value=4)
    ExperimentResult.objects.filter(experiment_id="raised").update(
        metrics_variant=GOOD, metrics_baseline={**GOOD, "retrieval_recall": 0.4}
    )
    Experiment.objects.filter(slug="raised").update(status="applied")
    change = ParameterChange(param="retrieval.top_k", from_value=3, to_value=4)
    change_apply(
        proposal=ChangeProposal(
            changes=(change,), reason="won", experiment=experiment.slug, base_version=1, tested=True,
            evidence_at=timezone.now(),
        ),
        actor=MANAGER,
    )  # fmt: skip
    version_confirm_stable(version=2, actor=MANAGER, reason="golden agrees")
    return active_version()


def measured(*cycles: dict[str, float], n: int = 300) -> None:
    """One macro cycle of upkeep after the other, each with its validation metrics (what is not given is good)."""
    for metrics in cycles:
        UpkeepCycle.objects.create(
            type="macro", state="completed", slot=None, dataset=DATASET, version=2, started_by="component:manager",
            reason="idle", finished_at=timezone.now(),
            findings={"validation": {"batch": "", "n": n, "metrics": {**GOOD, **metrics}}},
        )  # fmt: skip


def rules(version: ParameterVersion) -> set[str]:
    return {signal.rule for signal in offline_signals(version, dataset=DATASET)}


WORSE_PRECISION, MADE_UP = {"retrieval_precision": 0.29}, {"hallucination_rate": 0.11}


@pytest.mark.parametrize(
    ("cycles", "broken"),
    [
        ([{}, {}, {}], set()),
        ([WORSE_PRECISION] * 2, set()),
        ([WORSE_PRECISION] * 3, {"precision_fell", "recommendation:retrieval_precision"}),
        ([WORSE_PRECISION, {}, WORSE_PRECISION, WORSE_PRECISION], set()),
        ([MADE_UP], set()),
        ([MADE_UP] * 2, {"hallucination_rose", "recommendation:hallucination_rate"}),
        ([{"latency_p95": 5001.0}] * 4, set()),
        ([{"latency_p95": 5001.0}] * 5, {"too_slow"}),
        ([{"error_rate": 0.11}], {"too_many_errors"}),
        ([{"retrieval_recall": 0.41}], {"goal_metric_worse"}),
        ([{"retrieval_recall": 0.46}], set()),
        ([{"retrieval_recall": 0.4}] * 3, {"goal_metric_worse", "no_improvement"}),
    ],
)
def test_offline_signals__over_cycles__are_those_of_the_rules(
    cycles: list[dict[str, float]], broken: set[str], applied: ParameterVersion
) -> None:
    measured(*cycles)
    assert rules(applied) == broken


def test_offline_signals__goal_metric_worse_by_what_a_small_sample_does_by_chance__is_silent(
    applied: ParameterVersion,
) -> None:
    measured({"retrieval_recall": 0.44}, n=60)
    assert rules(applied) == set()
    measured({"retrieval_recall": 0.44}, n=2000)
    assert rules(applied) == {"goal_metric_worse"}


def test_offline_signals__cycles_before_its_activation_or_on_other_data__do_not_count(
    applied: ParameterVersion,
) -> None:
    measured({"error_rate": 0.5})
    UpkeepCycle.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert rules(applied) == set()
    measured({"error_rate": 0.5})
    assert offline_signals(applied, dataset="other") == []


@pytest.mark.parametrize("frozen", [False, True])
def test_degradation__broken_rule__rolls_back_with_incident_and_journal_also_under_freeze(
    frozen: bool, applied: ParameterVersion, alice: Actor
) -> None:
    Campaign.objects.update(autonomy="manual")
    if frozen:
        parameters_freeze(actor=alice, reason="holidays")
    measured({"error_rate": 0.4})
    change = degradation_act(
        version=applied, signals=offline_signals(applied, dataset=DATASET), where="degradation over its cycles"
    )
    assert change is not None
    assert active_version().version == change.version == 1
    incident = Incident.objects.get(kind="degradation")
    assert "error_rate was above 0.1" in incident.detail
    assert JournalEntry.objects.get(kind="rolled_back").reason == incident.detail
    assert Experiment.objects.get(slug="raised").status == "rolled_back"
    assert AuditEntry.objects.get(action="parameters.rolled_back").reason == incident.detail


def test_degradation__rolled_back__is_not_rolled_back_again_nor_proposed_on_its_old_evidence(
    applied: ParameterVersion,
) -> None:
    from tuner.services import change_check

    measured({"error_rate": 0.4})
    signals = offline_signals(applied, dataset=DATASET)
    assert degradation_act(version=applied, signals=signals, where="x") is not None
    assert degradation_act(version=applied, signals=signals, where="x") is None
    assert active_version().version == 1
    again = ChangeProposal(
        changes=(ParameterChange(param="retrieval.top_k", from_value=3, to_value=4),), reason="won",
        experiment="raised", base_version=1, tested=True,
    )  # fmt: skip
    assert {str(item.code) for item in change_check(proposal=again, cooldowns={})} == {"COOLDOWN"}


@pytest.mark.django_db
def test_degradation__nothing_stable_to_go_back_to__calls_a_person() -> None:
    seed = active_version()
    from tuner.domain.degradation import DegradationSignal

    broken = DegradationSignal("too_many_errors", "error_rate", 0.4, 0.1, 1, "error_rate was above 0.1")
    assert degradation_act(version=seed, signals=[broken], where="live traffic") is None
    incident = Incident.objects.get(kind="degradation")
    assert (incident.severity, active_version().version) == ("critical", 1)


# --- live traffic -----------------------------------------------------------------------------------------------------


def asked(version: int, count: int = LIVE_WINDOW, **columns: Any) -> None:
    SensorEvent.objects.bulk_create(
        event("a", None, client_kind="user", mode="dialogue", parameter_version=version,
              **{"started_at": timezone.now() + timedelta(milliseconds=number), "latency_ms": Decimal("30"), **columns})
        for number in range(count)
    )  # fmt: skip


def live(version: ParameterVersion) -> set[str]:
    return {signal.rule for signal in live_signals(version)}


def test_live__errors_in_one_window__roll_back(applied: ParameterVersion) -> None:
    asked(2, 44)
    asked(2, 6, status="FAILED")
    assert live(applied) == {"too_many_errors"}
    assert "version 1 is active" in live_watch()
    assert active_version().version == 1


def test_live__too_few_runs_for_a_window__say_nothing(applied: ParameterVersion) -> None:
    asked(2, LIVE_WINDOW - 1, status="FAILED")
    assert live(applied) == set()
    assert live_watch() == "version 2: nothing is broken on live traffic"


def test_live__hallucination_against_the_version_before__needs_two_windows(applied: ParameterVersion) -> None:
    asked(1, hallucination_detected=False, started_at=timezone.now() - timedelta(days=1))
    asked(2, hallucination_detected=True)
    assert live(applied) == set()
    asked(2, hallucination_detected=True)
    assert live(applied) == {"hallucination_rose"}


def test_live__evaluation_and_simulated_runs__are_no_live_traffic(applied: ParameterVersion) -> None:
    SensorEvent.objects.bulk_create(
        event("a", "a", parameter_version=2, status="FAILED", pipeline_run_id=uuid.uuid4()) for _ in range(60)
    )
    assert live(applied) == set()


def test_live_windows__a_rest__is_left_out_at_the_beginning() -> None:
    runs = [LiveRun(failed=True, latency_ms=1)] * 10 + [LiveRun(failed=False, latency_ms=2, feedback=5)] * LIVE_WINDOW
    (window,) = live_windows(runs)
    assert window == {"error_rate": 0, "latency_p95": 2, "hallucination_rate": None, "user_satisfaction": 5}
