"""Write down what happened, in the transaction in which it happens, and wake whoever sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

from notifications.domain.events import Event, Severity
from notifications.models import Channel, Notice

SEND_TASK = "notifications.tasks.notifications_send"


def notice_write(
    *,
    event: Event,
    severity: Severity,
    subject: str,
    facts: Mapping[str, Any],
    key: str | None = None,
) -> None:
    """Put one notice into the outbox; with a `key` that was given before, nothing happens.

    It stands or falls with the caller's transaction. Nothing is sent here, and nothing that goes wrong in sending
    reaches the caller: after the commit a worker is woken, and should that fail, the schedule finds the notice.
    """
    row = Notice(event=event, severity=severity, subject=subject[:200], facts=dict(facts), key=key)
    Notice.objects.bulk_create([row], ignore_conflicts=True)
    if Channel.objects.filter(enabled=True).exists():
        transaction.on_commit(send_enqueue, robust=True)


def send_enqueue() -> None:
    """Ask a worker to send what waits. Asked twice is harmless."""
    async_task(SEND_TASK, task_name="send notifications")
