"""Background doors: take no arguments, call services, are safe to run twice."""

from __future__ import annotations

from uuid import uuid4

from django.core.cache import cache

from notifications.services.deliveries import deliveries_send, notices_forget

_TURN = "notifications-sender"
_LONGEST = 90
"""Seconds: above what one task may take. A killed worker's turn ends by itself."""


def notifications_send() -> int:
    """At once after something happened, and every minute: tell whoever is to be told. Returns how many were delivered.

    One worker at a time, so that receivers that hang cannot hold all workers; campaigns go on in the others.
    """
    if not cache.add(_TURN, str(uuid4()), timeout=_LONGEST):
        return 0
    try:
        return deliveries_send()
    finally:
        cache.delete(_TURN)


def notifications_forget() -> int:
    """Every hour."""
    return notices_forget()
