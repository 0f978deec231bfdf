"""How a transactional test leaves the databases as it found them, without emptying what it never filled.

Django's flush truncates every table and then writes content types and permissions anew: half a second a test, hundreds
of times. Here only tables that hold rows are truncated, content types and permissions stay (no test makes any), and
the seeds of the apps are planted again as after every flush.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.models.signals import post_migrate
from django.test import TransactionTestCase

from selflearn_site.database.connection import wrapper

KEPT = {"django_content_type", "auth_permission"}


def install() -> None:
    """From now on transactional tests empty databases this way."""
    TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]  # no public door to it


def _fixture_teardown(case: Any) -> None:
    for alias in case._databases_names(include_mirrors=False):
        database_empty(alias)


def database_empty(alias: str) -> None:
    connection = connections[alias]
    with wrapper(alias).owner():
        filled = _filled(alias)
        if filled:
            names = ", ".join(connection.ops.quote_name(name) for name in filled)
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {names} CASCADE")
        with _SeedsOnly():
            emit_post_migrate_signal(verbosity=0, interactive=False, db=alias)


def _filled(alias: str) -> list[str]:
    """Tables of models with at least one row. A table that refers to one of them is emptied with it (CASCADE)."""
    connection = connections[alias]
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    if not tables:
        return []
    look = " UNION ALL ".join(
        f"(SELECT '{name}' FROM {connection.ops.quote_name(name)} LIMIT 1)"  # noqa: S608 - names of models' tables
        for name in sorted(tables)
    )
    with connection.cursor() as cursor:
        cursor.execute(look)
        return [row[0] for row in cursor.fetchall()]


class _SeedsOnly:
    """`post_migrate` without the two receivers that look after the kept tables."""

    def __enter__(self) -> None:
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.disconnect(create_contenttypes)

    def __exit__(self, *_: object) -> None:
        post_migrate.connect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.connect(create_contenttypes)
