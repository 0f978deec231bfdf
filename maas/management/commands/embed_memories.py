"""`manage.py embed_memories`: vectors for memories that have none of the present embedder."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel.errors import DomainError
from maas.memories import memories_embed, memories_unembedded


class Command(BaseCommand):
    help = "Embed memories that the present embedder has not embedded; semantic and hybrid search see the others only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", action="store_true", help="only say how many there are")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            missing = memories_unembedded()
            done = 0 if options["count"] else memories_embed()
        except DomainError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps({"missing": missing, "embedded": done}))
        elif options["count"]:
            self.stdout.write(f"{missing} memories have no vector of the present embedder.")
        else:
            self.stdout.write(f"{done} of {missing} memories embedded.")
