"""The connection: starts the embedded server when needed, acts as the runtime role, becomes the owner on request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.transaction import TransactionManagementError

from kernel.errors import Unavailable
from selflearn_site.database import roles
from selflearn_site.database.backend.creation import DatabaseCreation
from selflearn_site.database.launcher import EmbeddedServer


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation
    has_roles = True
    """Owner and runtime are different roles here: migrations ask before they name them."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._as_owner = False

    # --- who we are --------------------------------------------------------------------------------------------------

    @property
    def embedded(self) -> bool:
        return bool(self.settings_dict.get("EMBEDDED"))

    def _wanted_role(self) -> str:
        return str(self.settings_dict["OWNER_ROLE" if self._as_owner else "RUNTIME_ROLE"])

    @contextmanager
    def owner(self) -> Iterator[None]:
        """Act as the owner of the tables: for migrations, test databases, flush and dumps only.

        Reconnects, so it is refused inside `atomic`. May be nested.
        """
        if self._as_owner:
            yield
            return
        if self.in_atomic_block:
            raise TransactionManagementError("owner() reconnects and cannot be used inside atomic()")
        self.close()
        if self.embedded:
            EmbeddedServer(settings.SELFLEARN_VAR_DIR).ensure_ready()  # a running one may lack what is new here
        elif self.settings_dict["NAME"]:
            self._adopt_roles()
        self._as_owner = True
        try:
            yield
        finally:
            self.close()
            self._as_owner = False

    # --- connecting --------------------------------------------------------------------------------------------------

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        role = self._wanted_role()
        if self.embedded:
            params["user"] = role
            params["host"] = str(EmbeddedServer(settings.SELFLEARN_VAR_DIR).places().socket)
        elif role != params.get("user"):
            params["options"] = f"{params.get('options', '')} -c role={role}".strip()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; if that fails, put in order what can be (server, roles, databases) and connect once more.

        Raises Django's `OperationalError` with one sentence: where, why, and what to do.
        """
        try:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if self.embedded:
                    EmbeddedServer(settings.SELFLEARN_VAR_DIR).ensure_ready()
                elif f'role "{self._wanted_role()}"' in str(error):
                    # The server answered: it does not know the role, or does not let us take it.
                    self._adopt_roles()
                else:
                    raise
            return super().get_new_connection(self.get_connection_params())
        except Unavailable as error:
            raise OperationalError(str(error)) from error
        except psycopg.OperationalError as error:
            if self.embedded:
                raise
            raise OperationalError(self._unreachable(error)) from error

    def _unreachable(self, error: psycopg.OperationalError) -> str:
        where = f"{self.settings_dict['HOST'] or 'the local socket'}:{self.settings_dict['PORT'] or 5432}"
        variable = {"default": "DATABASE_URL", "maas": "MAAS_DATABASE_URL"}.get(self.alias, "DATABASE_URL")
        reason = str(error).strip().partition("\n")[0].rpartition("failed: ")[2].strip(" .") or type(error).__name__
        return (
            f"cannot connect to PostgreSQL at {where} (database {self.settings_dict['NAME']!r}): {reason}."
            f" Start that server or correct {variable}; empty means the embedded one."
        )

    def _adopt_roles(self) -> None:
        """On a server: make the roles, if need be, and let the login take them. The login itself owns nothing.

        Raises `OperationalError` where the login may not and no administrator has done it.
        """
        params = super().get_connection_params()
        for key in ("cursor_factory", "context", "prepare_threshold"):
            params.pop(key, None)
        try:
            with psycopg.connect(**params, autocommit=True) as connection:
                roles.roles_adopt(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            login, reason = self.settings_dict["USER"], error.diag.message_primary
            raise OperationalError(
                f"the login {login!r} cannot take the roles of this project ({reason})."
                " Give it CREATEROLE (PostgreSQL 16 or newer), or let an administrator run the statements of"
                " docs/decisions/0003-two-databases-and-roles.md."
            ) from error
        except psycopg.OperationalError as error:
            raise OperationalError(self._unreachable(error)) from error

    @contextmanager
    def _nodb_cursor(self) -> Iterator[Any]:
        """As Django's, in the role that this connection has: the owner creates and drops test databases."""
        other = self.__class__({**self.settings_dict, "NAME": None}, alias=self.alias)
        other._as_owner = self._as_owner
        try:
            with other.cursor() as cursor:
                yield cursor
        finally:
            other.close()
