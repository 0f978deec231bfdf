"""Reads of channels and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone

from notifications.domain.events import Event
from notifications.domain.lifecycle import DeliveryStatus
from notifications.models import Channel, Delivery, Notice

FILTERS = ("channel", "event", "severity", "status")


def deliveries_chosen(chosen: Mapping[str, str]) -> QuerySet[Delivery]:
    """Newest first. `channel` is a name."""
    fields = {
        "channel": "channel__name",
        "event": "notice__event",
        "severity": "notice__severity",
        "status": "status",
    }
    given = {fields[name]: chosen[name] for name in FILTERS if chosen.get(name)}
    return Delivery.objects.filter(**given).select_related("channel", "notice").order_by("-created_at", "-id")


def notices_chosen(chosen: Mapping[str, str]) -> QuerySet[Notice]:
    """What happened, newest first, each with its deliveries. `status` "nobody": what no channel was told of."""
    rows = Notice.objects.order_by("-id")
    if event := chosen.get("event"):
        rows = rows.filter(event=event)
    if severity := chosen.get("severity"):
        rows = rows.filter(severity=severity)
    if (status := chosen.get("status")) == "nobody":
        rows = rows.filter(deliveries__isnull=True)
    elif status:
        rows = rows.filter(pk__in=Delivery.objects.filter(status=status).values("notice_id"))
    if channel := chosen.get("channel"):
        rows = rows.filter(pk__in=Delivery.objects.filter(channel__name=channel).values("notice_id"))
    deliveries = Delivery.objects.select_related("channel").order_by("channel__name")
    return rows.prefetch_related(Prefetch("deliveries", queryset=deliveries))


def channels_with_last() -> list[tuple[Channel, Delivery | None]]:
    """Each channel with its newest delivery that ended. Two queries."""
    last = (
        Delivery.objects.filter(ended_at__isnull=False)
        .order_by("channel_id", "-ended_at")
        .distinct("channel_id")
        .select_related("notice")
    )
    newest = {delivery.channel_id: delivery for delivery in last}
    return [(channel, newest.get(channel.pk)) for channel in Channel.objects.order_by("name")]


def deliveries_count() -> dict[str, int]:
    """`failed`: within the last week, tests left out; `waiting`: on their way. One query."""
    week = timezone.now() - timedelta(days=7)
    lost = Q(status=DeliveryStatus.FAILED, ended_at__gte=week) & ~Q(notice__event=Event.TEST)
    on_their_way = Q(status__in=[DeliveryStatus.WAITING, DeliveryStatus.SENDING])
    rows = Delivery.objects.filter(lost | on_their_way)
    return rows.aggregate(failed=Count("pk", filter=lost), waiting=Count("pk", filter=on_their_way))


def deliveries_recent(notice: Notice) -> list[tuple[Delivery, dict[str, Any]]]:
    """A notice's deliveries, each with its last try (empty before the first). From what was fetched with the notice."""
    return [(delivery, delivery.attempts[-1] if delivery.attempts else {}) for delivery in notice.deliveries.all()]
