"""`manage.py sense`: records the student's runs as they settle."""

from __future__ import annotations

import json
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sensor.domain.report import CaptureReport
from sensor.listener import listen
from sensor.services import backfill, catch_up


class Command(BaseCommand):
    help = "Records every run of the memory service: first what was missed, then live, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="record what settled since the last time, and end")
        parser.add_argument("--backfill", action="store_true", help="go through the whole history, and end")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["backfill"]:
            report = backfill()
        elif options["once"]:
            report = catch_up()
        else:
            report = self._live(quiet=options["json"])
        self._print(report, as_json=options["json"])

    def _live(self, *, quiet: bool) -> CaptureReport:
        stop = threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        if not quiet:
            self.stdout.write("The Sensor listens. Ctrl-C ends it.")
            self.stdout.flush()
        return listen(stop=stop)

    def _print(self, report: CaptureReport, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"captured": report.captured, "lag_seconds": report.lag_seconds}))
            return
        lag = "" if report.lag_seconds is None else f", the slowest {report.lag_seconds:.3f} s after its end"
        self.stdout.write(f"Recorded {report.captured} runs{lag}.")
