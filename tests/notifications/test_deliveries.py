"""From what happened to the receiver: over real HTTP, with the log, the retries and the second sending."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from audit.models import AuditEntry
from contracts.actor import Actor
from incidents.models import Incident
from kernel.errors import Conflict, IllegalTransition, NotAuthorised, NotFound
from notifications.delivery.outcome import Outcome
from notifications.domain.retries import MOST_TRIES
from notifications.domain.signing import verified
from notifications.domain.targets import Kind
from notifications.models import Delivery, Notice
from notifications.services.channels import channel_change
from notifications.services.deliveries import deliveries_send, delivery_resend, notices_forget, notices_spread
from notifications.tasks import notifications_send
from tests.notifications.makers import ALICE, channel_made, incident_made
from tests.notifications.receivers import Answer, receiving, refusing_port

pytestmark = pytest.mark.django_db


def due_now() -> None:
    """As if the pause before the next try were over."""
    Delivery.objects.filter(status="waiting").update(next_try_at=timezone.now())


def only() -> Delivery:
    return Delivery.objects.get()


def test_incident__webhook__gets_it_signed_and_the_log_keeps_the_answer() -> None:
    with receiving(Answer(200, b"thanks")) as receiver:
        _channel, secret = channel_made(receiver.url)
        incident = incident_made()
        assert deliveries_send() == 1
    (got,) = receiver.got
    assert verified(secret=secret, headers=got.headers, body=got.body, now=timezone.now())
    body = json.loads(got.body)
    assert body["type"] == "incident.opened"
    assert body["data"]["title"] == "Incident: Version 2 was rolled back"
    assert body["data"]["severity"] == "warning"
    assert body["data"]["link"] == f"http://127.0.0.1:8000/incidents/#incident-{incident.pk}"
    assert body["data"]["facts"]["incident"] == incident.pk
    delivery = only()
    assert (delivery.status, delivery.tries, delivery.reason) == ("delivered", 1, "")
    assert {name: delivery.attempts[0][name] for name in ("status", "answer", "error")} == {
        "status": 200, "answer": "thanks", "error": "",
    }  # fmt: skip
    assert got.headers["webhook-id"] == str(delivery.id)


def test_incident__slack_in_russian__gets_the_words_of_the_channel() -> None:
    with receiving() as receiver:
        channel_made(receiver.url, kind=Kind.SLACK, language="ru")
        incident_made("Version <2> was rolled back")
        deliveries_send()
    text = json.loads(receiver.got[0].body)["text"]
    assert text.startswith("*Происшествие: ")
    assert "&lt;2&gt;" in text
    assert "webhook-signature" not in receiver.got[0].headers


def test_incident__seen_twice__is_told_once() -> None:
    with receiving() as receiver:
        channel_made(receiver.url)
        incident_made()
        incident_made()
        deliveries_send()
        deliveries_send()
    assert len(receiver.got) == 1


def test_incident__transaction_is_rolled_back__tells_nothing() -> None:
    with receiving() as receiver:
        channel_made(receiver.url)
        with pytest.raises(RuntimeError), transaction.atomic():
            incident_made()
            raise RuntimeError
        deliveries_send()
    assert not receiver.got
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({}, True),
        ({"events": ["incident.opened"]}, True),
        ({"events": ["approval.waiting"]}, False),
        ({"min_severity": "critical"}, False),
    ],
)
def test_spread__channel_with_choices__gets_what_it_chose(choice: dict[str, Any], told: bool) -> None:
    channel_made("https://example.org/x", **choice)
    incident_made()
    assert notices_spread() == int(told)


def test_spread__channel_made_later_or_switched_off__is_not_told() -> None:
    off, _secret = channel_made("https://example.org/off", name="off")
    channel_change(channel_id=off.pk, actor=ALICE, enabled=False)
    incident_made()
    Notice.objects.update(at=timezone.now() - timedelta(minutes=1))
    channel_made("https://example.org/later", name="later")
    assert notices_spread() == 0


def test_send__receiver_fails_and_comes_back__is_delivered_with_the_same_id() -> None:
    with receiving(Answer(500, b"boom"), Answer(503), Answer(200)) as receiver:
        channel_made(receiver.url)
        incident_made()
        assert deliveries_send() == 0
        first = only()
        assert (first.status, first.reason) == ("waiting", "the receiver answered 500")
        assert first.next_try_at > timezone.now() + timedelta(seconds=20)
        assert deliveries_send() == 0  # not due yet
        due_now()
        deliveries_send()
        due_now()
        assert deliveries_send() == 1
    assert [one["status"] for one in only().attempts] == [500, 503, 200]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


def test_send__receiver_never_answers_well__is_given_up_after_so_many_tries() -> None:
    with receiving(Answer(500)) as receiver:
        channel_made(receiver.url)
        incident_made()
        for _ in range(MOST_TRIES + 3):
            deliveries_send()
            due_now()
    assert len(receiver.got) == MOST_TRIES
    assert (only().status, only().reason) == ("failed", "the receiver answered 500")


def test_send__address_is_not_permitted__fails_at_once_and_says_why(settings: Any) -> None:
    with receiving() as receiver:
        channel_made(receiver.url)
        incident_made()
        settings.SELFLEARN_NOTIFY_NETWORKS = ()
        deliveries_send()
    assert not receiver.got
    assert only().status == "failed"
    assert "private address" in only().reason


def test_send__one_receiver_hangs__the_other_is_told_and_the_hanging_one_is_asked_once(settings: Any) -> None:
    settings.NOTIFY_TIMEOUT_SECONDS = 0.3
    with receiving(Answer(hangs=True)) as stuck, receiving() as well:
        channel_made(stuck.url, name="stuck")
        channel_made(well.url, name="well")
        for number in range(3):
            incident_made(f"trouble {number}")
        assert deliveries_send() == 3
    assert len(well.got) == 3
    assert len(stuck.got) == 1
    assert set(Delivery.objects.filter(channel__name="stuck").values_list("status", flat=True)) == {"waiting"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("receiver", ["hangs", "500", "refuses"])
def test_incident__receiver_hangs_fails_or_refuses__is_opened_without_asking_it(receiver: str) -> None:
    """What reports never speaks to a receiver: it leaves a row, and a task for a worker."""
    answer = Answer(hangs=True) if receiver == "hangs" else Answer(500)
    with receiving(answer) as there:
        url = f"http://127.0.0.1:{refusing_port()}/" if receiver == "refuses" else there.url
        channel_made(url)
        incident = incident_made()
        assert not there.got
    assert Incident.objects.filter(pk=incident.pk).exists()
    assert [task.func() for task in OrmQ.objects.all()] == ["notifications.tasks.notifications_send"]


@pytest.mark.django_db(transaction=True)
def test_incident__queue_is_lost__is_opened_and_found_by_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("notifications.services.outbox.async_task", lost)
    with receiving() as receiver:
        channel_made(receiver.url)
        incident_made()
        assert notifications_send() == 1
    assert len(receiver.got) == 1


def test_send__sender_has_a_defect__is_logged_tried_again_and_harms_no_other_channel() -> None:
    first, _secret = channel_made("https://example.org/a", name="a")
    channel_made("https://example.org/b", name="b")
    incident_made()

    def broken(delivery: Delivery) -> Outcome:
        if delivery.channel_id == first.pk:
            raise ValueError("secret in here")
        return Outcome(sent=True, status=200)

    assert deliveries_send(send=broken) == 1
    failed = Delivery.objects.get(channel=first)
    assert (failed.status, failed.reason) == ("waiting", "unexpected ValueError")


def test_send__worker_died_while_sending__is_taken_up_when_its_lease_is_out() -> None:
    with receiving() as receiver:
        channel_made(receiver.url)
        incident_made()
        notices_spread()
        Delivery.objects.update(status="sending", tries=1, lease_until=timezone.now() + timedelta(seconds=30))
        assert deliveries_send() == 0
        Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert deliveries_send() == 1
    assert only().tries == 2


def test_send__lease_was_taken_over_meanwhile__changes_nothing() -> None:
    channel_made("https://example.org/a")
    incident_made()

    def overtaken(delivery: Delivery) -> Outcome:
        Delivery.objects.filter(pk=delivery.pk).update(tries=delivery.tries + 1)
        return Outcome(sent=True, status=200)

    deliveries_send(send=overtaken)
    assert (only().status, only().attempts) == ("sending", [])


@pytest.mark.django_db(transaction=True)
def test_send__by_four_workers_at_once__tells_each_thing_once() -> None:
    with receiving() as receiver:
        channel_made(receiver.url)
        for number in range(8):
            incident_made(f"trouble {number}")

        def run() -> None:
            try:
                deliveries_send()
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(json.loads(got.body)["data"]["facts"]["title"] for got in receiver.got) == [
        f"trouble {number}" for number in range(8)
    ]


def test_task__another_worker_is_at_it__leaves_it_alone() -> None:
    from django.core.cache import cache

    channel_made("https://example.org/a")
    incident_made()
    cache.add("notifications-sender", "another", timeout=30)
    assert notifications_send() == 0
    assert not Delivery.objects.exists()
    cache.delete("notifications-sender")


def test_resend__given_up__is_sent_again_with_its_id_and_audited(bob: Actor) -> None:
    with receiving(Answer(500)) as receiver:
        channel_made(receiver.url)
        incident_made()
        deliveries_send()
        Delivery.objects.update(status="failed", ended_at=timezone.now(), tries=8)
        receiver._answers[:] = [Answer(200)]
        delivery_resend(delivery_id=only().id, actor=bob)
        assert deliveries_send() == 1
    assert [one["status"] for one in only().attempts] == [500, 200]
    entry = AuditEntry.objects.get(action="notification.resent")
    assert (entry.actor, entry.before) == ("bob", {"status": "failed"})
    assert entry.after == {"status": "waiting", "channel": "duty", "event": "incident.opened"}


def test_resend__on_its_way_unknown_off_or_by_a_viewer__is_refused(bob: Actor, charlie: Actor) -> None:
    channel, _secret = channel_made("https://example.org/a")
    incident_made()
    notices_spread()
    with pytest.raises(IllegalTransition):
        delivery_resend(delivery_id=only().id, actor=bob)
    with pytest.raises(NotAuthorised):
        delivery_resend(delivery_id=only().id, actor=charlie)
    with pytest.raises(NotFound):
        delivery_resend(delivery_id=uuid.uuid4(), actor=bob)
    Delivery.objects.update(status="failed", ended_at=timezone.now())
    channel_change(channel_id=channel.pk, actor=ALICE, enabled=False)
    with pytest.raises(Conflict):
        delivery_resend(delivery_id=only().id, actor=bob)


def test_send__channel_was_switched_off__is_not_sent_and_says_so() -> None:
    with receiving() as receiver:
        channel, _secret = channel_made(receiver.url)
        incident_made()
        notices_spread()
        channel_change(channel_id=channel.pk, actor=ALICE, enabled=False)
        deliveries_send()
    assert not receiver.got
    assert (only().status, only().reason) == ("not_sent", "not sent: the channel is switched off")


def test_forget__old_notices__go_unless_one_is_on_its_way() -> None:
    channel_made("https://example.org/a")
    incident_made("old and sent")
    incident_made("old and waiting")
    incident_made("young")
    notices_spread()
    old = Notice.objects.filter(facts__title__startswith="old")
    old.update(at=timezone.now() - timedelta(days=91))
    Delivery.objects.filter(notice__facts__title="old and sent").update(status="delivered", ended_at=timezone.now())
    assert notices_forget() == 1
    assert set(Notice.objects.values_list("facts__title", flat=True)) == {"old and waiting", "young"}
