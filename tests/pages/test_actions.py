"""Goals, campaigns, parameters and incidents through the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign, LearningGoal
from hypotheses.services import hypothesis_register
from incidents.models import Incident
from manager.models import Approval
from manager.services.approvals import approval_approve
from tests.manager.world import ALICE, DATASET, Sizes, dataset_load
from tests.pages.world import incident_made
from tuner.selectors import active_version, is_frozen
from tuner.services import version_confirm_stable

GOAL = "Raise recall of memories to 60 % without losing precision"


def post(client: Client, name: str, *args: object, **data: str) -> str:
    return client.post(reverse(f"pages:{name}", args=args), data, follow=True).content.decode()


def test_goal__translated__is_shown_and_starts_nothing(operator: Client) -> None:
    text = post(operator, "goal_new", text=GOAL, do="translate")
    assert "recall ≥ .600" in text
    assert "precision" in text
    assert not LearningGoal.objects.exists()


def test_goal__no_data_set__says_how_to_get_one(meta_user: Client) -> None:
    text = post(meta_user, "goal_new", text=GOAL, do="translate")
    assert "manage.py load_dialogues" in text
    assert 'value="start"' not in text


def test_goal__started__becomes_a_running_campaign(meta_user: Client, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    text = post(
        meta_user, "goal_new", text=GOAL, do="start", dataset=DATASET, autonomy="semi_auto", cycles="3", dialogues="5"
    )
    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.max_cycles, campaign.dialogues_per_cycle) == ("running", 3, 5)
    assert f"Campaign {campaign.number} has begun." in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, ""),
        ({"text": "make me a sandwich"}, ""),
        ({"text": GOAL, "do": "start", "dataset": "no-such"}, "there is no data set"),
        ({"text": GOAL, "do": "start", "cycles": "-1"}, "a whole number from 1"),
        ({"text": GOAL, "do": "start", "autonomy": "skynet"}, "there is no autonomy level"),
    ],
)
def test_goal__not_understood__is_said_in_place(meta_user: Client, fields: dict[str, str], said: str) -> None:
    answer = meta_user.post(reverse("pages:goal_new"), fields)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="problem"' in text
    assert said in text
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_goal__forged_by_a_lower_role__is_refused(
    db: None, request: pytest.FixtureRequest, tmp_path: Path, who: str
) -> None:
    client: Client = request.getfixturevalue(who)
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    answer = client.post(reverse("pages:goal_new"), {"text": GOAL, "do": "start", "dataset": DATASET})
    assert (answer.status_code, LearningGoal.objects.count()) == (403, 0)


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("stop", "stopped")])
def test_campaign__operator__holds_or_ends_it(operator: Client, campaign: Campaign, verb: str, status: str) -> None:
    post(operator, "campaign_do", campaign.number, verb, reason="enough")
    campaign.refresh_from_db()
    assert campaign.status == status


def test_campaign__paused__goes_on(operator: Client, campaign: Campaign) -> None:
    post(operator, "campaign_do", campaign.number, "pause")
    assert "goes on" in post(operator, "campaign_do", campaign.number, "resume")


def test_campaign__impossible_step__is_said_not_raised(operator: Client, campaign: Campaign) -> None:
    post(operator, "campaign_do", campaign.number, "stop", reason="enough")
    text = post(operator, "campaign_do", campaign.number, "resume")
    assert 'class="error"' in text


def test_campaign__viewer__cannot_stop_it(viewer: Client, campaign: Campaign) -> None:
    answer = viewer.post(reverse("pages:campaign_do", args=[campaign.number, "stop"]), {"reason": "forged"})
    campaign.refresh_from_db()
    assert (answer.status_code, campaign.status) == (403, "running")


def test_rollback__reason__goes_back_to_the_stable_version(meta_user: Client, approval: Approval) -> None:
    approval_approve(approval_id=approval.id, actor=ALICE)
    assert active_version().version == 2
    text = post(meta_user, "rollback", reason="answers got worse", active="2")
    assert active_version().version == 1
    assert "version 1 is active" in text


def test_rollback__seen_version_no_longer_active__changes_nothing(meta_user: Client, approval: Approval) -> None:
    approval_approve(approval_id=approval.id, actor=ALICE)
    version_confirm_stable(version=2, actor=ALICE, reason="test")
    assert 'class="error"' in post(meta_user, "rollback", reason="late click", active="1")
    assert active_version().version == 2


def test_rollback__no_reason__is_asked_for(meta_user: Client, db: None) -> None:
    assert "needs a reason" in post(meta_user, "rollback", reason=" ")


def test_freeze__operator__stops_changes_and_meta_user_frees(operator: Client, meta_user: Client) -> None:
    post(operator, "freeze", reason="release day")
    assert is_frozen()
    answer = operator.post(reverse("pages:unfreeze"), {"reason": "forged"})
    assert (answer.status_code, is_frozen()) == (403, True)
    post(meta_user, "unfreeze", reason="released")
    assert not is_frozen()


def test_replay__stored_verdict__is_the_same(viewer: Client, approval: Approval) -> None:
    assert "the verdict is the same" in post(
        viewer, "experiment_replay", approval.experiment.slug, next=f"/experiments/{approval.experiment.slug}/"
    )


def test_replay__one_sample_altered__names_its_row(viewer: Client, approval: Approval) -> None:
    stored = ExperimentResult.objects.get(experiment_id=approval.experiment.slug)
    samples = [dict(row) for row in stored.samples]
    samples[1]["metrics"] = {**samples[1]["metrics"], "retrieval_recall": 0.123}
    stored.samples = samples
    stored.save()
    told = post(viewer, "experiment_replay", stored.experiment_id, next=f"/experiments/{stored.experiment_id}/")
    assert "The replay differs" in told
    assert samples[1]["example_id"] in told


def test_experiment__decided_after_the_verdict__shows_every_next_step_of_its_hypothesis(
    viewer: Client, approval: Approval
) -> None:
    made = hypothesis_register(
        campaign=approval.campaign, factor="retrieval.min_tag_overlap", from_value=1, to_value=2, base_version=1,
        metric="retrieval_recall", direction="increase", actor=ALICE, next_steps=["ask a person", "try another factor"],
    )  # fmt: skip
    Experiment.objects.filter(pk=approval.experiment_id).update(hypothesis=made)
    page = viewer.get(f"/experiments/{approval.experiment.slug}/").content.decode()
    assert "Next: ask a person." in page
    assert "Next: try another factor." in page


def test_incident__operator_says_what_was_done__is_resolved(operator: Client) -> None:
    incident = incident_made()
    post(operator, "incident_resolve", incident.pk, note="index rebuilt")
    assert Incident.objects.get(pk=incident.pk).status == "resolved"


def test_changes__filters__narrow(meta_user: Client, approval: Approval) -> None:
    approval_approve(approval_id=approval.id, actor=ALICE)
    inside = meta_user.get("/changes/?parameter=retrieval.min_tag_overlap&initiator=person:alice&only=changes")
    assert inside.content.decode().count('id="entry-') == 1
    outside = meta_user.get("/changes/?parameter=retrieval.top_k")
    assert "Nothing matches these filters." in outside.content.decode()
    assert meta_user.get("/changes/?since=nonsense&until=2020-13-45").status_code == 200
