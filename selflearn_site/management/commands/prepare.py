"""Make this checkout ready to run: server up, both databases migrated and seeded. Safe to repeat."""

from __future__ import annotations

import json
from typing import Any

from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from llm.factory import get_embedder
from llm.offline.embedder import NAME as OFFLINE_EMBEDDER
from maas.memories import memories_embed

ALIASES = ("default", "maas")


class Command(BaseCommand):
    help = "Start the embedded database if one is used, migrate and seed both databases."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Seeds are `post_migrate` receivers of the apps."""
        self.check(tags=[Tags.database], databases=ALIASES)
        verbosity = 0 if options["json"] else options["verbosity"] - 1
        for alias in ALIASES:
            call_command("migrate", database=alias, interactive=False, verbosity=max(verbosity, 0))
        call_command("createcachetable", database="default", verbosity=0)
        if get_embedder().name == OFFLINE_EMBEDDER:  # an endpoint costs money: `manage.py embed_memories`
            memories_embed()
        if options["json"]:
            self.stdout.write(json.dumps({"databases": {alias: self._where(alias) for alias in ALIASES}}))
        elif options["verbosity"]:
            places = ", ".join(f"{alias} ({self._where(alias)})" for alias in ALIASES)
            self.stdout.write(f"Databases ready: {places}.")

    @staticmethod
    def _where(alias: str) -> str:
        """`embedded` or host and port; never the address, which holds a password."""
        settings = connections[alias].settings_dict
        if settings["EMBEDDED"]:
            return "embedded"
        return f"{settings['HOST']}:{settings['PORT'] or 5432}"
