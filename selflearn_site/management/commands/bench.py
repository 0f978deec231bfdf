"""`manage.py bench [NAME …] [--quick]`: the benchmarks."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand

NAMES = ("pipeline", "sensor", "retrieval", "statistics", "learning", "variety", "parameters", "pages", "events")


class Command(BaseCommand):
    help = "Run benchmarks; without a name all of them. They write to the database that is configured."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=f"of {', '.join(NAMES)}")
        parser.add_argument("--quick", action="store_true", help="fewer repetitions: a smoke test, not a measurement")
        parser.add_argument("--dialogues", default="", metavar="FILE", help="retrieval: a LoCoMo file to search in")
        parser.add_argument(
            "--held-out", default="", metavar="IDS", help="retrieval: dialogues of it that nothing is chosen on"
        )
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        found = {}
        for name in options["names"] or NAMES:
            if not options["json"]:
                self.stdout.write(f"== {name}")
            own: dict[str, Any] = {}
            if name == "retrieval":
                held_out = [item.strip() for item in options["held_out"].split(",") if item.strip()]
                own = {"dialogues": options["dialogues"], "held_out": held_out}
            found[name] = import_module(f"benchmarks.{name}").run(quick=options["quick"], say=self._say(options), **own)
        if options["json"]:
            self.stdout.write(json.dumps(found, default=str))

    def _say(self, options: dict[str, Any]) -> Any:
        return self.stderr.write if options["json"] else self.stdout.write
