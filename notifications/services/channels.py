"""Channels: made, changed, given a new secret, tested. Meta-users only; each change is in the change log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotFound
from notifications.domain.addresses import refusal
from notifications.domain.events import CHOSEN, Event, Severity
from notifications.domain.targets import Kind, literal_ip, problem
from notifications.models import Channel, Delivery, Notice
from notifications.services.outbox import send_enqueue
from notifications.services.secrets import salt_new, signing_secret

_NAME = re.compile(r"[\w][\w .@-]{0,79}")
CHANGEABLE = ("address", "events", "min_severity", "language", "enabled")


@transaction.atomic
def channel_create(
    *,
    name: str,
    kind: Kind,
    address: str,
    actor: Actor,
    events: Sequence[str] = (),
    min_severity: Severity = Severity.INFO,
    language: str = "en",
) -> tuple[Channel, str]:
    """A new channel, and the signing secret of a webhook, which is shown now and never again (empty for others).

    Raises `NotAuthorised` below meta-user, `InvalidInput` naming the field, `Conflict` for a name that is taken.
    """
    actor.require(Role.META_USER)
    if not _NAME.fullmatch(name.strip()):
        raise InvalidInput("a channel's name has 1 to 80 letters, digits, spaces or . @ _ -", details={"field": "name"})
    values = _checked(kind, {"address": address, "events": events, "min_severity": min_severity, "language": language})
    chain_lock()
    try:
        with transaction.atomic():
            channel = Channel.objects.create(
                name=name.strip(), kind=kind.value, salt=salt_new(), created_by=actor.label, **values
            )
    except IntegrityError as error:
        raise Conflict(f"there is a channel named {name.strip()!r}", details={"field": "name"}) from error
    channel.refresh_from_db()
    _audit(channel, actor, "created", after={"name": channel.name, "kind": channel.kind, **_safe(channel, values)})
    return channel, signing_secret(channel.salt) if kind is Kind.WEBHOOK else ""


@transaction.atomic
def channel_change(*, channel_id: int, actor: Actor, reason: str = "", **values: Any) -> Channel:
    """Change what is in `CHANGEABLE`. Raises `NotAuthorised`, `NotFound`, `InvalidInput` naming the field."""
    actor.require(Role.META_USER)
    if unknown := sorted(set(values) - set(CHANGEABLE)):
        raise InvalidInput(f"a channel has no field {unknown[0]!r} to change", details={"field": unknown[0]})
    chain_lock()
    channel = _locked(channel_id)
    values = _checked(Kind(channel.kind), values)
    before = _safe(channel, {name: getattr(channel, name) for name in values})
    Channel.objects.filter(pk=channel.pk).update(**values)
    channel.refresh_from_db()
    _audit(channel, actor, "changed", before=before, after=_safe(channel, values), reason=reason)
    return channel


@transaction.atomic
def channel_secret_renew(*, channel_id: int, actor: Actor, reason: str = "") -> tuple[Channel, str]:
    """A new signing secret; the old one signs nothing from now on. Raises `InvalidInput` where nothing is signed."""
    actor.require(Role.META_USER)
    chain_lock()
    channel = _locked(channel_id)
    if channel.kind != Kind.WEBHOOK:
        raise InvalidInput("only a signed webhook has a secret")
    Channel.objects.filter(pk=channel.pk).update(salt=salt_new())
    channel.refresh_from_db()
    _audit(channel, actor, "secret_renewed", reason=reason)
    return channel, signing_secret(channel.salt)


@transaction.atomic
def channel_test(*, channel_id: int, actor: Actor) -> Delivery:
    """Queue a test message to one channel, whatever events it chose. Raises `NotAuthorised` below operator, `NotFound`,
    `Conflict` for one that is switched off."""
    actor.require(Role.OPERATOR)
    channel = Channel.objects.filter(pk=channel_id).first()
    if channel is None:
        raise NotFound(f"there is no channel {channel_id}", details={"channel": channel_id})
    if not channel.enabled:
        raise Conflict(f"the channel {channel.name!r} is switched off")
    notice = Notice.objects.create(
        event=Event.TEST,
        severity=Severity.INFO,
        subject=f"channel:{channel.pk}",
        facts={"channel": channel.name, "by": actor.label},
        key=f"test-{uuid.uuid4()}",
        spread_at=timezone.now(),
    )
    delivery = Delivery.objects.create(notice=notice, channel=channel)
    transaction.on_commit(send_enqueue, robust=True)
    return delivery


def _locked(channel_id: int) -> Channel:
    channel = Channel.objects.select_for_update().filter(pk=channel_id).first()
    if channel is None:
        raise NotFound(f"there is no channel {channel_id}", details={"channel": channel_id})
    return channel


def _checked(kind: Kind, values: dict[str, Any]) -> dict[str, Any]:
    checked = dict(values)
    if "address" in checked:
        checked["address"] = str(checked["address"]).strip()
        _check_address(kind, checked["address"])
    if "events" in checked:
        checked["events"] = sorted(set(checked["events"]))
        if wrong := [one for one in checked["events"] if one not in {event.value for event in CHOSEN}]:
            known = [event.value for event in CHOSEN]
            raise InvalidInput(f"there is no event {wrong[0]!r}", details={"field": "events", "known": known})
    if "min_severity" in checked and checked["min_severity"] not in {one.value for one in Severity}:
        raise InvalidInput("severity is info, warning or critical", details={"field": "min_severity"})
    if "language" in checked and checked["language"] not in ("ru", "en"):
        raise InvalidInput("language is ru or en", details={"field": "language"})
    return checked


def _check_address(kind: Kind, address: str) -> None:
    wrong = problem(kind, address)
    if not wrong and kind is not Kind.EMAIL and (literal := literal_ip(address)):
        wrong = refusal(literal, permitted=settings.SELFLEARN_NOTIFY_NETWORKS)
    if wrong:
        raise InvalidInput(wrong, details={"field": "address"})


def _safe(channel: Channel, values: dict[str, Any]) -> dict[str, Any]:
    """For the change log: an address without what may be a key."""
    if "address" not in values:
        return dict(values)
    return {**values, "address": Channel(kind=channel.kind, address=values["address"]).target}


def _audit(channel: Channel, actor: Actor, action: str, **rest: Any) -> None:
    entry_append(actor=actor, action=f"channel.{action}", subject_type="channel", subject_id=str(channel.pk), **rest)
