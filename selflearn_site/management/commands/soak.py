"""`manage.py soak [PART]`: is everything done once, whatever is killed and restarted meanwhile?"""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand

PARTS = {"sensor": "benchmarks.soak", "campaign": "benchmarks.soak_campaign"}

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
CAMPAIGN_FIGURES = {
    "cycles": "cycles",
    "experiments": "experiments",
    "runs": "runs of the student, each recorded and paid once",
    "tokens": "tokens on the bill",
    "restarts": "times a process ended of an error, such as a lost database, and was started again",
    "taken_up_again": "runs were taken over from a killed process",
}


class Command(BaseCommand):
    help = (
        "Kill processes and the database under load, on a server of its own; ends with 1 when anything is missing, done"
        " twice or decided otherwise. Parts: sensor (runs are recorded while the Sensor is killed and the database is"
        " restarted), campaign (a campaign whose worker, orchestrator and database are killed decides as one that"
        " nobody disturbed)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", nargs="?", choices=list(PARTS), default="sensor", help="default: sensor")
        parser.add_argument("--seed", type=int, default=1, help="of the load and of the plan (default 1)")
        parser.add_argument("--lease", type=float, help="seconds until lost work is taken over (sensor 45, campaign 4)")
        parser.add_argument("--json", action="store_true", help="machine-readable output")
        sensor = parser.add_argument_group("sensor")
        sensor.add_argument("--runs", type=int, default=10_000)
        sensor.add_argument("--kills", type=int, default=10, help="how often the Sensor is killed (default 10)")
        sensor.add_argument("--restarts", type=int, default=2, help="how often the database is restarted (default 2)")
        sensor.add_argument("--rate", type=float, help="requests a second at most (default: as many as can be)")
        campaign = parser.add_argument_group("campaign")
        campaign.add_argument("--cycles", type=int, default=10, help="cycles of the campaign (default 10)")
        campaign.add_argument("--workers", type=int, default=10, help="how often its worker is killed (default 10)")
        campaign.add_argument("--orchestrators", type=int, default=5, help="how often the orchestrator is (default 5)")
        campaign.add_argument("--databases", type=int, default=3, help="how often the database is (default 3)")
        campaign.add_argument("--small", action="store_true", help="on a small made-up world, not the bundled stories")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and processes are removed on the way out
        part = options["part"]
        names: tuple[str, ...] = ("runs", "kills", "restarts", "rate")
        if part == "campaign":
            names = ("cycles", "workers", "orchestrators", "databases", "small")
        sizes = {name: options[name] for name in ("seed", "lease", *names) if options[name] is not None}
        found = import_module(PARTS[part]).run(**sizes, say=self._say(options))
        if options["json"]:
            self.stdout.write(json.dumps(found, default=str))
        elif part == "campaign":
            self._tell_campaign(found)
        else:
            self._tell(found)
        if found["problems"]:
            sys.exit(1)

    def _tell(self, found: dict[str, Any]) -> None:
        self._tell_figures(found, FIGURES)
        lag = ", ".join(f"{name} {found[f'lag_{name}_seconds'] or 0:.2f} s" for name in ("p50", "p95", "max"))
        self.stdout.write(f"from a run's end to its record, the times of being away included: {lag}")
        self._tell_end(found, "Every run is recorded, once.")

    def _tell_campaign(self, found: dict[str, Any]) -> None:
        self._tell_figures(found, CAMPAIGN_FIGURES)
        for cycle, factor, before, after, decision in found["decisions"]:
            self.stdout.write(f"  cycle {cycle}: {factor} {before} → {after}: {decision}")
        killed = ", ".join(f"{what} {times}" for what, times in found["killed"].items())
        self.stdout.write(f"killed: {killed}")
        self.stdout.write(
            f"{found['seconds_undisturbed']:.0f} s undisturbed, {found['seconds_killed']:.0f} s with kills"
        )
        self._tell_end(
            found, "Decisions, reasons, journal, parameters, runs and bill are those of the undisturbed one."
        )

    def _tell_figures(self, found: dict[str, Any], figures: dict[str, str]) -> None:
        for name, meaning in figures.items():
            self.stdout.write(f"{found[name]:>10,} {meaning}")

    def _tell_end(self, found: dict[str, Any], fine: str) -> None:
        for problem in found["problems"]:
            self.stdout.write(f"WRONG: {problem}")
        if not found["problems"]:
            self.stdout.write(f"{fine} Seed {found['seed']}, {found['seconds']:.0f} s in all.")

    def _say(self, options: dict[str, Any]) -> Any:
        def say(line: str) -> None:
            out = self.stderr if options["json"] else self.stdout
            out.write(line)
            out.flush()

        return say
