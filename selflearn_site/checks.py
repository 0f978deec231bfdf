"""Deployment invariants as Django system checks. Ids stay: people silence and search by them.

selflearn.E001  SECRET_KEY is weak (production)
selflearn.W001  DEBUG is on while a server is configured
selflearn.W002  the server lacks the `vector` extension
selflearn.W003  golden rows can be read without taking their role
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from selflearn_site.database.connection import wrapper

MINIMUM_KEY_LENGTH = 32
MINIMUM_KEY_VARIETY = 10


@register(Tags.security, deploy=True)
def secret_key_is_strong(**_kwargs: Any) -> list[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) >= MINIMUM_KEY_LENGTH and len(set(key)) >= MINIMUM_KEY_VARIETY:
        return []
    hint = "Set SECRET_KEY to at least 32 random characters: python -c 'import secrets; print(secrets.token_urlsafe())'"
    return [Error("SECRET_KEY is too short or too uniform.", hint=hint, id="selflearn.E001")]


@register(Tags.security)
def debug_is_off_on_servers(**_kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG and not settings.DATABASES["default"]["EMBEDDED"]:
        hint = "DEBUG shows settings and source to whoever meets an error. Unset DEBUG."
        return [Warning("DEBUG is on while DATABASE_URL points to a server.", hint=hint, id="selflearn.W001")]
    return []


@register(Tags.database)
def vector_is_available(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Connects, so Django runs it only where databases are named (`migrate`, `prepare`, `check --database`)."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        with wrapper(alias).cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_catalog.pg_available_extensions WHERE name = 'vector'")
            if not cursor.fetchone()[0]:
                hint = "Install pgvector on the database server."
                messages.append(Warning(f"{alias}: no extension `vector`.", hint=hint, id="selflearn.W002"))
    return messages


@register(Tags.database)
def golden_rows_need_their_role(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """A runtime role that was granted more, or that inherits, reads what emulator and designer must not."""
    if "default" not in (databases or ()):
        return []
    connection = wrapper("default")
    role = connection.settings_dict["RUNTIME_ROLE"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('public.golden_examples')"
            " AND has_table_privilege(%s, oid, 'SELECT') AND to_regclass('public.golden_seals') IS NOT NULL",
            [role],
        )
        if not cursor.fetchone()[0]:
            return []
    hint = "Run the statements of docs/decisions/0003-two-databases-and-roles.md; revoke what was granted beyond them."
    text = f"default: {role} reads golden rows without taking `selflearn_golden`: only imports keep learning away."
    return [Warning(text, hint=hint, id="selflearn.W003")]
