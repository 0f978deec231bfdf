"""The page of notifications: channels, the delivery log, the two buttons; and the same over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.translation import override

from contracts.actor import Role
from notifications.domain.addresses import networks_read
from notifications.links import path_of
from notifications.models import Channel, Delivery, Notice
from notifications.services.deliveries import deliveries_send
from selflearn_site.pages.views.notifications import notifications_news
from tests.access.people import bearer
from tests.notifications.makers import channel_made, incident_made
from tests.notifications.receivers import Answer, receiving
from tests.pages.test_queries import asked

PAGE = "/notifications/"


@pytest.fixture
def told(db: None, settings: Any) -> Delivery:
    """One incident that a webhook was told of, and answered badly at last."""
    settings.SELFLEARN_NOTIFY_NETWORKS = networks_read("127.0.0.0/8")
    with receiving(Answer(500, b"<script>boom</script>")) as receiver:
        channel_made(f"{receiver.url}/key-in-it")
        incident_made()
        deliveries_send()
    Delivery.objects.update(status="failed", ended_at=timezone.now())
    return Delivery.objects.select_related("notice").get()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"channels": 0, "failed": 0, "waiting": 0}, "Nobody is told outside the site: there is no channel yet."),
        ({"channels": 1, "failed": 0, "waiting": 0}, "One channel: everything was delivered."),
        ({"channels": 2, "failed": 1, "waiting": 0}, "Two channels: one message failed within a week."),
        (
            {"channels": 2, "failed": 3, "waiting": 1},
            "Two channels: three messages failed within a week, one message is on its way.",
        ),
    ],
)
def test_news__state__is_said_in_a_sentence(given: dict[str, int], said: str) -> None:
    assert notifications_news(**given) == said


def test_news__in_russian__has_its_plural() -> None:
    with override("ru"):
        assert notifications_news(channels=5, failed=0, waiting=0) == "5 каналов: всё доставлено."


def test_page__delivery_that_failed__shows_answer_and_offers_to_send_again(operator: Client, told: Delivery) -> None:
    text = operator.get(PAGE).content.decode()
    assert "<h1>One channel: one message failed within a week.</h1>" in text
    assert "Incident: Version 2 was rolled back" in text
    assert "&lt;script&gt;boom" in text
    assert "key-in-it" not in text
    assert reverse("pages:notification_resend", args=[told.pk]) in text


def test_page__in_russian__says_why_it_failed_in_russian(viewer: Client, told: Delivery) -> None:
    text = viewer.get(PAGE, headers={"accept-language": "ru"}).content.decode()
    assert "получатель ответил 500" in text
    assert "Происшествие: Версия 2 откачена" in text


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("event=incident.opened", True),
        ("event=campaign.failed", False),
        ("severity=critical", False),
        ("status=failed", True),
        ("status=nobody", False),
        ("channel=duty", True),
        ("channel=none", False),
        ("severity=warning&status=failed&channel=duty", True),
    ],
)
def test_page__filter__narrows_the_log(viewer: Client, told: Delivery, query: str, there: bool) -> None:
    text = viewer.get(f"{PAGE}?{query}").content.decode()
    assert (f'id="notice-{told.notice_id}"' in text) is there
    assert there or "Nothing matches these filters." in text


def test_resend__by_an_operator__queues_it_and_by_a_viewer_does_not(
    operator: Client, viewer: Client, told: Delivery
) -> None:
    address = reverse("pages:notification_resend", args=[told.pk])
    assert viewer.post(address).status_code == 403
    assert Delivery.objects.get().status == "failed"
    answer = operator.post(address, {"next": PAGE}, follow=True)
    assert "It is on its way again" in answer.content.decode()
    assert Delivery.objects.get().status == "waiting"


def test_test_message__by_an_operator__is_queued(operator: Client, viewer: Client, told: Delivery) -> None:
    address = reverse("pages:notification_test", args=[Channel.objects.get().pk])
    assert viewer.post(address).status_code == 403
    operator.post(address)
    assert Delivery.objects.filter(notice__event="test", status="waiting").count() == 1


def test_page__many_notices__asks_as_many_queries_as_with_one(viewer: Client, told: Delivery) -> None:
    few = asked(viewer, PAGE)
    for number in range(8):
        channel_made("https://example.org/x", name=f"more-{number}")
    for number in range(8):
        incident_made(f"trouble {number}")
    deliveries_send(send=lambda _delivery: (_ for _ in ()).throw(OSError()))
    assert asked(viewer, PAGE) == few


@pytest.mark.parametrize("subject", ["incident:5", "approval:abc", "campaign:3", "experiment:e-1", "version:2", "x:1"])
def test_link__of_every_subject__is_an_address_of_the_site(subject: str) -> None:
    assert resolve(path_of(subject).partition("#")[0]).app_name == "pages"


@pytest.fixture
def roles(db: None) -> dict[Role, dict[str, str]]:
    """A token of each role, as headers."""
    return {role: bearer(role) for role in (Role.VIEWER, Role.OPERATOR)}


def got(path: str, headers: dict[str, str]) -> Any:
    return Client().get(f"/api/v1/{path}", headers=headers)


def test_api__list__tells_what_was_sent_and_answered_without_keys(
    roles: dict[Role, dict[str, str]], told: Delivery
) -> None:
    answer = got("notifications?status=failed", roles[Role.VIEWER])
    (item,) = answer.json()["items"]
    assert (item["id"], item["event"], item["severity"]) == (str(told.pk), "incident.opened", "warning")
    assert item["attempts"][0]["status"] == 500
    assert item["title"] == "Incident: Version 2 was rolled back"
    assert "key-in-it" not in answer.content.decode()
    assert got("notifications?event=campaign.failed", roles[Role.VIEWER]).json()["count"] == 0
    assert got(f"notifications/{told.pk}", roles[Role.VIEWER]).json() == item


def test_api__channels__are_listed_without_keys(roles: dict[Role, dict[str, str]], told: Delivery) -> None:
    answer = got("notifications/channels", roles[Role.VIEWER])
    assert answer.json()["items"][0]["target"].endswith("/…")
    assert "key-in-it" not in answer.content.decode()


def test_api__resend__is_done_once_for_one_key(roles: dict[Role, dict[str, str]], told: Delivery) -> None:
    path = f"/api/v1/notifications/{told.pk}/resend"
    once = roles[Role.OPERATOR] | {"Idempotency-Key": "k1"}
    assert [Client().post(path, headers=once).status_code for _ in range(2)] == [200, 200]
    assert Client().post(path, headers=roles[Role.OPERATOR]).status_code == 409


def test_api__test_message__is_queued_for_its_channel(roles: dict[Role, dict[str, str]], told: Delivery) -> None:
    place = f"/api/v1/notifications/channels/{Channel.objects.get().pk}/test"
    answer = Client().post(place, headers=roles[Role.OPERATOR])
    assert (answer.status_code, answer.json()["event"]) == (200, "test")
    assert Notice.objects.filter(event="test").count() == 1
    unknown = Client().post("/api/v1/notifications/channels/404/test", headers=roles[Role.OPERATOR])
    assert unknown.status_code == 404
