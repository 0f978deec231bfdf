"""The same request sent twice is done once: keys per caller, and the answers that were given under them."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from kernel.errors import Conflict, InvalidInput
from selflearn_site.access.models import IdempotencyKey

KEPT = timedelta(days=1)
"""How long an answer is given again."""
UNDER_WAY = timedelta(minutes=10)
"""After so long a request without an answer is taken for dead: its process was killed, and the key is free again."""
LARGEST_KEPT = 1_000_000
"""Bytes of an answer; ours are far below."""
_CLAIM = """
INSERT INTO api_idempotency_keys (actor, key, digest, headers, body) VALUES (%s, %s, %s, '{}', '')
ON CONFLICT (actor, key) DO NOTHING RETURNING id
"""
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def request_digest(*, method: str, address: str, body: bytes) -> str:
    return hashlib.sha256(b"\0".join((method.encode(), address.encode(), body))).hexdigest()


def key_claim(*, actor: str, key: str, digest: str) -> tuple[IdempotencyKey, bool]:
    """The row of this key, and whether the caller is the first, who must `key_answer` or `key_release` it.

    Raises `InvalidInput` for a malformed key or one that was given with another request, `Conflict` while the first
    request is under way.
    """
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            "an Idempotency-Key has 1 to 200 printable ASCII characters without spaces",
            details={"field": "Idempotency-Key"},
        )
    now = timezone.now()
    dead = Q(created_at__lt=now - KEPT) | Q(status__isnull=True, created_at__lt=now - UNDER_WAY)
    IdempotencyKey.objects.filter(dead, actor=actor, key=key).delete()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [actor, key, digest])
        first = cursor.fetchone() is not None
    row = IdempotencyKey.objects.filter(actor=actor, key=key).first()
    if row is None:  # the twin has failed meanwhile and given its key back
        raise Conflict("a request with this key has just ended; send it again", details={"field": "Idempotency-Key"})
    if row.digest != digest:
        raise InvalidInput("this Idempotency-Key was used for another request", details={"field": "Idempotency-Key"})
    if row.status is None and not first:
        raise Conflict("a request with this key is under way", details={"field": "Idempotency-Key"})
    return row, first


def key_answer(*, row: IdempotencyKey, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep what was answered. What the key was freed for meanwhile is left alone."""
    kept = body if len(body) <= LARGEST_KEPT else b""
    IdempotencyKey.objects.filter(pk=row.pk, status__isnull=True).update(status=status, headers=headers, body=kept)


def key_release(*, row: IdempotencyKey) -> None:
    """Nothing was done: the key may be tried again."""
    IdempotencyKey.objects.filter(pk=row.pk, status__isnull=True).delete()


def keys_forget() -> int:
    """Delete what is older than `KEPT`; how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
