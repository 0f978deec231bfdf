"""Make this checkout ready to run: server up, both databases migrated and seeded. Safe to repeat."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

ALIASES = ("default", "maas")


class Command(BaseCommand):
    help = "Start the embedded database if one is used, migrate and seed both databases."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        quiet = options["json"] or options["verbosity"] < 1
        verbosity = 0 if quiet else options["verbosity"]
        for alias in ALIASES:
            call_command("migrate", database=alias, interactive=False, verbosity=verbosity, skip_checks=True)
        call_command("createcachetable", database="default", verbosity=verbosity)
        if options["json"]:
            self.stdout.write(json.dumps({"databases": {alias: self._where(alias) for alias in ALIASES}}))

    @staticmethod
    def _where(alias: str) -> str:
        """`embedded` or host and port; never the address, which holds a password."""
        settings = connections[alias].settings_dict
        if settings["EMBEDDED"]:
            return "embedded"
        return f"{settings['HOST']}:{settings['PORT'] or 5432}"
