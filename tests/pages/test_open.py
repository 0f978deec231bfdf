"""Each page opens: on an empty database, on a filled one, for each role, and for nobody without one."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from goals.models import Campaign
from manager.models import Approval
from tests.access.people import client_of, person
from tests.pages.world import incident_made

LISTS = (
    "home", "goals", "goal_new", "experiments", "hypotheses", "approvals", "parameters", "changes", "reports",
    "incidents", "tests", "telemetry", "teacher", "hypotheses_map", "runs", "system", "analytics",
    "memories", "scenarios", "cycles", "factors", "notifications", "policy", "safety",
)  # fmt: skip


def address(name: str, *args: object) -> str:
    return reverse(f"pages:{name}", args=args)


def details(approval: Approval) -> list[str]:
    number = approval.campaign.number
    slug = approval.experiment.slug
    return [
        address("campaign", number),
        address("campaign_chart", number),
        address("campaign_csv", number),
        address("experiment", slug),
        address("experiment_export", slug),
        address("report", number),
        address("report", number) + "?format=md",
        address("report_document", number),
        address("cycle_report", number, 1),
        address("factor", "retrieval.top_k"),
        address("factor", "prompts.responder"),
    ]


@pytest.mark.parametrize("name", LISTS)
def test_page__empty_database__opens(meta_user: Client, name: str) -> None:
    answer = meta_user.get(address(name))
    assert answer.status_code == 200
    assert "<h1>" in answer.content.decode()


def test_home__empty_database__offers_a_first_goal(meta_user: Client) -> None:
    text = meta_user.get("/").content.decode()
    assert 'id="first-goal"' in text
    assert "Raise recall of memories to 60 % without losing precision" in text


@pytest.mark.parametrize("name", LISTS)
def test_page__filled_database__opens_for_a_viewer(viewer: Client, approval: Approval, name: str) -> None:
    incident_made()
    assert viewer.get(address(name)).status_code == 200


def test_details__filled_database__open_for_a_viewer(viewer: Client, approval: Approval) -> None:
    opened = {path: viewer.get(path).status_code for path in details(approval)}
    assert set(opened.values()) == {200}, opened


def test_home__campaign__shows_news_metrics_and_what_waits(meta_user: Client, approval: Approval) -> None:
    text = meta_user.get("/").content.decode()
    assert "<h1>Recall is rising; precision holds. One change waits for you.</h1>" in text
    assert ".520" in text
    assert f'id="approval-{approval.id}"' in text


def test_campaign_chart__measured__has_values_target_and_versions(viewer: Client, campaign: Campaign) -> None:
    figure = viewer.get(address("campaign_chart", campaign.number)).json()
    curve = next(trace for trace in figure["data"] if trace.get("name") == "recall")
    assert curve["y"] == [0.41, 0.52]
    assert any("target ≥ .950" in note["text"] for note in figure["layout"]["annotations"])


def test_experiment__verdict__shows_arms_interval_and_reason(viewer: Client, approval: Approval) -> None:
    text = viewer.get(address("experiment", approval.experiment.slug)).content.decode()
    assert "proved; it waits for a decision." in text
    assert '<svg class="interval good"' in text
    assert "retrieval.min_tag_overlap" in text


def test_page__nobody_signed_in__asks_to_sign_in(db: None) -> None:
    answer = Client().get("/approvals/")
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/login/?next=/approvals/"


def test_page__person_without_role__is_refused(db: None) -> None:
    answer = client_of(person("dora", staff=False)).get("/")
    assert answer.status_code == 403
    assert "Your role does not allow this." in answer.content.decode()


@pytest.mark.parametrize("path", ["/campaigns/99/", "/experiments/no-such/", "/reports/99/"])
def test_page__unknown_thing__says_so(viewer: Client, path: str) -> None:
    answer = viewer.get(path)
    assert answer.status_code == 404
    assert "There is nothing here." in answer.content.decode()


def test_page__any__forbids_foreign_scripts(viewer: Client) -> None:
    answer = viewer.get("/")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "<script>" not in answer.content.decode()
