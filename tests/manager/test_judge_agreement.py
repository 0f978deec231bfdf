"""What the policy asks of judges is audited, reaches the verdict, and is watched in each cycle."""

from __future__ import annotations

from typing import Any, cast

import pytest

from audit.models import AuditEntry
from contracts.actor import Actor, component
from experiments.domain.lifecycle import ExperimentStatus
from experiments.services import experiment_transition
from goals.models import Campaign
from incidents.models import Incident
from kernel.errors import InvalidInput
from maas.client import get_client
from manager.engine import evaluating, tuning
from manager.engine.context import StepContext
from manager.engine.lease import Lease
from manager.models import Cycle
from manager.services.policy import agreement_rule, policy_change
from sensor.models import SensorEvent
from teacher.aggregator import Aggregate
from teacher.calibration.rule import AgreementRule
from teacher.calibration.selectors import judged_cases
from teacher.judges import JUDGE_VERSION
from tests.experiments.makers import experiment
from tests.teacher.calibration.makers import V
from tests.teacher.calibration.test_monitor import labels, steady
from tests.teacher.test_services import runs_of_both_arms

pytestmark = pytest.mark.django_db

TEACHER = component("teacher")


def context(**data: Any) -> StepContext:
    return StepContext(
        cycle=Cycle(data=data), campaign=Campaign(), client=get_client(), lease=cast(Lease, None), parallel=1
    )


def test_policy__by_default__asks_for_substantial_agreement_and_lets_uncalibrated_judges_count() -> None:
    assert agreement_rule() == AgreementRule(min_kappa=0.6, min_labels=50, uncalibrated_counts=True)


def test_policy__changed__is_audited_and_asked_from_then_on(alice: Actor) -> None:
    policy_change(actor=alice, reason="stricter", judge_min_kappa=0.7, judge_min_labels=80)
    assert agreement_rule() == AgreementRule(min_kappa=0.7, min_labels=80, uncalibrated_counts=True)
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.before, entry.after) == (
        {"judge_min_kappa": 0.6, "judge_min_labels": 50}, {"judge_min_kappa": 0.7, "judge_min_labels": 80},
    )  # fmt: skip


@pytest.mark.parametrize("kappa", [-0.1, 1.1])
def test_policy__impossible_kappa__is_refused(alice: Actor, kappa: float) -> None:
    with pytest.raises(InvalidInput):
        policy_change(actor=alice, reason="typo", judge_min_kappa=kappa)


@pytest.mark.parametrize(("counts", "verdict"), [(True, "winner"), (False, "inconclusive")])
def test_tuning__verdict__is_asked_what_the_policy_says(alice: Actor, counts: bool, verdict: str) -> None:
    policy_change(actor=alice, reason="as it should be", judge_uncalibrated_counts=counts)
    made = experiment(TEACHER)
    made.spec["success_criteria"].append(
        {"metric": "hallucination_rate", "direction": "no_large_rise", "max_delta": 0.05}
    )
    made.save()
    runs_of_both_arms()
    SensorEvent.objects.update(batch=f"{made.slug}-validation")
    for status in (ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED):
        made = experiment_transition(slug=made.slug, target=status, actor=TEACHER)
    assert tuning._analyzed(context(), made).verdict == verdict


def test_evaluating__agreement_fell__opens_the_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Aggregate(n=0, metrics={}, counts={}, tokens=0, cost_usd=0.0)
    monkeypatch.setattr(evaluating, "batch_measure", lambda **_: nothing)
    monkeypatch.setattr(evaluating, "settle", lambda _: evaluating.Standing(1, nothing, nothing))
    labels(steady(100, 0.94) + steady(50, 0.6))
    evaluating.step(context(train_batch="t"))
    assert Incident.objects.get(kind="judge_drift").subject == f"{V}:hallucination"
    assert len(judged_cases(JUDGE_VERSION)) == 150  # the present judge has judged the same cases
