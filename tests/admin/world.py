"""A small world with at least one row in every table that the admin shows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from contracts.actor import Actor, Role
from contracts.goal import Autonomy, GoalTranslation, Target
from contracts.maas import NewMemory, RunRequest
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn
from experiments.domain.examples import ExampleValue
from experiments.domain.lifecycle import ExperimentStatus
from experiments.golden import golden_store
from experiments.models import (
    Dataset,
    DiscoveryEntry,
    EvaluationExample,
    EvaluationPass,
    Experiment,
    ExperimentResult,
    StandingTest,
)
from goals.models import Campaign, LearningGoal
from goals.services import Spend, campaign_create, campaign_spend_record, goal_create
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_register
from incidents.models import Incident, SafetyResult, SafetyRun
from incidents.services import incident_open
from maas.access import as_service
from maas.client import memories_import
from maas.client.memories import memories_review
from maas.models import MemoryMerge, TestDialog, TestRun, TestSession
from maas.services import run_submit
from manager.models import Approval, Cycle, PruningProposal, Report, UpkeepCycle
from manager.services.approval_requests import approval_request
from manager.services.journal import journal_write
from manager.services.policy import policy_current
from manager.services.pruning import pruning_propose
from manager.services.upkeep import schedule_row
from notifications.domain.targets import Kind
from notifications.models import Delivery
from notifications.services.channels import channel_create
from notifications.services.deliveries import notices_spread
from selflearn_site.access.models import SignInFailure
from sensor.models import CaptureCursor, ExternalEvent, RunJudgement, RunTruth, SensorEvent, TelemetryEvent
from sensor.services.retention_policy import retention_current
from sensor.services.rollups import rollups_fold
from tuner.models import PromptValue
from tuner.selectors import active_version, version_values
from tuner.tenants import tenant_parameters_set

ANNA = uuid.UUID("00000000-0000-4000-8000-0000000000a1")
SESSION = uuid.UUID("00000000-0000-4000-8000-00000000005e")
THREAD = uuid.UUID("00000000-0000-4000-8000-0000000000c1")
FACTOR = "retrieval.top_k"
BASE: dict[str, Any] = {"dataset": "tiny"}


@dataclass
class World:
    goal: LearningGoal
    campaign: Campaign
    hypothesis: Hypothesis
    experiment: Experiment
    approval: Approval
    cycle: Cycle
    incident: Incident
    batch: EmulationBatch
    run_id: uuid.UUID
    pruning: PruningProposal


def world_build() -> World:
    alice = Actor(kind="person", name="alice", role=Role.META_USER)
    goal, campaign = _campaign(alice)
    hypothesis, experiment = _experiment(campaign, alice)
    approval = approval_request(
        experiment=experiment,
        kind="apply",
        reasons=["retrieval.top_k always asks"],
        evidence={"reason": "recall rises", "golden": "golden agrees"},
        proposed_by="manager",
    )
    cycle = Cycle.objects.create(campaign=campaign, number=1, progress={"done": 3, "total": 30})
    journal_write(campaign=campaign, key="k", kind="decision", text="top_k is tried", reason="recall is low")
    Report.objects.create(campaign=campaign, content=REPORT)
    tenant_parameters_set(user_id=uuid.uuid4(), version=1, reason="a support case", actor=alice)
    PromptValue.objects.create(key="prompts.responder", value="kind-1", registered_by="person:alice")
    policy_current()
    schedule_row()
    UpkeepCycle.objects.create(
        type="micro", state="completed", slot=None, dataset="tiny", version=1, started_by="person:alice",
        reason="by hand", finished_at=timezone.now(),
    )  # fmt: skip
    checked = SafetyRun.objects.create(
        state="completed", slot=None, started_by="person:alice", finished_at=timezone.now()
    )
    SafetyResult.objects.create(run=checked, name="golden seal", ok=True, detail="sound", actor="person:alice")
    SignInFailure.objects.create(name="mallory", address="127.0.0.1", failures=2, last_at=timezone.now())
    retention_current()
    channel_create(name="duty", kind=Kind.WEBHOOK, address="https://example.org/x", actor=alice)
    incident = incident_open(
        kind="degradation", severity="warning", title="recall fell", detail="by .2", subject="version:1", actor=alice
    )
    notices_spread()
    Delivery.objects.update(status="delivered", ended_at=timezone.now())
    run_id = _student()
    _recorded(run_id)
    return World(
        goal, campaign, hypothesis, experiment, approval, cycle, incident, _emulation(), run_id, _pruning(alice)
    )


REPORT: dict[str, Any] = {
    **{"campaign": 1, "goal": "Raise recall", "dataset": "tiny", "autonomy": "semi_auto", "cycles": 1},
    **{"max_cycles": 3, "start_version": 1, "end_version": 1, "seed": 7, "end_reason": "", "status": "running"},
    **{"targets": [], "applied": [], "waiting": [], "refused": [], "next": [], "experiments": []},
    **{"validation": {"n": 0, "rows": []}, "golden": {"n": 0, "rows": []}, "tokens": 0, "cost_usd": 0.0},
}


def _campaign(alice: Actor) -> tuple[LearningGoal, Campaign]:
    translation = GoalTranslation(
        text="Raise recall to 60 %",
        language="en",
        targets=(Target(metric="retrieval_recall", direction="increase", value=0.6),),
        allowed_impacts=(FACTOR,),
    )
    goal = goal_create(translation=translation, actor=alice)
    dataset = Dataset.objects.create(name="tiny", source="test")
    row: dict[str, Any] = {"dataset": dataset, "user_id": ANNA, "query": "Where?", "asked_at": timezone.now()}
    row |= {"category": "fact", "cluster": "c1"}
    EvaluationExample.objects.create(external_id="t1", split="train", **row)
    value = ExampleValue(
        external_id="g1", user_id=ANNA, query="Where?", asked_at=timezone.now(), expected_memory_ids=(),
        should_retrieve=True, category="fact", difficulty="easy", cluster="c1",
    )  # fmt: skip
    golden_store(dataset=dataset, values=[value], actor=alice, reason="test")
    campaign = campaign_create(
        goal=goal, dataset="tiny", autonomy=Autonomy.SEMI_AUTO, max_cycles=3, dialogues_per_cycle=30, seed=7,
        actor=alice,
    )  # fmt: skip
    paid = Spend(what="run:1", tokens=400, cost_usd=Decimal("0.0001"))
    campaign_spend_record(campaign_id=campaign.pk, spends=[paid])
    return goal, campaign


def _experiment(campaign: Campaign, alice: Actor) -> tuple[Hypothesis, Experiment]:
    base = active_version().version
    now = int(version_values(base)[FACTOR])
    hypothesis = hypothesis_register(
        campaign=campaign, factor=FACTOR, from_value=now, to_value=now + 1, base_version=base,
        metric="retrieval_recall", direction="increase", actor=alice,
    )  # fmt: skip
    experiment = Experiment.objects.create(
        slug="c1-top-k-4", campaign=campaign, cycle=1, hypothesis=hypothesis, dataset="tiny", factor=FACTOR,
        from_value=now, to_value=now + 1, metric="retrieval_recall", spec={"experiment_id": "c1-top-k-4"},
        status=ExperimentStatus.ANALYZED, base_version=base, arm_versions={"baseline": base}, planned_n=50, seed=7,
    )  # fmt: skip
    ExperimentResult.objects.create(
        experiment_id=experiment.slug, verdict="winner", metrics_baseline={"retrieval_recall": 0.2},
        metrics_variant={"retrieval_recall": 0.4}, p_values={"retrieval_recall": 0.01}, notes="",
        recommendation={"action": "update_params", "reason": "recall rises", "next_steps": []},
        evaluation={"n": 50, "criteria": []}, spec={}, samples=[{"example_id": "t1"}], samples_hash="0" * 64,
        engine_version="1",
    )  # fmt: skip
    DiscoveryEntry.objects.create(
        stream="tiny/validation", place=1, experiment=experiment.slug, p_value=0.01, level=0.0055, discovery=False,
        candidate=True, spent=0.0, left=0.025, next_level=0.0055,
    )  # fmt: skip
    StandingTest.objects.create(
        slug="standing-aa-tiny-1", dataset="tiny", number=1, metric="token_cost", base_version=1
    )
    EvaluationPass.objects.create(
        batch="monitor-tiny", purpose="monitor", split="validation", arms={"active": base}, planned=1, done=1,
        finished_at=timezone.now(), **BASE,
    )  # fmt: skip
    return hypothesis, experiment


def _student() -> uuid.UUID:
    memory = NewMemory(memory_id=uuid.uuid4(), user_id=ANNA, text="Anna moved to Riga", simulated_at=timezone.now())
    memories_import([memory])
    run_id = run_submit(request=RunRequest(user_id=ANNA, query="Where does Anna live?", thread_id=THREAD))
    with as_service():
        dialog = TestDialog.objects.create(scenario="s", step=1, query="Where?")
        script = [{"dialog": dialog.pk, "scenario": "s", "step": 1, "query": "Where?", "expected": ""}]
        session = TestSession.objects.create(
            pk=SESSION, started_by="person:bob", scenarios=["s"], script=script, steps=1
        )
        TestRun.objects.create(dialog=dialog, session=session, position=0, status="COMPLETED")
    return run_id


def _pruning(alice: Actor) -> PruningProposal:
    """Two memories that say the same: the later one is flagged, and proposed."""
    for number in (1, 2):
        memory = uuid.UUID(int=number)
        text = NewMemory(memory_id=memory, user_id=ANNA, text="Anna sings in a choir", simulated_at=timezone.now())
        memories_import([text])
    with as_service():
        MemoryMerge.objects.create(
            user_id=ANNA, kept=uuid.UUID(int=1), dropped=uuid.UUID(int=2), questions=3, refused="one would be missed"
        )
    memories_review(now=timezone.now())
    proposal = pruning_propose(actor=alice, reason="doubles")
    assert proposal is not None
    return proposal


def _recorded(run_id: uuid.UUID) -> None:
    now = timezone.now()
    SensorEvent.objects.create(
        pipeline_run_id=run_id, user_id=ANNA, client_kind="emulator", mode="dialogue", cycle_type="macro",
        query="Where?", status="COMPLETED", asked_at=now, started_at=now, ended_at=now, latency_ms=3, memories_found=0,
        captured_at=now,
    )  # fmt: skip
    rollups_fold()
    TelemetryEvent.objects.create(pipeline_id=run_id, cycle_type="macro", stage="analysis", latency_ms=1)
    RunTruth.objects.create(
        run_id=run_id, example_id="t1", batch="b", split="train", cluster="c1", should_retrieve=True, category="fact",
        difficulty="easy", **BASE,
    )  # fmt: skip
    RunJudgement.objects.create(run_id=run_id, judge_version="offline-1")
    CaptureCursor.objects.get_or_create(name="test")
    ExternalEvent.objects.create(event_id=uuid.uuid4(), run_id=run_id, source="token:elsewhere")


def _emulation() -> EmulationBatch:
    batch = EmulationBatch.objects.create(
        id=uuid.uuid4(), batch="b", plan={"batch": "b"}, split="train", dialogues_total=1, turns_total=1,
        queries_total=0, created_by="person:bob", **BASE,
    )  # fmt: skip
    dialogue = EmulationDialogue.objects.create(
        id=uuid.uuid4(), batch=batch, dialogue="d", example="e", user_id=ANNA, thread_id=uuid.uuid4(), scenario="s",
        scenario_variant=0, cluster="c", split="train", ordinal=0, **BASE,
    )  # fmt: skip
    EmulationTurn.objects.create(
        id=uuid.uuid4(), batch=batch, dialogue=dialogue, position=0, text="I moved to Riga",
        simulated_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    return batch
