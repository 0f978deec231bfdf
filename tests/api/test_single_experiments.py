"""One experiment over HTTP: validated without a trace, planned from a spec or a hypothesis, started, run, followed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.models import AuditEntry
from contracts.actor import Role
from contracts.goal import Autonomy
from experiments.models import Experiment
from goals.models import Campaign
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_register
from maas.client import get_client
from manager.domain.lifecycle import CycleState
from manager.engine.advance import Worker, campaign_advance
from manager.models import Approval, Cycle
from tests.api.test_routes import Program
from tests.manager.test_importing import arms, written
from tests.manager.world import ALICE, Sizes, campaign_make, dataset_load
from tests.pages.world import cycle_measured, measured
from tuner.selectors import active_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=2, golden=1))
    found = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    cycle_measured(found, number=1, recall=0.41)
    return found


@pytest.fixture
def operator(db: None) -> Program:
    return Program(Role.OPERATOR)


def thought(campaign: Campaign | None, to_value: int = 2) -> Hypothesis:
    return hypothesis_register(
        campaign=campaign, factor="retrieval.top_k", from_value=3, to_value=to_value,
        base_version=active_version().version, metric="retrieval_recall", direction="increase", actor=ALICE,
        rationale="fewer memories distract less",
    )  # fmt: skip


@pytest.mark.parametrize("spec", [written(), yaml.safe_dump(written())], ids=["object", "yaml"])
def test_validate__good_spec__tells_what_would_be_run_and_changes_nothing(campaign: Campaign, spec: Any) -> None:
    viewer = Program(Role.VIEWER)
    before = AuditEntry.objects.count()
    told = viewer.post("experiments/validate", {"spec": spec})
    assert told.status_code == 200, told.content
    body = told.json()
    assert (body["experiment_id"], body["campaign"], body["factor"]) == ("top_k_3_vs_2", campaign.number,
                                                                        "retrieval.top_k")  # fmt: skip
    assert (body["from_value"], body["to_value"], body["metric"], body["questions"]) == (3, 2, "retrieval_recall", 2)
    assert body["spec"]["assignment"]["mode"] == "paired"
    assert any("paired" in note for note in body["notes"])
    assert (Experiment.objects.count(), Hypothesis.objects.count(), AuditEntry.objects.count()) == (0, 0, before)


def test_validate__wrong_spec__is_422_with_each_path(campaign: Campaign, operator: Program) -> None:
    refused = operator.post("experiments/validate", {"spec": written(variants=arms(**{"no.such": 1, "top_k": "two"}))})
    assert refused.status_code == 422
    assert {item["path"] for item in refused.json()["error"]["details"]["errors"]} == {
        "variants.1.params.no.such", "variants.1.params.top_k",
    }  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"spec": written(), "hypothesis": str(uuid.uuid4())}])
def test_plan__from_neither_or_both__is_422(campaign: Campaign, operator: Program, body: dict[str, Any]) -> None:
    for path in ("experiments/plan", "experiments/validate"):
        refused = operator.post(path, body)
        assert refused.status_code == 422
        assert refused.json()["error"]["details"] == {"field": "spec"}


def test_plan__from_a_hypothesis__tries_just_that_and_links_it(campaign: Campaign, operator: Program) -> None:
    hypothesis = thought(campaign)
    dry = operator.post("experiments/validate", {"hypothesis": str(hypothesis.pk)}).json()
    made = operator.post("experiments/plan", {"hypothesis": str(hypothesis.pk)})
    assert made.status_code == 201, made.content
    experiment = Experiment.objects.get()
    assert made.json()["experiment_id"] == experiment.slug == dry["experiment_id"]
    assert (experiment.hypothesis, experiment.factor, experiment.to_value) == (hypothesis, "retrieval.top_k", 2)
    assert Hypothesis.objects.count() == 1
    again = operator.post("experiments/plan", {"hypothesis": str(hypothesis.pk)})
    assert (again.status_code, again.json()["error"]["details"]["experiment"]) == (409, experiment.slug)


def test_plan__from_a_queued_hypothesis__gives_it_a_campaign(campaign: Campaign, operator: Program) -> None:
    hypothesis = thought(None)
    made = operator.post("experiments/plan", {"hypothesis": str(hypothesis.pk)})
    assert (made.status_code, made.json()["campaign"]) == (201, campaign.number)


def test_plan__from_an_unknown_or_decided_hypothesis__is_refused(campaign: Campaign, operator: Program) -> None:
    assert operator.post("experiments/plan", {"hypothesis": str(uuid.uuid4())}).status_code == 404
    hypothesis = thought(campaign)
    Hypothesis.objects.update(status="confirmed", resolved_at=hypothesis.created_at)
    assert operator.post("experiments/plan", {"hypothesis": str(hypothesis.pk)}).status_code == 409


def test_plan__by_a_viewer__is_forbidden(campaign: Campaign) -> None:
    assert Program(Role.VIEWER).post("experiments/plan", {"spec": written()}).status_code == 403


def test_plan__sent_twice_with_one_key__is_one_experiment(campaign: Campaign, operator: Program) -> None:
    answers = [operator.post("experiments/plan", {"spec": written()}, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Experiment.objects.count() == 1


def test_start__of_a_planned_one__needs_the_meta_user_and_is_done_once(campaign: Campaign, operator: Program) -> None:
    operator.post("experiments/plan", {"spec": written()})
    path = "experiments/top_k_3_vs_2"
    assert operator.get(f"{path}/progress").json()["waits_for"] == "a person has to approve its start"
    assert operator.post(f"{path}/start").status_code == 403
    meta_user = Program()
    started = meta_user.post(f"{path}/start", {"comment": "go"})
    assert (started.status_code, started.json()["waits_for"]) == (200, "the campaign's next cycle")
    assert (Approval.objects.get().status, Approval.objects.get().comment) == ("approved", "go")
    assert meta_user.post(f"{path}/start").status_code == 409
    by_id = operator.get(f"experiments/{Experiment.objects.get().pk}/progress").json()
    assert by_id["experiment_id"] == "top_k_3_vs_2"


def test_stop__of_a_planned_one__closes_it_with_its_reason_once(campaign: Campaign, operator: Program) -> None:
    operator.post("experiments/plan", {"spec": written()})
    path = "experiments/top_k_3_vs_2/stop"
    assert operator.post(path, {"reason": ""}).status_code == 422
    assert Program(Role.VIEWER).post(path, {"reason": "no"}).status_code == 403
    stopped = operator.post(path, {"reason": "a better idea"}).json()
    assert stopped["status"] == "rejected"
    assert stopped["decision"].startswith("refused:")
    assert "a better idea" in stopped["decision_reason"]
    assert Approval.objects.get().status == "void"
    assert operator.post(path, {"reason": "again"}).status_code == 422
    assert Program().post("experiments/top_k_3_vs_2/start").status_code == 409


def test_progress__of_an_unknown_experiment__is_404(operator: Program) -> None:
    assert operator.get("experiments/none/progress").status_code == 404


def test_evaluate__before_there_is_a_verdict__is_409(campaign: Campaign, operator: Program) -> None:
    operator.post("experiments/plan", {"spec": written()})
    refused = operator.post("experiments/top_k_3_vs_2/evaluate")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ILLEGAL_TRANSITION")


def test_experiment__planned_and_started_over_http__runs_to_a_verdict_that_computes_again(
    db: None, tmp_path: Path
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=2, validation=52, golden=4))
    campaign = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    cycle_measured(campaign, number=1, recall=0.41)
    program = Program()
    program.post("experiments/plan", {"spec": written()})
    assert program.post("experiments/top_k_3_vs_2/start").status_code == 200
    # The campaign's next cycle, at the place where it takes up what was approved.
    measures = {"version": active_version().version, "validation": measured(0.41), "train": measured(0.41)}
    Cycle.objects.create(campaign=campaign, number=2, state=CycleState.ANALYZING, data=measures)
    for _ in range(2):
        campaign_advance(campaign_id=campaign.id, worker=Worker("w", get_client(), parallel=1))
    progress = program.get("experiments/top_k_3_vs_2/progress").json()
    assert progress["decision"], progress
    assert (progress["runs_done"], progress["runs_planned"], progress["waits_for"]) == (104, 104, "")
    assert progress["verdict"] == program.get("experiments/top_k_3_vs_2/results").json()["verdict"]
    again = program.post("experiments/top_k_3_vs_2/evaluate").json()
    assert (again["identical"], again["verdict"], again["difference"]) == (True, progress["verdict"], "")
