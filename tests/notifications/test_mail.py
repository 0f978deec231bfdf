"""E-mail over a real SMTP server on this machine, and without one."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.delivery.mail import NO_SERVER
from notifications.domain.targets import Kind
from notifications.models import Delivery
from notifications.services.deliveries import deliveries_send, delivery_resend
from tests.notifications.makers import ALICE, channel_made, incident_made
from tests.notifications.receivers import mail_server, refusing_port

pytestmark = pytest.mark.django_db


def smtp_set(settings: Any, port: int, host: str = "127.0.0.1") -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.DEFAULT_FROM_EMAIL = "selflearn@example.org"
    settings.EMAIL_TIMEOUT = 2


def test_mail__server_takes_it__arrives_at_all_addresses_in_the_channels_language(settings: Any) -> None:
    with mail_server() as (mailbox, port):
        smtp_set(settings, port)
        channel_made("anna@example.org, boris@example.org", kind=Kind.EMAIL, language="ru")
        incident = incident_made()
        assert deliveries_send() == 1
    ((recipients, letter),) = mailbox.got
    assert recipients == ["anna@example.org", "boris@example.org"]
    assert letter["Subject"].strip() == "[Selflearn] Происшествие: Версия 2 откачена"
    assert letter["From"] == "selflearn@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert f"/incidents/#incident-{incident.pk}" in letter.get_content()
    assert letter["Message-ID"] == f"<{Delivery.objects.get().id}@selflearn>"


def test_mail__sent_again__has_the_id_that_it_had(settings: Any) -> None:
    with mail_server() as (mailbox, port):
        smtp_set(settings, port)
        channel_made("anna@example.org", kind=Kind.EMAIL)
        incident_made()
        deliveries_send()
        delivery_resend(delivery_id=Delivery.objects.get().id, actor=ALICE)
        deliveries_send()
    assert len({letter["Message-ID"] for _recipients, letter in mailbox.got}) == 1
    assert len(mailbox.got) == 2


def test_mail__title_with_a_line_break__cannot_add_a_header(settings: Any) -> None:
    with mail_server() as (mailbox, port):
        smtp_set(settings, port)
        channel_made("anna@example.org", kind=Kind.EMAIL)
        incident_made("broken\r\nBcc: mallory@example.org")
        assert deliveries_send() == 1
    ((recipients, letter),) = mailbox.got
    assert recipients == ["anna@example.org"]
    assert letter["Bcc"] is None


@pytest.mark.parametrize(("refusal", "status"), [("550 no such user", "failed"), ("451 try later", "waiting")])
def test_mail__addresses_are_refused__is_given_up_or_tried_again_as_the_server_says(
    settings: Any, refusal: str, status: str
) -> None:
    with mail_server() as (mailbox, port):
        mailbox.refuses = refusal
        smtp_set(settings, port)
        channel_made("anna@example.org", kind=Kind.EMAIL)
        incident_made()
        deliveries_send()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.reason) == (status, "the mail server refused the addresses")


def test_mail__server_cannot_be_reached__is_tried_again(settings: Any) -> None:
    smtp_set(settings, refusing_port())
    channel_made("anna@example.org", kind=Kind.EMAIL)
    incident_made()
    deliveries_send()
    assert Delivery.objects.get().status == "waiting"
    assert "cannot be reached" in Delivery.objects.get().reason


def test_mail__no_server_is_set__is_not_sent_and_says_so(settings: Any) -> None:
    smtp_set(settings, 25, host="")
    channel_made("anna@example.org", kind=Kind.EMAIL)
    incident_made()
    deliveries_send()
    assert (Delivery.objects.get().status, Delivery.objects.get().reason) == ("not_sent", NO_SERVER)
