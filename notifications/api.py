# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Notifications: what was sent where and what the receiver answered; send again; try a channel out."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.pagination import paginate

from contracts.doors import actor_of
from kernel.errors import NotFound
from notifications.domain.events import Event, Severity
from notifications.domain.lifecycle import DeliveryStatus
from notifications.models import Channel, Delivery
from notifications.selectors import deliveries_chosen
from notifications.services.channels import channel_test
from notifications.services.deliveries import delivery_resend
from notifications.wording import message_of

router = Router(tags=["notifications"])


class AttemptOut(Schema):
    at: datetime
    status: int | None = Field(description="what the receiver answered: an HTTP or SMTP status; null: nothing")
    answer: str = Field(description="the beginning of its answer")
    error: str
    ms: int


class NotificationOut(Schema):
    """One notice on its way to one channel."""

    id: uuid.UUID = Field(description="the message's id: `webhook-id` of a webhook, kept when it is sent again")
    event: Event
    severity: Severity
    subject: str = Field(description="what it is about, e.g. `incident:5`", examples=["incident:5"])
    title: str = Field(description="in the channel's language")
    text: str
    link: str
    at: datetime = Field(description="when it happened")
    channel: str
    status: DeliveryStatus
    reason: str = Field(description="why it failed, was not sent, or is tried again")
    tries: int
    next_try_at: datetime | None = Field(description="null when it has ended")
    ended_at: datetime | None
    attempts: list[AttemptOut]

    @staticmethod
    def resolve_event(delivery: Delivery) -> str:
        return delivery.notice.event

    @staticmethod
    def resolve_severity(delivery: Delivery) -> str:
        return delivery.notice.severity

    @staticmethod
    def resolve_subject(delivery: Delivery) -> str:
        return delivery.notice.subject

    @staticmethod
    def resolve_title(delivery: Delivery) -> str:
        return message_of(delivery.notice, language=delivery.channel.language).title

    @staticmethod
    def resolve_text(delivery: Delivery) -> str:
        return message_of(delivery.notice, language=delivery.channel.language).text

    @staticmethod
    def resolve_link(delivery: Delivery) -> str:
        return message_of(delivery.notice, language=delivery.channel.language).link

    @staticmethod
    def resolve_at(delivery: Delivery) -> datetime:
        return delivery.notice.at

    @staticmethod
    def resolve_channel(delivery: Delivery) -> str:
        return delivery.channel.name

    @staticmethod
    def resolve_next_try_at(delivery: Delivery) -> datetime | None:
        return None if delivery.ended_at else delivery.next_try_at


class ChannelOut(Schema):
    """Without its secret, and without the part of its address that may be one."""

    id: int
    name: str
    kind: str
    target: str = Field(description="the address as far as it may be shown", examples=["https://hooks.example.org/…"])
    events: list[str] = Field(description="empty: all")
    min_severity: Severity
    language: str
    enabled: bool


@router.get("/notifications", response=list[NotificationOut], summary="What was sent where, newest first")
@paginate(sort=("created_at", "ended_at"))
def notifications(
    request: HttpRequest,
    status: DeliveryStatus | None = None,
    event: Event | None = None,
    severity: Severity | None = None,
    channel: str | None = None,
) -> QuerySet[Delivery]:
    given: dict[str, Any] = {"status": status, "event": event, "severity": severity, "channel": channel}
    return deliveries_chosen({name: value for name, value in given.items() if value})


@router.get(
    "/notifications/{uuid:notification_id}", response=NotificationOut, summary="One notification with its tries"
)
def notification(request: HttpRequest, notification_id: uuid.UUID) -> Delivery:
    found = deliveries_chosen({}).filter(pk=notification_id).first()
    if found is None:
        raise NotFound(f"there is no notification {notification_id}", details={"notification": str(notification_id)})
    return found


@router.post("/notifications/{uuid:notification_id}/resend", response=NotificationOut, summary="Send it again")
def resend(request: HttpRequest, notification_id: uuid.UUID) -> Delivery:
    """Queues what was delivered, failed or was not sent, with the id that it had. 409 while it is on its way."""
    return delivery_resend(delivery_id=notification_id, actor=actor_of(request))


@router.get("/notifications/channels", response=list[ChannelOut], summary="Channels, by name")
@paginate(sort=("name",))
def channels(request: HttpRequest) -> QuerySet[Channel]:
    """They are made in the admin, where the secret of a webhook is shown once."""
    return Channel.objects.order_by("name", "id")


@router.post("/notifications/channels/{int:channel_id}/test", response=NotificationOut, summary="Send a test message")
def test(request: HttpRequest, channel_id: int) -> Delivery:
    """Queues it; `GET /notifications/{id}` tells what the receiver answered."""
    return channel_test(channel_id=channel_id, actor=actor_of(request))
