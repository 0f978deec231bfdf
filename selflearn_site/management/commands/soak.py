"""`manage.py soak`: is every run recorded once, whatever is killed and restarted meanwhile?"""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand

FIGURES = {
    "settled": "runs settled in the student",
    "events": "runs recorded by the Sensor",
    "telemetry_rows": "telemetry rows, one per run and stage",
    "failed": "of the runs have failed",
    "rated": "of the runs are rated",
    "interrupted_requests": "requests met a database that was away",
    "answered_again_after_a_crash": "answers were lost in a crash and asked for again",
    "runs_per_second": "runs a second",
}


class Command(BaseCommand):
    help = (
        "Send runs through the student while the Sensor is killed and the database is restarted, on a server of its"
        " own; ends with 1 when a run is missing or recorded twice."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--runs", type=int, default=10_000)
        parser.add_argument("--kills", type=int, default=10, help="how often the Sensor is killed (default 10)")
        parser.add_argument("--restarts", type=int, default=2, help="how often the database is restarted (default 2)")
        parser.add_argument("--seed", type=int, default=1, help="of the requests and of the plan (default 1)")
        parser.add_argument("--rate", type=float, help="requests a second at most (default: as many as can be)")
        parser.add_argument("--lease", type=float, help="seconds until a lost worker's run is taken over (default 45)")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and processes are removed on the way out
        sizes = {name: options[name] for name in ("runs", "kills", "restarts", "seed", "rate", "lease")}
        found = import_module("benchmarks.soak").run(**sizes, say=self._say(options))
        if options["json"]:
            self.stdout.write(json.dumps(found, default=str))
        else:
            self._tell(found)
        if found["problems"]:
            sys.exit(1)

    def _tell(self, found: dict[str, Any]) -> None:
        for name, meaning in FIGURES.items():
            self.stdout.write(f"{found[name]:>10,} {meaning}")
        lag = ", ".join(f"{name} {found[f'lag_{name}_seconds'] or 0:.2f} s" for name in ("p50", "p95", "max"))
        self.stdout.write(f"from a run's end to its record, the times of being away included: {lag}")
        for problem in found["problems"]:
            self.stdout.write(f"WRONG: {problem}")
        if not found["problems"]:
            self.stdout.write(f"Every run is recorded, once. Seed {found['seed']}, {found['seconds']:.0f} s in all.")

    def _say(self, options: dict[str, Any]) -> Any:
        def say(line: str) -> None:
            out = self.stderr if options["json"] else self.stdout
            out.write(line)
            out.flush()

        return say
