"""The connection of an alias with the type that it has here."""

from __future__ import annotations

from django.db import connections

from selflearn_site.database.backend.base import DatabaseWrapper


def wrapper(alias: str) -> DatabaseWrapper:
    """Raises `TypeError` where settings name another backend."""
    connection = connections[alias]
    if not isinstance(connection, DatabaseWrapper):
        raise TypeError(f"database {alias!r} does not use the backend of this project")
    return connection
