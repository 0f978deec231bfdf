"""Rights of the runtime roles, set around every migration by the owner.

Default privileges cover later tables too, those of admin and django-q2 among them. What is stricter (change log,
parameters) is a REVOKE in that app's migration. In `maas` nothing is granted here: its migration names what
`maas_request` and `maas_service` may, so a forgotten role is an error and not a leak.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from selflearn_site.database.connection import wrapper

DEFAULT_ALIAS = "default"


def _statements(alias: str, *, database: str, owner: str, runtime: str) -> list[str]:
    statements = [
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        # On a server it is the login that connects, and then takes a role.
        f"GRANT CONNECT ON DATABASE {database} TO {runtime}, SESSION_USER",
        # Only the global form takes EXECUTE from PUBLIC; `IN SCHEMA` can but add rights.
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {runtime}",
    ]
    if alias == DEFAULT_ALIAS:
        prefix = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
        statements += [
            f"{prefix} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {runtime}",
            f"{prefix} USAGE, SELECT ON SEQUENCES TO {runtime}",
        ]
    else:
        statements.append("GRANT USAGE ON SCHEMA public TO maas_request, maas_service")
    return statements


def grant_rights(*, using: str, **_kwargs: Any) -> None:
    """`pre_migrate`: runs before the first table of this migration exists."""
    connection = wrapper(using)
    quote = connection.ops.quote_name
    statements = _statements(
        using,
        database=quote(connection.settings_dict["NAME"]),
        owner=quote(connection.settings_dict["OWNER_ROLE"]),
        runtime=quote(connection.settings_dict["RUNTIME_ROLE"]),
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def grant_migration_history(*, using: str, **_kwargs: Any) -> None:
    """`post_migrate`: a runtime login may read which migrations ran (`makemigrations --check`), not rewrite it."""
    connection = wrapper(using)
    runtime = connection.ops.quote_name(connection.settings_dict["RUNTIME_ROLE"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.django_migrations') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(f"REVOKE ALL ON public.django_migrations FROM {runtime}")
            cursor.execute(f"GRANT SELECT ON public.django_migrations TO {runtime}")


def connect(sender: AppConfig) -> None:
    pre_migrate.connect(grant_rights, sender=sender, dispatch_uid="selflearn_site.grant_rights")
    post_migrate.connect(grant_migration_history, sender=sender, dispatch_uid="selflearn_site.grant_migration_history")
