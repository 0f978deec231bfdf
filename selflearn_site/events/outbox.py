"""Reads of the outbox, in an order in which no event can be missed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db import connection

from kernel.errors import InvalidInput

Cursor = tuple[int, int]
"""Transaction and id of the last event that a client has; its text is `xid-id`."""
KEPT_DAYS = 7
_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})")
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_AFTER = """
SELECT xid::text::bigint, id, kind, data, at FROM site_events
WHERE (xid, id) > (%s::text::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT %s
"""


@dataclass(frozen=True)
class Told:
    """One event as it goes to clients."""

    cursor: Cursor
    kind: str
    text: str

    @property
    def frame(self) -> bytes:
        return f"id: {cursor_text(self.cursor)}\nevent: {self.kind}\ndata: {self.text}\n\n".encode()


def cursor_text(cursor: Cursor) -> str:
    return f"{cursor[0]}-{cursor[1]}"


def cursor_read(text: str) -> Cursor:
    """Raises `InvalidInput` for what no stream gave."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidInput("this is no id of an event", details={"field": "Last-Event-ID"})
    return int(match[1]), int(match[2])


def cursor_now() -> Cursor:
    """Before all events that are still to come, those of open transactions among them."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        return int(cursor.fetchone()[0]), 0


def events_after(cursor: Cursor, *, most: int = 500) -> list[Told]:
    with connection.cursor() as found:
        found.execute(_AFTER, [str(cursor[0]), cursor[1], most])
        return [_told(*row) for row in found.fetchall()]


def events_forget() -> int:
    """Delete what is older than `KEPT_DAYS`; how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM site_events WHERE at < now() - %s * interval '1 day'", [KEPT_DAYS])
        return int(cursor.rowcount)


def _told(xid: int, number: int, kind: str, data: Any, at: Any) -> Told:
    body = json.loads(data) if isinstance(data, str) else data
    return Told((xid, number), kind, json.dumps({**body, "at": at.isoformat()}, ensure_ascii=False))
