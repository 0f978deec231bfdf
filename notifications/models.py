"""Channels, the outbox, and the deliveries that come of it."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications.domain.events import Event, Severity
from notifications.domain.lifecycle import DeliveryStatus
from notifications.domain.targets import Kind, shown

KINDS = [
    (Kind.EMAIL.value, "e-mail"),
    (Kind.WEBHOOK.value, "signed webhook"),
    (Kind.SLACK.value, "chat (Slack format)"),
]


class Channel(models.Model):
    """Where messages go, and which. `salt` makes the signing secret together with SECRET_KEY: the secret itself is
    stored nowhere."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=KINDS)
    address = models.TextField(help_text="E-mail addresses with commas between, or a web address.")
    events = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="None chosen: all.")
    min_severity = models.CharField(
        "at least", max_length=10, choices=[(one.value, one.value) for one in Severity], default=Severity.INFO.value
    )
    language = models.CharField(max_length=2, choices=[("ru", "Русский"), ("en", "English")], default="en")
    enabled = models.BooleanField(default=True)
    salt = models.CharField(max_length=64, editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "notification_channels"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in Kind]), name="channel_kind_is_known"),
            models.CheckConstraint(
                condition=Q(min_severity__in=[one.value for one in Severity]), name="channel_severity_is_known"
            ),
            models.CheckConstraint(condition=Q(language__in=["ru", "en"]), name="channel_language_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> str:
        """The address as it may be shown."""
        return shown(Kind(self.kind), self.address)


class Notice(models.Model):
    """Something that happened: the outbox. Written in its transaction; `facts` are what the words are made from."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    event = models.CharField(max_length=40)
    severity = models.CharField(max_length=10)
    subject = models.CharField(max_length=200, help_text="What it is about, e.g. `incident:5`.")
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    key = models.CharField(max_length=200, null=True, unique=True, help_text="The same thing is told once.")  # noqa: DJ001 - absent is not the empty key
    spread_at = models.DateTimeField(null=True, help_text="When its deliveries were made.")

    class Meta:
        db_table = "notification_outbox"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(spread_at__isnull=True), name="notices_to_spread"),
            models.Index(fields=["at"], name="notices_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(event__in=[one.value for one in Event]), name="notice_event_is_known"),
            models.CheckConstraint(
                condition=Q(severity__in=[one.value for one in Severity]), name="notice_severity_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


class Delivery(models.Model):
    """One notice on its way to one channel. `attempts`: `{at, status, answer, error, ms}` each, oldest first; `tries`
    counts since it was queued, or sent again, last. Its id is the message's: receivers know a repeated one by it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    status = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in DeliveryStatus], default=DeliveryStatus.WAITING.value
    )
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    attempts = models.JSONField(default=list)
    reason = models.TextField(blank=True, default="", help_text="Why it failed or was not sent.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notification_deliveries"
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(status__in=["waiting", "sending"]), name="deliveries_on_their_way"
            ),
            models.Index(fields=["channel", "-created_at"], name="deliveries_by_channel"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="one_delivery_per_notice_and_channel"),
            models.CheckConstraint(
                condition=Q(status__in=[one.value for one in DeliveryStatus]), name="delivery_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "sending"], ended_at__isnull=True)
                | (~Q(status__in=["waiting", "sending"]) & Q(ended_at__isnull=False)),
                name="delivery_has_an_end_when_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice} → {self.channel}: {self.status}"
