"""From the outbox to the receivers: spread, claim, send, keep what was answered; send again when a person says so."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from kernel.canonical import stable_fraction
from kernel.errors import Conflict, NotFound
from notifications.delivery.outcome import Outcome
from notifications.delivery.send import send
from notifications.domain.events import Event, Severity, wanted
from notifications.domain.lifecycle import DELIVERY, DeliveryStatus
from notifications.domain.retries import MOST_TRIES, pause_after
from notifications.models import Channel, Delivery, Notice
from notifications.services.outbox import send_enqueue

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=2)
"""After so long a try without a result is taken for dead, and made again: a message may come twice, with one id."""
AT_ONCE = timedelta(seconds=40)
"""How long one task sends; the rest is for the next."""
SPREAD = 200
KEPT_TRIES = 3 * MOST_TRIES
_ON_ITS_WAY = (DeliveryStatus.WAITING, DeliveryStatus.SENDING)
Send = Callable[[Delivery], Outcome]


def notices_spread() -> int:
    """Make a delivery of each new notice for each channel that wants it. Returns how many.

    A channel is told of what happened after it was made. Of two workers at once each takes other notices.
    """
    with transaction.atomic():
        fresh = list(
            Notice.objects.filter(spread_at__isnull=True).order_by("id").select_for_update(skip_locked=True)[:SPREAD]
        )
        channels = list(Channel.objects.filter(enabled=True)) if fresh else []
        rows = [
            Delivery(notice=notice, channel=channel)
            for notice in fresh
            for channel in channels
            if channel.created_at <= notice.at
            and wanted(
                event=Event(notice.event),
                severity=Severity(notice.severity),
                events=channel.events,
                at_least=Severity(channel.min_severity),
            )
        ]
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        Notice.objects.filter(pk__in=[notice.pk for notice in fresh]).update(spread_at=timezone.now())
    return len(rows)


def deliveries_send(*, send: Send = send, patience: timedelta = AT_ONCE) -> int:
    """Spread what is new, and send what is due, one after the other, for as long as `patience`. Returns how many were
    delivered.

    A channel whose receiver has failed is left alone for the rest of this task, so that one that hangs keeps neither
    the others nor the worker.
    """
    begun, delivered, failing = time.monotonic(), 0, set[int]()
    while time.monotonic() - begun < patience.total_seconds():
        delivery = _claim(leaving_out=failing)
        if delivery is None:
            if not notices_spread():  # what happened meanwhile
                break
            continue
        outcome = delivery_try(delivery, send=send)
        delivered += outcome.sent
        if outcome.again:
            failing.add(delivery.channel_id)
    return delivered


def _claim(*, leaving_out: Collection[int]) -> Delivery | None:
    """The next delivery that is due, held by a lease. The try is counted before it is made: a worker that dies in it
    can count nothing afterwards."""
    now = timezone.now()
    due = Q(status=DeliveryStatus.WAITING, next_try_at__lte=now) | Q(status=DeliveryStatus.SENDING, lease_until__lt=now)
    with transaction.atomic():
        rows = Delivery.objects.filter(due).exclude(channel_id__in=list(leaving_out))
        rows = rows.order_by("next_try_at", "notice_id", "id").select_for_update(skip_locked=True)
        found = rows.values_list("pk", flat=True).first()
        if found is None:
            return None
        Delivery.objects.filter(pk=found).update(
            status=DeliveryStatus.SENDING, lease_until=now + LEASE, tries=F("tries") + 1
        )
    return Delivery.objects.select_related("notice", "channel").get(pk=found)


def delivery_try(delivery: Delivery, *, send: Send) -> Outcome:
    """One try of a claimed delivery, and what came of it. Whatever goes wrong is written into its log."""
    begun = time.monotonic()
    if not delivery.channel.enabled:
        outcome = Outcome(sent=False, unset=True, error="not sent: the channel is switched off")
    elif delivery.tries > MOST_TRIES:
        outcome = Outcome(sent=False, error="the worker died in each of the tries")
    else:
        try:
            outcome = send(delivery)
        except Exception as error:  # a defect of ours must not keep the others from being sent
            log.exception("notification not sent", delivery=str(delivery.id))
            outcome = Outcome(sent=False, again=True, error=f"unexpected {type(error).__name__}")
    _record(delivery, outcome, ms=round(1000 * (time.monotonic() - begun)))
    return outcome


def _record(delivery: Delivery, outcome: Outcome, *, ms: int) -> None:
    """Compare-and-swap: a worker whose lease was taken over by another changes nothing."""
    now = timezone.now()
    pause = (
        pause_after(
            delivery.tries, chance=stable_fraction(str(delivery.id), delivery.tries), asked_for=outcome.retry_after
        )
        if outcome.again
        else None
    )
    attempt = {
        "at": now.isoformat(),
        "status": outcome.status,
        "answer": outcome.answer,
        "error": outcome.error,
        "ms": ms,
    }
    values: dict[str, Any] = {
        "attempts": [*delivery.attempts, attempt][-KEPT_TRIES:],
        "lease_until": None,
        "reason": outcome.error,
    }
    if outcome.sent:
        values |= {"status": DeliveryStatus.DELIVERED, "ended_at": now}
    elif pause is not None:
        values |= {"status": DeliveryStatus.WAITING, "next_try_at": now + pause}
    else:
        end = DeliveryStatus.NOT_SENT if outcome.unset else DeliveryStatus.FAILED
        values |= {"status": end, "ended_at": now}
    held = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.SENDING, tries=delivery.tries)
    if held.update(**values) != 1:
        log.warning("another worker took this notification over", delivery=str(delivery.id))


@transaction.atomic
def delivery_resend(*, delivery_id: uuid.UUID, actor: Actor) -> Delivery:
    """Send again what has ended, delivered or not, with the id that it had. Its log goes on.

    Raises `NotAuthorised` below operator, `NotFound`, `IllegalTransition` while it is on its way, `Conflict` when the
    channel is switched off or somebody else was first.
    """
    actor.require(Role.OPERATOR)
    chain_lock()
    delivery = Delivery.objects.select_related("channel", "notice").filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound(f"there is no notification {delivery_id}", details={"notification": str(delivery_id)})
    DELIVERY.check(DeliveryStatus(delivery.status), DeliveryStatus.WAITING)
    if not delivery.channel.enabled:
        raise Conflict(f"the channel {delivery.channel.name!r} is switched off")
    moved = Delivery.objects.filter(pk=delivery.pk, status=delivery.status).update(
        status=DeliveryStatus.WAITING, tries=0, next_try_at=timezone.now(), ended_at=None, reason="", lease_until=None
    )
    if moved != 1:
        raise Conflict("somebody else sends this notification again already")
    entry_append(
        actor=actor,
        action="notification.resent",
        subject_type="notification",
        subject_id=str(delivery.pk),
        before={"status": delivery.status},
        after={"status": DeliveryStatus.WAITING, "channel": delivery.channel.name, "event": delivery.notice.event},
    )
    transaction.on_commit(send_enqueue, robust=True)
    delivery.refresh_from_db()
    return delivery


def notices_forget(*, older_than: timedelta = timedelta(days=90)) -> int:
    """Delete notices that happened longer ago, with their deliveries, when none of them is on its way. How many."""
    old = Notice.objects.filter(at__lt=timezone.now() - older_than, spread_at__isnull=False)
    held = Delivery.objects.filter(status__in=_ON_ITS_WAY).values("notice_id")
    gone = old.exclude(pk__in=held)
    number = gone.count()
    gone.delete()
    return number
