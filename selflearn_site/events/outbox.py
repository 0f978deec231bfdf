"""Reads of the outbox, in an order in which no event can be missed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db import connection

from kernel.errors import InvalidInput

Cursor = int
"""Id of the last event that a client has."""
KEPT_DAYS = 7
GAP = "gap"
_CURSOR = re.compile(r"[0-9]{1,18}")
_LAST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM site_events_id_seq"
_WRITERS = """
SELECT min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 48) - 1)) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 94 AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_AFTER = "SELECT id, kind, data, at FROM site_events WHERE id > %s AND id <= %s ORDER BY id LIMIT %s"
_OLD = "at < now() - %s * interval '1 day'"
_FORGOTTEN = f"SELECT id FROM site_events WHERE {_OLD} ORDER BY id LIMIT 1"  # noqa: S608  a constant
_FORGET = f"DELETE FROM site_events WHERE {_OLD} AND id < (SELECT max(id) FROM site_events WHERE {_OLD})"  # noqa: S608


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
    return str(cursor)


def cursor_read(text: str) -> Cursor:
    """Raises `InvalidInput` for what no stream gave."""
    if not _CURSOR.fullmatch(text):
        raise InvalidInput("this is no id of an event", details={"field": "Last-Event-ID"})
    return int(text)


def cursor_now() -> Cursor:
    """Before all events that are still to come, those of open transactions among them."""
    with connection.cursor() as cursor:
        return _horizon(cursor)


def events_after(cursor: Cursor, *, most: int = 500) -> list[Told]:
    with connection.cursor() as found:
        until = _horizon(found)
        found.execute(_AFTER, [cursor, until, most])
        return [_told(*row) for row in found.fetchall()]


def gap_after(cursor: Cursor) -> Told | None:
    """What tells a client that events after `cursor` are no longer kept; None when all are."""
    with connection.cursor() as found:
        found.execute(_FORGOTTEN, [KEPT_DAYS])
        row = found.fetchone()
    if row is None or cursor >= row[0]:
        return None
    return Told(cursor, GAP, json.dumps({"after": cursor_text(cursor), "first": cursor_text(row[0])}))


def events_forget() -> int:
    """Delete what is older than `KEPT_DAYS` but the last of it, which tells how far was forgotten; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [KEPT_DAYS, KEPT_DAYS])
        return int(cursor.rowcount)


def _horizon(cursor: Any) -> Cursor:
    """The id up to which everything that is ever to be seen can be seen, by a statement that begins after this.

    A writer takes its lock before its first id and loses it after its commit is visible (migration 0002). So the order
    here matters: the last id first, then who still writes. A writer that comes in between takes a later id.
    """
    cursor.execute(_LAST)
    (last,) = cursor.fetchone()
    cursor.execute(_WRITERS)
    (writers,) = cursor.fetchone()
    return int(last if writers is None else min(last, writers))


def _told(number: int, kind: str, data: Any, at: Any) -> Told:
    body = json.loads(data) if isinstance(data, str) else data
    return Told(number, kind, json.dumps({**body, "at": at.isoformat()}, ensure_ascii=False))
