"""The secrets that this installation was given, so that they can be taken out of what is logged or printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from kernel.secrets import hide_in

_NAMED = ("SECRET_KEY", "OPENAI_API_KEY", "MAAS_TOKEN", "EMAIL_HOST_PASSWORD")


def hide_known(text: str) -> str:
    """`text` without any secret of the settings. Settings that cannot be read hide nothing but what has its shape."""
    return hide_in(text, _known() if settings.configured else ())


def _known() -> Iterator[str]:
    for name in _NAMED:
        yield str(getattr(settings, name, "") or "")
    databases: dict[str, Any] = getattr(settings, "DATABASES", {})
    for database in databases.values():
        yield str(database.get("PASSWORD") or "")
        yield str(database.get("OPTIONS", {}).get("password") or "")
    broker = getattr(settings, "Q_CLUSTER", {}).get("redis")
    if isinstance(broker, str):
        yield unquote(urlsplit(broker).password or "")
