"""Channels: who may make them, what is refused, and that no secret is kept, shown again or logged."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotAuthorised
from notifications.domain.signing import verified
from notifications.domain.targets import Kind
from notifications.models import Channel, Delivery
from notifications.services.channels import channel_change, channel_create, channel_secret_renew, channel_test
from notifications.services.deliveries import deliveries_send
from tests.access.people import client_of, person
from tests.notifications.makers import ALICE, channel_made, incident_made
from tests.notifications.receivers import receiving

pytestmark = pytest.mark.django_db
KEY_IN_IT = "https://hooks.example.org/services/T0/key-in-it"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_channel__below_meta_user__cannot_be_made_or_changed(role: Role) -> None:
    other = Actor(kind="person", name="olga", role=role)
    channel, _secret = channel_made("https://example.org/x")
    with pytest.raises(NotAuthorised):
        channel_create(name="b", kind=Kind.WEBHOOK, address="https://example.org/x", actor=other)
    with pytest.raises(NotAuthorised):
        channel_change(channel_id=channel.pk, actor=other, enabled=False)
    with pytest.raises(NotAuthorised):
        channel_secret_renew(channel_id=channel.pk, actor=other)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"address": "https://169.254.169.254/latest"}, "address"),
        ({"address": "http://[fe80::1]/x"}, "address"),
        ({"address": "https://10.0.0.1/x"}, "address"),
        ({"address": "mailto:a@b.org"}, "address"),
        ({"events": ["no.such"]}, "events"),
        ({"min_severity": "loud"}, "min_severity"),
        ({"language": "de"}, "language"),
    ],
)
def test_channel__wrong_input__is_refused_by_field(given: dict[str, Any], field: str) -> None:
    right: dict[str, Any] = {"name": "a", "kind": Kind.WEBHOOK, "address": "https://example.org/x", "actor": ALICE}
    with pytest.raises(InvalidInput) as error:
        channel_create(**{**right, **given})
    assert error.value.details["field"] == field
    assert not Channel.objects.exists()


def test_channel__name_is_taken__is_a_conflict() -> None:
    channel_made("https://example.org/x")
    with pytest.raises(Conflict):
        channel_made("https://example.org/y")


def test_channel__made_and_changed__is_audited_without_what_may_be_a_key() -> None:
    channel, secret = channel_made(KEY_IN_IT)
    channel_change(channel_id=channel.pk, actor=ALICE, address=f"{KEY_IN_IT}-2", enabled=False, reason="moved")
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == ["channel.created", "channel.changed"]
    told = json.dumps([[entry.before, entry.after] for entry in entries])
    assert "https://hooks.example.org/…" in json.loads(json.dumps(entries[0].after))["address"]
    assert "key-in-it" not in told
    assert secret not in told


def test_secret__of_a_webhook__is_in_no_table() -> None:
    _channel, secret = channel_made("https://example.org/x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM notification_channels c")
        stored = "".join(row[0] for row in cursor.fetchall())
    assert secret.removeprefix("whsec_") not in stored


def test_secret__renewed__signs_from_now_on_and_the_old_one_does_not() -> None:
    with receiving() as receiver:
        channel, old = channel_made(receiver.url)
        _channel, new = channel_secret_renew(channel_id=channel.pk, actor=ALICE)
        incident_made()
        deliveries_send()
    (got,) = receiver.got
    now = timezone.now()
    assert verified(secret=new, headers=got.headers, body=got.body, now=now)
    assert not verified(secret=old, headers=got.headers, body=got.body, now=now)


def test_delivery__that_fails__logs_and_keeps_neither_key_nor_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving() as receiver:
        url = receiver.url + "/key-in-it"
        _channel, secret = channel_made(url)
    incident_made()
    deliveries_send()
    kept = json.dumps(list(Delivery.objects.values_list("attempts", "reason", "status")))
    assert "waiting" in kept
    for place in (kept, caplog.text):
        assert "key-in-it" not in place
        assert secret.removeprefix("whsec_") not in place


def test_test_message__of_a_channel_that_chose_other_events__is_sent_to_it_alone(bob: Actor) -> None:
    with receiving() as receiver:
        channel, _secret = channel_made(receiver.url, events=["campaign.failed"], min_severity="critical")
        channel_made(f"{receiver.url}/other", name="other")
        channel_test(channel_id=channel.pk, actor=bob)
        assert deliveries_send() == 1
    assert json.loads(receiver.got[0].body)["type"] == "test"


def test_test_message__by_a_viewer_or_switched_off__is_refused(charlie: Actor, bob: Actor) -> None:
    channel, _secret = channel_made("https://example.org/x")
    with pytest.raises(NotAuthorised):
        channel_test(channel_id=channel.pk, actor=charlie)
    channel_change(channel_id=channel.pk, actor=ALICE, enabled=False)
    with pytest.raises(Conflict):
        channel_test(channel_id=channel.pk, actor=bob)


# --- the admin -------------------------------------------------------------------------------------------------------

FORM = {"name": "duty", "kind": "webhook", "address": KEY_IN_IT, "min_severity": "info", "language": "en"}


@pytest.fixture
def meta_user(db: None) -> Client:
    return client_of(person("vera", Role.META_USER))


def made_in_admin(client: Client, **given: str) -> str:
    answer = client.post(reverse("admin:notifications_channel_add"), FORM | given, follow=True)
    return answer.content.decode()


def test_admin__channel_made__shows_its_secret_once(meta_user: Client) -> None:
    page = made_in_admin(meta_user)
    secret = page.split('id="secret"')[1].split(">")[1].split("<")[0]
    assert secret.startswith("whsec_")
    channel = Channel.objects.get()
    later = meta_user.get(reverse("admin:notifications_channel_change", args=[channel.pk])).content.decode()
    assert secret not in later
    assert "key-in-it" not in later
    assert "https://hooks.example.org/…" in later


def test_admin__address_left_empty__stays_and_the_rest_changes(meta_user: Client) -> None:
    made_in_admin(meta_user)
    channel = Channel.objects.get()
    form = {"address": "", "min_severity": "critical", "language": "ru", "enabled": "on", "events": "incident.opened"}
    meta_user.post(reverse("admin:notifications_channel_change", args=[channel.pk]), form)
    channel.refresh_from_db()
    assert (channel.address, channel.min_severity, channel.language) == (KEY_IN_IT, "critical", "ru")
    assert channel.events == ["incident.opened"]


def test_admin__forbidden_address__is_said_and_nothing_is_made(meta_user: Client) -> None:
    page = made_in_admin(meta_user, address="https://169.254.169.254/latest")
    assert "link-local, metadata or reserved" in page
    assert not Channel.objects.exists()


def test_admin__secret_renewed_by_a_click__is_shown_once(meta_user: Client) -> None:
    first = made_in_admin(meta_user)
    address = reverse("admin:notifications_channel_renew_secret", args=[Channel.objects.get().pk])
    asked = meta_user.get(address).content.decode()
    assert "whsec_" not in asked
    page = meta_user.post(address).content.decode()
    secret = page.split('id="secret"')[1].split(">")[1].split("<")[0]
    assert secret not in first


def test_admin__operator__may_not_make_a_channel(db: None) -> None:
    client = client_of(person("oleg", Role.OPERATOR))
    assert client.get(reverse("admin:notifications_channel_add")).status_code == 403
    client.post(reverse("admin:notifications_channel_add"), FORM)
    assert not Channel.objects.exists()
