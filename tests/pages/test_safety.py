"""The page of safety checks, and the same over HTTP."""

from __future__ import annotations

import pytest
from django.test import Client

from contracts.actor import Actor, Role
from contracts.maas import SafetyFinding
from incidents.models import SafetyRun
from manager.services.checks import safety_begin, safety_run
from tests.access.people import bearer

pytestmark = pytest.mark.django_db
BAD = SafetyFinding(name="tenant isolation", ok=False, detail="user 1 sees 2 rows of others")


def test_safety__never_made__says_so_and_offers_it_to_an_operator(operator: Client, viewer: Client) -> None:
    text = operator.get("/safety/").content.decode()
    assert "<h1>Safety has not been checked yet.</h1>" in text
    assert "Check now" in text
    assert "Check now" not in viewer.get("/safety/").content.decode()


def test_safety__one_fails__is_named_first_with_what_was_found(viewer: Client, bob: Actor) -> None:
    safety_run(actor=bob, student=lambda: [BAD])
    text = viewer.get("/safety/").content.decode()
    assert "<h1>1 safety check fails: tenant isolation.</h1>" in text
    assert text.index("user 1 sees 2 rows of others") < text.index("Golden seal")
    assert "1 of 5 checks failed" in text


def test_safety__all_hold__says_how_many(viewer: Client, bob: Actor) -> None:
    safety_run(actor=bob, student=list)
    assert "<h1>All 4 safety checks hold.</h1>" in viewer.get("/safety/").content.decode()


def test_safety__asked_for_on_the_page__shows_its_progress(operator: Client) -> None:
    text = operator.post("/safety/run/", follow=True).content.decode()
    assert SafetyRun.objects.get().started_by == "person:bob"
    assert "<progress" in text
    assert "Waits for a worker" in text
    assert "Check now" not in text


def test_safety__asked_for_by_a_viewer__is_refused(viewer: Client) -> None:
    assert viewer.post("/safety/run/").status_code == 403
    assert not SafetyRun.objects.exists()


def test_safety__over_http__has_results_history_and_a_run_now(bob: Actor) -> None:
    client, headers = Client(), bearer(Role.OPERATOR)
    assert client.get("/api/v1/safety", headers=headers).json() == {"holds": None, "checks": [], "run": None}
    safety_run(actor=bob, student=lambda: [BAD])
    body = client.get("/api/v1/safety", headers=headers).json()
    assert (body["holds"], body["run"]["state"], len(body["checks"])) == (False, "completed", 5)
    begun = client.post("/api/v1/safety/run", headers=headers)
    assert begun.status_code == 202
    assert client.post("/api/v1/safety/run", headers=headers).status_code == 409
    assert len(client.get("/api/v1/safety/runs", headers=headers).json()["items"]) == 2
    one = client.get(f"/api/v1/safety/runs/{body['run']['id']}", headers=headers).json()
    assert [item["name"] for item in one["results"] if not item["ok"]] == ["tenant isolation"]


def test_safety_run__over_http_by_a_viewer__is_forbidden(bob: Actor) -> None:
    safety_begin(actor=bob)
    assert Client().post("/api/v1/safety/run", headers=bearer(Role.VIEWER)).status_code == 403
    assert SafetyRun.objects.count() == 1
