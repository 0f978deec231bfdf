"""From `DATABASE_URL` and `MAAS_DATABASE_URL` to Django's `DATABASES`. Computes only; nothing is started here."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKEND = "selflearn_site.database.backend"
OWNER_ROLE = "sl_owner"
RUNTIME_ROLES = {"default": "selflearn_app", "maas": "maas_app"}
DATABASE_NAMES = {"default": "selflearn", "maas": "maas"}


def _server(url: str, *, variable: str) -> dict[str, Any]:
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable}: the port is not a number") from error
    if not name:
        raise ImproperlyConfigured(f"{variable}: names no database (postgresql://user:password@host:5432/name)")
    options = dict(parse_qsl(parts.query))
    return {
        "EMBEDDED": False,
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": {"connect_timeout": "10", **options},
    }


def _embedded(alias: str) -> dict[str, Any]:
    """HOST (the socket folder) and PORT are filled in by the backend, once the server is there."""
    return {
        "EMBEDDED": True,
        "NAME": DATABASE_NAMES[alias],
        "USER": RUNTIME_ROLES[alias],
        "PASSWORD": "",
        "HOST": "",
        "PORT": "",
        "OPTIONS": {"connect_timeout": "10"},
    }


def database_settings(*, database_url: str, maas_database_url: str, test_suffix: str = "") -> dict[str, dict[str, Any]]:
    """Both aliases. An empty address means the embedded server.

    `USER` is who logs in; on a server, whose one login must be able to take both roles, RUNTIME_ROLE is taken by
    `options=-c role=…`. OWNER_ROLE owns and migrates.
    """
    given = {"default": ("DATABASE_URL", database_url), "maas": ("MAAS_DATABASE_URL", maas_database_url)}
    return {
        alias: {
            "ENGINE": BACKEND,
            **(_server(url, variable=variable) if url else _embedded(alias)),
            "OWNER_ROLE": OWNER_ROLE,
            "RUNTIME_ROLE": RUNTIME_ROLES[alias],
            "ATOMIC_REQUESTS": False,
            # Under ASGI each request has its own thread: a kept connection would never be used again.
            "CONN_MAX_AGE": 0,
            "TEST": {"NAME": f"test_{DATABASE_NAMES[alias]}{test_suffix}"},
        }
        for alias, (variable, url) in given.items()
    }
