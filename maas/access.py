"""In whose name a statement runs. Every query of the runtime goes through `acting_for` or `as_service`.

The login `maas_app` has no right on the tables that hold users' data: a forgotten role is an error, not a leak.
Role and user are set in one statement inside a transaction and end with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

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
