"""An administrator for a fresh installation, with a password that is shown once and stored nowhere."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

_LOCK = 0x5E1F_AD31
"""Key of the advisory lock: two first runs at once make one administrator."""


class Command(BaseCommand):
    help = "Create an administrator when there is none, and print name and password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="admin")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        created = admin_ensure(name=options["name"])
        if options["json"]:
            name, password = created or (None, None)
            self.stdout.write(json.dumps({"created": created is not None, "name": name, "password": password}))
        elif created:
            self.stdout.write(f"Administrator: {created[0]}\nPassword (shown once): {created[1]}")
        else:
            self.stdout.write("An administrator exists already.")


def admin_ensure(*, name: str) -> tuple[str, str] | None:
    """Name and password of the new administrator, or None where an active one exists."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_LOCK])
        if User.objects.filter(is_superuser=True, is_active=True).exists():
            return None
        free = next(
            candidate
            for candidate in (name, *(f"{name}{number}" for number in range(2, 1000)))
            if not User.objects.filter(username=candidate).exists()
        )
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(username=free, password=password)
    return free, password
