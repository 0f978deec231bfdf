"""How much a campaign depends on what it believed at the start; an experiment by hand, through the whole product."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.goal import Autonomy
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign
from hypotheses.models import Hypothesis
from maas import parameters
from maas.client import get_client
from manager.engine import analyzing
from manager.foreground import campaign_follow
from manager.models import Policy
from manager.services.approvals import approval_approve
from manager.services.importing import spec_import
from manager.services.policy import policy_current
from teacher.designer.knowledge import STRONG, Effect
from teacher.models import StepObservation
from teacher.services import verdict_replay
from tests.manager.made_up import step_on
from tests.manager.planted import AFTER, BEFORE, DATASET, FACTOR, Mix, planted_goal, planted_load
from tests.manager.story import databases_empty
from tests.manager.world import ALICE, campaign_make
from tuner.selectors import active_version, version_values

pytestmark = pytest.mark.django_db(transaction=True)

METRIC = "retrieval_recall"
OTHERS = ("retrieval.keyword_count", "retrieval.min_score", "context.recent_exchanges", "context.max_tokens")
INFORMED: Mapping[Effect, float] = {(METRIC, FACTOR, "up"): STRONG}


def campaign_on_planted(folder: Path, *, cycles: int) -> Campaign:
    mix: Mix = [("crowded_out", 66)]
    planted_load(folder, train=[("crowded_out", 12)], validation=mix, golden=[("crowded_out", 10)])
    translation = planted_goal(METRIC, keep="retrieval_precision").model_copy(
        update={"allowed_impacts": (FACTOR, *OTHERS)}
    )
    return campaign_make(
        autonomy=Autonomy.FULL_AUTO, cycles=cycles, dialogues=4, translation=translation, dataset=DATASET
    )


def course(folder: Path, starting: Mapping[Effect, float], monkeypatch: pytest.MonkeyPatch) -> tuple[int | None, float]:
    """The cycle that applied the planted step, and the golden recall at the campaign's end."""
    databases_empty()
    parameters.forget()
    policy_current()
    Policy.objects.update(screening_steps=2)
    monkeypatch.setattr(analyzing, "STARTING", starting)
    campaign = campaign_on_planted(folder, cycles=6)
    campaign_follow(campaign_id=campaign.id, client=get_client())
    campaign.refresh_from_db()
    applied = campaign.experiments.filter(factor=FACTOR, decision="applied").first()
    return (applied.cycle if applied else None), float((campaign.golden_after or {})["metrics"][METRIC])


def test_campaign__misled_at_the_start__reaches_the_gain_all_the_same_only_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believed = {**INFORMED, (METRIC, "retrieval.min_score", "up"): STRONG / 2, (METRIC, FACTOR, "down"): STRONG / 3}
    elsewhere = {(METRIC, factor, move): gain for (factor, move), gain in
                 zip(((OTHERS[0], "up"), (OTHERS[0], "down"), (OTHERS[2], "up"), (OTHERS[2], "down")),
                     (*believed.values(), STRONG), strict=True)}  # fmt: skip

    found, gained = course(tmp_path, believed, monkeypatch)
    found_later, gained_later = course(tmp_path, elsewhere, monkeypatch)

    assert (found, gained) == (1, 1.0)
    assert found_later is not None
    assert found_later > 1
    assert gained_later >= 0.8 * gained
    assert StepObservation.objects.filter(source="experiment", factor=FACTOR, metric=METRIC).count() == 1


def test_experiment_by_hand__approved__is_run_by_the_next_cycle_to_its_verdict(tmp_path: Path) -> None:
    campaign = campaign_on_planted(tmp_path, cycles=1)
    while not campaign.cycles.exists() or campaign.cycles.get().state != "ANALYZING":
        step_on(campaign)
    done = spec_import(text=json.dumps(spec()), actor=ALICE, because="one shared word is little")
    approval_approve(approval_id=done.approval.id, actor=ALICE)

    campaign_follow(campaign_id=campaign.id, client=get_client())

    experiment = Experiment.objects.get()
    assert (experiment.slug, experiment.decision) == ("by-hand", "applied")
    assert ExperimentResult.objects.get(experiment_id="by-hand").golden["passed"] is True
    assert Hypothesis.objects.get(related_experiments=["by-hand"]).status == "confirmed"
    assert version_values(active_version().version)[FACTOR] == AFTER
    assert verdict_replay(slug="by-hand").identical


def test_experiment_by_hand__not_approved__is_not_run(tmp_path: Path) -> None:
    campaign = campaign_on_planted(tmp_path, cycles=1)
    while not campaign.cycles.exists() or campaign.cycles.get().state != "ANALYZING":
        step_on(campaign)
    spec_import(text=json.dumps(spec()), actor=ALICE)

    campaign_follow(campaign_id=campaign.id, client=get_client())

    assert Experiment.objects.get(slug="by-hand").started_at is None
    assert not campaign.experiments.filter(factor=FACTOR).exclude(slug="by-hand").exists()


def spec() -> dict[str, Any]:
    return {
        "type": "experiment_spec",
        "experiment_id": "by-hand",
        "variants": [
            {"name": "baseline", "params": {FACTOR: BEFORE}},
            {"name": "variant", "params": {"min_tag_overlap": AFTER}},
        ],
        "success_criteria": [{"metric": METRIC, "direction": "increase", "min_delta": 0.05}],
    }
