"""Signed webhooks, as https://www.standardwebhooks.com has them: libraries for many languages check them.

Signed is `id.timestamp.body`, by HMAC-SHA256 with the channel's secret. The time is signed too, so that a message that
somebody recorded cannot be played again later: a receiver refuses what is older than `WINDOW`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

PREFIX = "whsec_"
WINDOW = timedelta(minutes=5)
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def secret_text(key: bytes) -> str:
    """The secret as receivers keep it."""
    return PREFIX + base64.b64encode(key).decode()


def sign(*, key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. A message that is sent again keeps its id: a receiver knows it by that."""
    seconds = str(int(at.timestamp()))
    return {ID: message_id, TIMESTAMP: seconds, SIGNATURE: f"v1,{_mark(key, message_id, seconds, body)}"}


def verified(*, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """What a receiver does: whether the signature is ours and the message is not older (or newer) than `WINDOW`."""
    given = {name.lower(): value for name, value in headers.items()}
    if not {ID, TIMESTAMP, SIGNATURE} <= set(given) or not given[TIMESTAMP].isdecimal():
        return False
    if abs(now.timestamp() - int(given[TIMESTAMP])) > WINDOW.total_seconds():
        return False
    key = base64.b64decode(secret.removeprefix(PREFIX))
    wanted = f"v1,{_mark(key, given[ID], given[TIMESTAMP], body)}"
    return any(hmac.compare_digest(wanted, one) for one in given[SIGNATURE].split(" "))


def _mark(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
