"""`manage.py create_token NAME --role ROLE [--days N]`: a key to the API for a program, shown once."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from contracts.actor import Actor, Role
from selflearn_site.access.services import token_create


class Command(BaseCommand):
    help = "Create an API token and print it once; only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", choices=[role.value for role in Role], required=True)
        parser.add_argument("--days", type=int, help="days until it expires; without: never")
        parser.add_argument(
            "--scope",
            action="append",
            metavar="GROUP:read|write",
            help="what it may reach, e.g. goals:write (includes read) or all:read; again for more; without: whatever "
            "its role may do",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Whoever may run commands here may reach the database anyway, and so acts as a meta-user, by name."""
        days = options["days"]
        token, plain = token_create(
            name=options["name"],
            role=Role(options["role"]),
            actor=Actor(kind="person", name=_caller(), role=Role.META_USER),
            scopes=options["scope"],
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        scopes = f"; {', '.join(token.scopes)}" if token.scopes else ""
        expires = token.expires_at.isoformat() if token.expires_at else None
        if options["json"]:
            told = {
                "name": token.name,
                "role": token.role,
                "scopes": token.scopes,
                "token": plain,
                "expires_at": expires,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write(f"Token {token.name} ({token.role}{scopes}), expires: {expires or 'never'}")
            self.stdout.write(f"Shown once: {plain}")


def _caller() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for this user id
        return "command line"
