"""Write docs/openapi.json: the schema that clients are promised."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selflearn_site.api.compatibility import breaking_changes
from selflearn_site.api.stored import schema_now, schema_path, schema_text


class Command(BaseCommand):
    help = "Write docs/openapi.json. Refuses a change that would break clients, unless --breaking is given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--breaking", action="store_true", help="store it although clients will break")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        path, now = schema_path(), schema_now()
        text = schema_text(now)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        broken = breaking_changes(json.loads(before), now) if before else []
        if broken and not options["breaking"]:
            raise CommandError("this would break clients:\n" + "\n".join(f"  {line}" for line in broken))
        if text != before:
            path.write_text(text, encoding="utf-8")
        state = "up to date" if text == before else "written"
        said = json.dumps({"file": str(path), "state": state, "breaking": broken}) if options["json"] else None
        self.stdout.write(said or f"{path}: {state}")
