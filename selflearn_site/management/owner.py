"""Django's own commands that need the owner's rights, wrapped in `connection.owner()`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from selflearn_site.database.connection import wrapper


class AsOwner(BaseCommand):
    """Put before the command that is to run as the owner of the database named by `--database`."""

    def handle(self, *args: Any, **options: Any) -> Any:
        with wrapper(options.get("database") or DEFAULT_DB_ALIAS).owner():
            return super().handle(*args, **options)
