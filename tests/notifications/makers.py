"""Channels and notices, made through the services."""

from __future__ import annotations

from typing import Any

from contracts.actor import Actor, Role
from incidents.models import Incident
from incidents.services import incident_open
from notifications.domain.targets import Kind
from notifications.models import Channel
from notifications.services.channels import channel_create

ALICE = Actor(kind="person", name="alice", role=Role.META_USER)


def channel_made(url: str, *, kind: Kind = Kind.WEBHOOK, name: str = "duty", **given: Any) -> tuple[Channel, str]:
    return channel_create(name=name, kind=kind, address=url, actor=ALICE, **given)


def incident_made(title: str = "Version 2 was rolled back", **given: Any) -> Incident:
    fields = {"kind": "degradation", "severity": "warning", "detail": "recall fell", "subject": title}
    return incident_open(actor=ALICE, title=title, **{**fields, **given})
