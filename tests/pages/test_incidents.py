"""The page of incidents: what, since when, why, what was done; filters, links, acknowledge and resolve."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from contracts.actor import Role
from incidents.models import Incident
from incidents.services import incident_acknowledge, incident_open, incident_resolve
from manager.models import Approval
from manager.services.approvals import approval_approve
from selflearn_site.pages.views.incidents import done_by_itself
from tests.access.people import bearer
from tests.manager.world import ALICE
from tests.pages.test_queries import asked
from tests.pages.world import MANAGER, incident_made

PAGE = "/incidents/"


def shown(client: Client, query: str = "") -> str:
    return client.get(f"{PAGE}?{query}").content.decode()


def act(client: Client, what: str, incident: Incident, **given: str) -> str:
    address = reverse(f"pages:incident_{what}", args=[incident.pk])
    return client.post(address, {"next": PAGE, **given}, follow=True).content.decode()


def test_incident__version_of_an_experiment__links_to_both(viewer: Client, approval: Approval) -> None:
    approval_approve(approval_id=approval.id, actor=ALICE)
    incident_made()
    text = shown(viewer)
    assert "<h1>One incident is open.</h1>" in text
    assert reverse("pages:experiment", args=[approval.experiment.slug]) in text
    assert reverse("pages:parameters") in text
    assert "The last stable version is active again." in text
    assert "recall fell" in text


def test_acknowledge__by_an_operator__no_longer_waits_on_home_and_says_who(operator: Client) -> None:
    incident = incident_made()
    assert 'class="badge bad">1<' in operator.get("/").content.decode()
    text = act(operator, "acknowledge", incident, note="looking at the index")
    assert "No incident waits for anybody; one is being looked into." in text
    assert "looking at the index" in text
    home = operator.get("/").content.decode()
    assert "badge bad" not in home
    assert f"#incident-{incident.pk}" not in home
    assert reverse("pages:incident_acknowledge", args=[incident.pk]) not in shown(operator)


@pytest.mark.parametrize("what", ["acknowledge", "resolve"])
def test_act__by_a_viewer__is_refused_even_when_forged(viewer: Client, what: str) -> None:
    incident = incident_made()
    address = reverse(f"pages:incident_{what}", args=[incident.pk])
    assert address not in shown(viewer)
    assert viewer.post(address, {"note": "no"}).status_code == 403
    assert Incident.objects.get().status == "open"


def test_resolve__without_what_was_done__is_refused(operator: Client) -> None:
    incident = incident_made()
    assert "Say what was done" in act(operator, "resolve", incident)
    assert Incident.objects.get().status == "open"


def test_acknowledge__somebody_was_first__says_so(operator: Client) -> None:
    incident = incident_made()
    incident_acknowledge(incident_id=incident.pk, note="", actor=ALICE)
    assert "incident cannot go from acknowledged to acknowledged" in act(operator, "acknowledge", incident)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", {1, 2, 3}),
        ("status=resolved", {3}),
        ("status=open", {1, 2}),
        ("severity=critical", {2}),
        ("kind=safety", {2}),
        ("kind=safety&severity=warning", set()),
    ],
)
def test_filters__narrow_the_list(viewer: Client, query: str, numbers: set[int]) -> None:
    made = [
        incident_made(),
        incident_open(
            kind="safety", severity="critical", title="b", detail="", subject="safety:rls", actor=MANAGER
        ),
        incident_open(kind="degradation", severity="warning", title="c", detail="", subject="version:9", actor=MANAGER),
    ]  # fmt: skip
    incident_resolve(incident_id=made[2].pk, note="over", actor=ALICE)
    text = shown(viewer, query)
    assert {number for number, one in enumerate(made, 1) if f'id="incident-{one.pk}"' in text} == numbers
    assert numbers or "Nothing matches these filters." in text


def test_page__many_incidents__asks_as_many_queries_as_with_one(viewer: Client) -> None:
    incident_resolve(incident_id=incident_made().pk, note="over", actor=ALICE)
    incident_made()
    few = asked(viewer, PAGE)
    for number in range(9):
        one = incident_open(
            kind="degradation", severity="warning", title="t", detail="", subject=f"version:{number + 20}",
            actor=MANAGER,
        )  # fmt: skip
        if number % 2:
            incident_resolve(incident_id=one.pk, note="over", actor=ALICE)
    assert asked(viewer, PAGE) == few


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [
        ("degradation", "warning", "The last stable version is active again."),
        ("degradation", "critical", "Nothing was changed: a person must choose a version."),
        ("golden_seal", "critical", "The golden set is not asked while it differs from its seal."),
        ("judge_drift", "warning", ""),
    ],
)
def test_done_by_itself__kind__is_said(kind: str, severity: str, words: str) -> None:
    assert done_by_itself(kind, severity) == words


def test_api__acknowledged_twice_with_one_key__is_done_once_and_narrowed_by_subject(db: None) -> None:
    incident = incident_made()
    headers = bearer(Role.OPERATOR) | {"Idempotency-Key": "k-1"}
    path = f"/api/v1/incidents/{incident.pk}/acknowledge"
    answers = [
        Client().post(path, {"note": "looking"}, headers=headers, content_type="application/json") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(Incident.objects.get().timeline) == 2
    listed = Client().get("/api/v1/incidents?subject=version:2", headers=headers).json()
    assert (listed["count"], listed["items"][0]["status"]) == (1, "acknowledged")
    assert Client().get("/api/v1/incidents?subject=version:3", headers=headers).json()["count"] == 0
