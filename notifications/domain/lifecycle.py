"""A delivery waits, is being sent, and ends; what has ended may be sent again by a person."""

from __future__ import annotations

from enum import StrEnum

from kernel.lifecycle import Lifecycle


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    NOT_SENT = "not_sent"


ENDED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.NOT_SENT})
_AGAIN = frozenset({DeliveryStatus.WAITING})

DELIVERY: Lifecycle[DeliveryStatus] = Lifecycle(
    "delivery",
    {
        DeliveryStatus.WAITING: frozenset({DeliveryStatus.SENDING}),
        DeliveryStatus.SENDING: ENDED | {DeliveryStatus.WAITING},
        DeliveryStatus.DELIVERED: _AGAIN,
        DeliveryStatus.FAILED: _AGAIN,
        DeliveryStatus.NOT_SENT: _AGAIN,
    },
)
