"""The roles of both databases. Idempotent, and safe while another process does the same.

`sl_owner` owns and migrates; `selflearn_app` and `maas_app` are what processes run as and own nothing; `maas_request`
(sees one user's rows) and `maas_service` (sees all) are taken by `maas_app` for a transaction, never inherited; so is
`selflearn_golden` (reads the golden set) by `selflearn_app`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import errors, sql

from selflearn_site.database.configuration import OWNER_ROLE, RUNTIME_ROLES

TAKEN_ROLES = {
    "maas_request": RUNTIME_ROLES["maas"],
    "maas_service": RUNTIME_ROLES["maas"],
    "selflearn_golden": RUNTIME_ROLES["default"],
}
"""Role → the runtime role that takes it for a transaction."""
MINIMUM_SERVER = 160000
"""PostgreSQL 16: the first with `GRANT … WITH INHERIT FALSE, SET TRUE`."""

Connection = psycopg.Connection[Any]


def _run(connection: Connection, statement: sql.Composed) -> None:
    """Ignore that another process created the role first: both errors are seen, by who checks when."""
    with contextlib.suppress(errors.DuplicateObject, errors.UniqueViolation):
        connection.execute(statement)


def _missing(connection: Connection, names: Iterable[str]) -> list[str]:
    wanted = list(names)
    rows = connection.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY(%s)", [wanted]).fetchall()
    there = {row[0] for row in rows}
    return [name for name in wanted if name not in there]


def _member(connection: Connection, role: str, member: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM pg_catalog.pg_auth_members AS m"
        " WHERE m.roleid = %s::regrole AND m.member = %s::regrole AND m.set_option",
        [role, member],
    ).fetchone()
    return row is not None


def roles_create(connection: Connection, *, login: bool, can_create_databases: bool = True) -> None:
    """Create what is missing. `connection` is in autocommit and may create roles."""
    attributes = {
        OWNER_ROLE: ("LOGIN " if login else "NOLOGIN ") + ("CREATEDB" if can_create_databases else "NOCREATEDB"),
        **dict.fromkeys(RUNTIME_ROLES.values(), "LOGIN" if login else "NOLOGIN"),
        **dict.fromkeys(TAKEN_ROLES, "NOLOGIN"),
    }
    for name in _missing(connection, attributes):
        _run(connection, sql.SQL("CREATE ROLE {} " + attributes[name]).format(sql.Identifier(name)))
    for name, taker in TAKEN_ROLES.items():
        if not _member(connection, name, taker):
            grant = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE")
            _run(connection, grant.format(sql.Identifier(name), sql.Identifier(taker)))


def roles_adopt(connection: Connection) -> None:
    """On a server: everything that lets this login act as owner and runtime roles in this database, where missing.

    What an administrator did before is found and not repeated. Raises `InsufficientPrivilege` for what the login may
    not do itself, `psycopg.OperationalError` for a server that is too old.
    """
    if connection.info.server_version < MINIMUM_SERVER:
        raise psycopg.OperationalError(f"PostgreSQL {MINIMUM_SERVER // 10000} or newer is needed")
    roles_create(connection, login=False, can_create_databases=_may_create_databases(connection))
    login, database, owner = connection.info.user, connection.info.dbname, sql.Identifier(OWNER_ROLE)
    for name in (OWNER_ROLE, *RUNTIME_ROLES.values()):
        if name != login and not _may_take(connection, name, login):
            grant = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE")
            _run(connection, grant.format(sql.Identifier(name), sql.Identifier(login)))
    if not _ask(connection, "SELECT has_database_privilege(%s, %s, 'CREATE')", OWNER_ROLE, database):
        connection.execute(
            sql.SQL("GRANT ALL ON DATABASE {} TO {} WITH GRANT OPTION").format(sql.Identifier(database), owner)
        )
    if not _ask(connection, "SELECT has_schema_privilege(%s, 'public', 'CREATE')", OWNER_ROLE):
        connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {} WITH GRANT OPTION").format(owner))


def _may_take(connection: Connection, role: str, login: str) -> bool:
    return _ask(connection, "SELECT pg_has_role(%s, %s, 'SET')", login, role)


def _may_create_databases(connection: Connection) -> bool:
    return _ask(connection, "SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user")


def _ask(connection: Connection, question: str, *values: str) -> bool:
    row = connection.execute(question.encode(), values).fetchone()
    return bool(row and row[0])
