"""In whose name a statement runs. Every query of the runtime goes through these functions:

`acting_for`, `as_service` open a transaction; `act_for`, `act_as_service` are one, in one round trip.

The login `maas_app` has no right on the tables that hold users' data: a forgotten role is an error, not a leak.
Role and user are set in one statement inside a transaction and end with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

ALIAS = "maas"
REQUEST_ROLE = "maas_request"
SERVICE_ROLE = "maas_service"

# A search must be planned with its user known (a generic plan is ten times slower), whoever configures the connection.
_TAKE = """
SELECT current_setting('role'), coalesce(current_setting('maas.user_id', true), ''),
       set_config('role', %s, true), set_config('maas.user_id', %s, true),
       set_config('plan_cache_mode', 'force_custom_plan', true)
"""
_GIVE_BACK = "SELECT set_config('role', %s, true), set_config('maas.user_id', %s, true)"
_LAZY = ", set_config('synchronous_commit', 'off', true)"


@contextmanager
def acting_for(user_id: uuid.UUID) -> Iterator[CursorWrapper]:
    """A transaction that sees and writes rows of `user_id` alone. Yields a cursor of it."""
    with _taking(REQUEST_ROLE, str(user_id)) as cursor:
        yield cursor


@contextmanager
def as_service() -> Iterator[CursorWrapper]:
    """A transaction that sees all users: the orchestrator's queue, imports and maintenance. Yields a cursor of it."""
    with _taking(SERVICE_ROLE, "") as cursor:
        yield cursor


@contextmanager
def _taking(role: str, user: str) -> Iterator[CursorWrapper]:
    connection = connections[ALIAS]
    nested = connection.in_atomic_block
    with transaction.atomic(using=ALIAS), connection.cursor() as cursor:
        cursor.execute(_TAKE, [role, user])
        before = cursor.fetchone()
        yield cursor
        # The outermost transaction forgets its settings by itself, and so does a savepoint that is rolled back. One
        # that is released keeps them (SET LOCAL survives RELEASE SAVEPOINT), so they are put back by hand.
        if nested:
            cursor.execute(_GIVE_BACK, [before[0], before[1]])


class Statement(NamedTuple):
    """One SQL statement with its values."""

    sql: str
    values: Sequence[Any] | Mapping[str, Any]


class Outcome(NamedTuple):
    """What one statement did: rows hit or returned, and the returned ones."""

    hits: int
    rows: list[tuple[Any, ...]]


def act_for(user_id: uuid.UUID, *statements: Statement, durable: bool = True) -> list[Outcome]:
    """Statements whose values are known beforehand, as one transaction of `user_id` in one round trip.

    Sent together they are one transaction to the server, roles included, with a new snapshot for each statement; inside
    `atomic` they run one by one. With `durable` false a crash of the server (not of this process) may lose them, never
    half of them and never what is committed durably afterwards: for steps that would simply be done again.
    """
    return _together(REQUEST_ROLE, str(user_id), statements, durable=durable)


def act_as_service(*statements: Statement, durable: bool = True) -> list[Outcome]:
    """As `act_for`, seeing all users: for the orchestrator, which takes whoever's run comes next."""
    return _together(SERVICE_ROLE, "", statements, durable=durable)


def _together(role: str, user: str, statements: Sequence[Statement], *, durable: bool) -> list[Outcome]:
    connection = connections[ALIAS]
    if connection.in_atomic_block:
        with _taking(role, user) as cursor:
            return [_one(cursor, statement) for statement in statements]
    with connection.cursor() as cursor:
        take = Statement(_TAKE + ("" if durable else _LAZY), [role, user])
        cursor.execute(";".join(cursor.mogrify(*statement) for statement in (take, *statements)))
        raw = cursor.cursor  # all results are here: no error can come any more that would have to be translated
        return [_outcome(raw) for _ in statements if raw.nextset()]


def _one(cursor: CursorWrapper, statement: Statement) -> Outcome:
    cursor.execute(statement.sql, statement.values)
    return _outcome(cursor.cursor)


def _outcome(cursor: psycopg.Cursor[Any]) -> Outcome:
    # `description` would be made anew for each result, column by column.
    has_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0
    return Outcome(cursor.rowcount, cursor.fetchall() if has_rows else [])
