"""Looks at the golden set that decide: the seal, the budget, a base that moved, and what is worse after activation."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.change import ChangeProposal
from contracts.goal import Autonomy
from contracts.parameters import ParameterChange, ParameterValue
from experiments.models import EvaluationPass, Experiment, ExperimentResult
from experiments.services import experiment_transition
from goals.models import Campaign
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_register
from incidents.models import Incident
from kernel.errors import Conflict, NotAuthorised
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine import emulating, tuning
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import StepContext
from manager.engine.evaluating import settle
from manager.engine.gate import golden_gate
from manager.engine.lease import NoLease
from manager.models import Approval, Cycle, JournalEntry
from manager.services.approval_requests import approval_request
from manager.services.approvals import approval_approve
from manager.services.policy import policy_change
from manager.services.rechecks import approval_recheck
from sensor.models import SensorEvent
from tests.manager.world import ALICE, Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tuner.selectors import active_version, version_values
from tuner.services import change_apply, parameters_freeze

pytestmark = pytest.mark.django_db
"""One thread runs the passes here, so a test's transaction holds all of it."""
TOP_K = "retrieval.top_k"
FACTOR, OTHER = "retrieval.min_tag_overlap", "context.max_tokens"
"""One that golden feels in this world, and one that it does not."""


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=12))
    return campaign_make(autonomy=Autonomy.FULL_AUTO)


def activated(param: str, value: ParameterValue, *, experiment: str | None = None) -> int:
    """A person activates another value by hand, with every approval."""
    base = active_version().version
    change = ParameterChange(param=param, from_value=version_values(base)[param], to_value=value)
    proposal = ChangeProposal(
        changes=(change,), reason="by hand", base_version=base, approved_by="person:alice", experiment=experiment
    )
    return change_apply(proposal=proposal, actor=ALICE).version


def cycle_at(campaign: Campaign, state: CycleState, **data: Any) -> Cycle:
    return Cycle.objects.create(campaign=campaign, number=1, state=state, data=data)


def context_of(campaign: Campaign, cycle: Cycle) -> StepContext:
    return StepContext(cycle=cycle, campaign=campaign, client=get_client(), lease=NoLease(), parallel=1)


def step_on(campaign: Campaign) -> str:
    return campaign_advance(campaign_id=campaign.id, worker=Worker(name="w", client=get_client(), parallel=1))


def looks() -> list[str]:
    return list(EvaluationPass.objects.filter(purpose="gate").order_by("started_at").values_list("batch", flat=True))


# --- deciding in the cycle -------------------------------------------------------------------------------------------


def test_tuning__winner_that_golden_agrees_with__is_applied(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (experiment.status, experiment.decision) == ("applied", "applied")
    assert looks() == ["made-by-hand-golden"]


def test_tuning__winner_that_golden_does_not_see__is_refused_by_the_gate(campaign: Campaign) -> None:
    experiment = experiment_won(campaign, factor=OTHER, to_value=4400)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (experiment.status, experiment.decision) == ("rejected", "refused:golden")
    assert "does not move the right way on the golden set" in experiment.decision_reason
    assert active_version().version == 1


def test_tuning__loser__is_refused_without_a_look_at_golden(campaign: Campaign) -> None:
    experiment = experiment_won(campaign, gained=0)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (experiment.decision, looks()) == ("refused:verdict", [])


def test_tuning__value_beyond_the_automatic_range__asks_a_person(campaign: Campaign) -> None:
    activated(TOP_K, 5)
    experiment = experiment_won(campaign, factor=TOP_K, to_value=6)
    policy_change(actor=ALICE, reason="a goal about cost", golden_mode="not_worse")
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    approval = Approval.objects.get(experiment=experiment)
    assert (approval.status, experiment.status) == ("pending", "analyzed")
    assert "needs approval" in approval.reasons[0]
    assert version_values(active_version().version)[TOP_K] == 5


def test_tuning__frozen__is_refused_by_the_guard(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    parameters_freeze(actor=ALICE, reason="holiday")
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert experiment.decision == "refused:guard"
    assert "frozen" in experiment.decision_reason


def test_tuning__manual_autonomy__start_waits_for_a_person(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    Experiment.objects.filter(id=experiment.id).update(status="planned")
    Campaign.objects.filter(id=campaign.id).update(autonomy="manual")
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    assert Approval.objects.get(experiment=experiment).kind == "start"
    assert (Cycle.objects.get().outcome, looks()) == ("waits", [])


def test_analyzing__start_that_a_person_approved__is_run_before_anything_is_designed(
    campaign: Campaign, alice: Actor
) -> None:
    experiment = experiment_won(campaign)
    Experiment.objects.filter(id=experiment.id).update(status="planned")
    approval = approval_request(experiment=experiment, kind="start", reasons=["manual"], evidence={}, proposed_by="t")
    assert approval_approve(approval_id=approval.id, actor=alice).status == "approved"
    measured = {"n": 60, "metrics": {"retrieval_recall": 0.1}, "by_category": {}}
    cycle_at(campaign, CycleState.ANALYZING, validation=measured, train=measured, version=1)
    step_on(campaign)
    cycle = Cycle.objects.get()
    assert (cycle.state, cycle.data["experiment"]) == ("TUNING", experiment.slug)
    assert active_version().version == 1


def test_tuning__another_version_activated_meanwhile__golden_is_asked_anew(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    other = activated(OTHER, 4400)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    assert looks() == ["made-by-hand-golden", f"made-by-hand-on-v{other}-golden"]
    values = version_values(active_version().version)
    assert (values[FACTOR], values[OTHER]) == (2, 4400)


def test_tuning__another_version_activated_at_the_last_moment__step_is_repeated_on_it(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = experiment_won(campaign)
    cycle = cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    told = tuning._told
    moved: list[int] = []

    def in_between(change: ParameterChange, result: ExperimentResult) -> str:
        if not moved:
            moved.append(activated(OTHER, 4400))
        return told(change, result)

    monkeypatch.setattr(tuning, "_told", in_between)
    step_on(campaign)
    cycle.refresh_from_db()
    assert (cycle.state, cycle.data["repeats"]) == ("TUNING", 1)
    step_on(campaign)
    values = version_values(active_version().version)
    assert (values[FACTOR], values[OTHER]) == (2, 4400)
    assert JournalEntry.objects.filter(kind="applied").count() == 1


def test_tuning__factor_moved_meanwhile__is_refused(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    activated(FACTOR, 0)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    step_on(campaign)
    experiment.refresh_from_db()
    assert experiment.decision_reason == f"{FACTOR} is 0 now, not 1 as it was when the change was tested"


def test_tuning__killed_after_its_look__is_decided_by_the_same_look(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    cycle = cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    tuning.step(context_of(campaign, cycle))  # all but the commit
    policy_change(actor=ALICE, reason="the look that was begun counts already", golden_budget=1)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (experiment.decision, len(looks())) == ("applied", 1)


@pytest.mark.django_db(transaction=True)
def test_campaign__one_byte_of_golden_changed__fails_and_says_so(campaign: Campaign, as_owner: Any) -> None:
    experiment = experiment_won(campaign)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)
    with as_owner(), connections["default"].cursor() as cursor:
        cursor.execute("UPDATE golden_examples SET query = query || '!' WHERE external_id = 'golden/q3'")
    with pytest.raises(Conflict, match="is not the one that was sealed"):
        step_on(campaign)
    campaign.refresh_from_db()
    assert campaign.status == "failed"
    assert "the golden set of 'small-world' is not the one that was sealed" in campaign.end_reason
    assert (active_version().version, looks()) == (1, [])
    assert Incident.objects.get(kind="golden_seal").severity == "critical"


# --- after an activation ---------------------------------------------------------------------------------------------


def test_settle__golden_worse_after_activation__rolls_back_with_incident_and_journal(campaign: Campaign) -> None:
    activated(FACTOR, 2)
    settle(context_of(campaign, Cycle(campaign=campaign, number=1)))
    good = active_version()
    assert good.stable_since is not None
    bad = activated(FACTOR, 0, experiment="by-hand")
    standing = settle(context_of(campaign, Cycle(campaign=campaign, number=2)))
    assert (standing.version, active_version().version) == (good.version, good.version)
    incident = Incident.objects.get()
    assert (incident.kind, incident.subject) == ("degradation", f"version:{bad}")
    entry = JournalEntry.objects.get(kind="rolled_back")
    assert f"after activation of version {bad}: " in entry.reason
    assert AuditEntry.objects.filter(action="parameters.rolled_back").exists()


def test_settle__applied_experiment_rolled_back__says_so_in_the_registry(campaign: Campaign) -> None:
    activated(FACTOR, 2)
    settle(context_of(campaign, Cycle(campaign=campaign, number=1)))
    experiment = experiment_won(campaign, to_value=1)
    Experiment.objects.filter(id=experiment.id).update(status="applied", decision="applied")
    activated(FACTOR, 1, experiment=experiment.slug)
    settle(context_of(campaign, Cycle(campaign=campaign, number=2)))
    experiment.refresh_from_db()
    assert (experiment.status, experiment.decision) == ("rolled_back", "rolled_back")


def test_settle__golden_not_worse__confirms_the_version_once(campaign: Campaign) -> None:
    version = activated(FACTOR, 2)
    first = settle(context_of(campaign, Cycle(campaign=campaign, number=1)))
    again = settle(context_of(campaign, Cycle(campaign=campaign, number=1)))
    assert [note.kind for note in first.notes] == ["confirmed"]
    assert (again.version, again.notes) == (version, ())
    assert EvaluationPass.objects.filter(purpose="gate").count() == 0


# --- an approval whose base has moved --------------------------------------------------------------------------------


def recheck(approval_id: uuid.UUID, actor: Actor) -> Approval:
    return approval_recheck(approval_id=approval_id, client=get_client(), actor=actor, parallel=1)


def test_approve__base_moved__stays_approved_until_golden_agrees_anew(campaign: Campaign, alice: Actor) -> None:
    approval = approval_made(experiment_won(campaign))
    other = activated(OTHER, 4400)
    assert approval_approve(approval_id=approval.id, actor=alice).status == "approved"
    assert active_version().version == other
    assert recheck(approval.id, alice).status == "applied"
    values = version_values(active_version().version)
    assert (values[FACTOR], values[OTHER]) == (2, 4400)
    assert looks() == [f"made-by-hand-on-v{other}-golden"]


def test_recheck__golden_disagrees_on_the_new_base__voids_with_the_reason(campaign: Campaign, alice: Actor) -> None:
    approval = approval_made(experiment_won(campaign, factor="context.recent_exchanges", to_value=4))
    other = activated(OTHER, 4400)
    approval_approve(approval_id=approval.id, actor=alice)
    done = recheck(approval.id, alice)
    assert done.status == "void"
    assert done.outcome.startswith(f"on top of version {other}: ")
    assert Experiment.objects.get(slug=approval.experiment.slug).decision == "refused:void"
    actions = AuditEntry.objects.filter(action__startswith="approval.").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["approval.approved", "approval.void"]


def test_recheck__factor_has_another_value_now__voids_without_a_look(campaign: Campaign, alice: Actor) -> None:
    approval = approval_made(experiment_won(campaign))
    activated(OTHER, 4400)
    approval_approve(approval_id=approval.id, actor=alice)
    activated(FACTOR, 0)
    done = recheck(approval.id, alice)
    assert (done.status, looks()) == ("void", [])
    assert "is 0 now, not 1" in done.outcome


def test_recheck__frozen_meanwhile__voids_with_the_tuners_reason(campaign: Campaign, alice: Actor) -> None:
    approval = approval_made(experiment_won(campaign))
    activated(OTHER, 4400)
    approval_approve(approval_id=approval.id, actor=alice)
    parameters_freeze(actor=ALICE, reason="holiday")
    done = recheck(approval.id, alice)
    assert done.status == "void"
    assert done.outcome.startswith("the Tuner refuses: ")


def test_recheck__by_somebody_who_may_not_apply__leaves_what_was_approved(
    campaign: Campaign, alice: Actor, bob: Actor
) -> None:
    approval = approval_made(experiment_won(campaign))
    activated(OTHER, 4400)
    approval_approve(approval_id=approval.id, actor=alice)
    with pytest.raises(NotAuthorised):
        recheck(approval.id, bob)
    approval.refresh_from_db()
    assert approval.status == "approved"


def test_recheck__twice__applies_once(campaign: Campaign, alice: Actor) -> None:
    approval = approval_made(experiment_won(campaign))
    activated(OTHER, 4400)
    approval_approve(approval_id=approval.id, actor=alice)
    versions = [recheck(approval.id, alice).applied_version for _ in range(2)]
    assert versions[0] == versions[1] == active_version().version


# --- killed between two writes ---------------------------------------------------------------------------------------


def test_analyzed__killed_before_the_experiment_is_marked__hypothesis_is_resolved_all_the_same(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = experiment_won(campaign)
    hypothesis = hypothesis_register(
        campaign=campaign, factor=FACTOR, from_value=1, to_value=2, base_version=1, metric="retrieval_recall",
        direction="increase", actor=ALICE,
    )  # fmt: skip
    Hypothesis.objects.update(status="running")
    Experiment.objects.filter(id=experiment.id).update(status="completed", hypothesis=hypothesis)
    cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug)

    def killed(**_: Any) -> Experiment:
        raise OperationalError("killed")

    monkeypatch.setattr(tuning, "experiment_transition", killed)
    with pytest.raises(OperationalError):
        step_on(campaign)
    monkeypatch.setattr(tuning, "experiment_transition", experiment_transition)
    step_on(campaign)
    experiment.refresh_from_db()
    assert (Hypothesis.objects.get().status, experiment.status) == ("confirmed", "applied")


def test_gate__run_that_was_never_recorded__decides_nothing(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    context = context_of(campaign, cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug))
    golden_gate(context, experiment)
    SensorEvent.objects.filter(split="golden", variant="variant").first().delete()  # type: ignore[union-attr]
    with pytest.raises(Conflict, match="12 and 11 of 12 golden runs were recorded"):
        golden_gate(context, experiment)


def test_emulating__another_version_activated_since_it_began__is_ended_under_the_first(campaign: Campaign) -> None:
    context = context_of(campaign, cycle_at(campaign, CycleState.EMULATING))
    first = emulating.step(context)
    activated(OTHER, 4400)  # and the worker is killed before it commits
    again = emulating.step(context)
    assert (again.data, again.data["version"]) == (first.data, 1)


def test_gate__experiment_of_one_category__looks_at_its_questions(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    cycle = cycle_at(campaign, CycleState.TUNING, experiment=experiment.slug, focus={"category": "temporal"})
    assert "of temporal questions" in golden_gate(context_of(campaign, cycle), experiment).reason
