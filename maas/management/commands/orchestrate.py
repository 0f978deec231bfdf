"""`manage.py orchestrate`: answer what comes in, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import json
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from maas.orchestrator import Orchestrator


class Command(BaseCommand):
    help = (
        "Bring pipeline runs to their end: LISTEN pipeline_events, many users at once, each in order."
        " Several of these may run beside each other; each run is done by one of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=4, help="how many runs at once (default 4)")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *_args: Any, **options: Any) -> None:
        orchestrator = Orchestrator(workers=max(1, options["workers"]))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: orchestrator.stop())
        self._say(options, "started", f"Orchestrator: listening, {options['workers']} runs at once.")
        orchestrator.run()
        self._say(options, "stopped", "Orchestrator: stopped.")

    def _say(self, options: dict[str, Any], event: str, sentence: str) -> None:
        self.stdout.write(json.dumps({"event": event}) if options["json"] else sentence)
        self.stdout.flush()
