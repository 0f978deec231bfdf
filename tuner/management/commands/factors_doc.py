"""Write docs/FACTORS.md from the registry of impact factors."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tuner.registry import FACTORS
from tuner.registry_docs import factors_markdown, factors_path


class Command(BaseCommand):
    help = "Write docs/FACTORS.md from the registry of impact factors; --check only says whether it is up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when out of date")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        path, text = factors_path(), factors_markdown()
        current = path.exists() and path.read_text(encoding="utf-8") == text
        if not current and not options["check"]:
            path.write_text(text, encoding="utf-8")
        state = "up to date" if current else "out of date" if options["check"] else "written"
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(path), "state": state, "factors": len(FACTORS)}))
        else:
            self.stdout.write(f"{path}: {state}")
        if options["check"] and not current:
            sys.exit(1)
