"""`manage.py sense`: records the student's runs as they settle, and keeps the tables in order."""

from __future__ import annotations

import json
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contracts.actor import Actor, Role
from kernel.errors import DomainError
from sensor.domain.report import CaptureReport
from sensor.domain.retention import RetentionLine, RetentionReport, month_name
from sensor.listener import listen
from sensor.services import backfill, catch_up
from sensor.services.maintenance import maintenance_run
from sensor.services.retention import retention_apply, retention_plan
from sensor.services.retention_policy import retention_current
from sensor.storage import storage_state

_SAID = {"drop": "the whole month goes", "delete": "goes in part", "keep": "stays", "postponed": "postponed"}


class Command(BaseCommand):
    help = "Records every run of the memory service: first what was missed, then live, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--once", action="store_true", help="record what settled since the last time, and end")
        what.add_argument("--backfill", action="store_true", help="go through the whole history, and end")
        what.add_argument("--maintain", action="store_true", help="make months ahead, tidy up, and end")
        what.add_argument(
            "--retention", action="store_true", help="say which old rows would go by the policy, and end; see --apply"
        )
        parser.add_argument("--apply", action="store_true", help="with --retention: let them go")
        parser.add_argument("--reason", default="", help="with --apply: why; kept in the change log")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["apply"] and not options["retention"]:
            raise CommandError("--apply goes with --retention", returncode=2)
        as_json = options["json"]
        if options["maintain"]:
            self._maintain(as_json=as_json)
        elif options["retention"]:
            self._retention(apply=options["apply"], reason=options["reason"], as_json=as_json)
        elif options["backfill"]:
            self._print(backfill(), as_json=as_json)
        else:
            self._print(catch_up() if options["once"] else self._live(quiet=as_json), as_json=as_json)

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
            found = {"captured": report.captured, "lag_seconds": report.lag_seconds, "too_old": report.too_old}
            self.stdout.write(json.dumps(found))
            return
        lag = "" if report.lag_seconds is None else f", the slowest {report.lag_seconds:.3f} s after its end"
        self.stdout.write(f"Recorded {report.captured} runs{lag}.")
        if report.too_old:
            self.stdout.write(f"{report.too_old} runs are too old: retention has removed the time in which they began.")

    def _maintain(self, *, as_json: bool) -> None:
        report = maintenance_run()
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), default=str))
            return
        self.stdout.write(
            f"{report.made} partitions made, {report.moved} rows moved into their months,"
            f" {report.folded} changes folded into the rollups, {report.pruned} rollups by the minute dropped."
        )
        if report.retention is not None:
            self._tell(report.retention)
        for concern in report.state.concerns:
            self.stdout.write(f"Look at this: {concern}")

    def _retention(self, *, apply: bool, reason: str, as_json: bool) -> None:
        try:
            report = (
                retention_apply(
                    actor=Actor(kind="person", name="command-line", role=Role.META_USER),
                    reason=reason.strip() or "applied on the command line",
                )
                if apply
                else retention_plan()
            )
        except DomainError as error:
            raise CommandError(error.message, returncode=1) from error
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), default=str))
            return
        self._tell(report)
        for table, number in storage_state().stray.items():
            if number:
                self.stdout.write(f"{number:,} rows of {table} lie in no month: --maintain moves them first.")

    def _tell(self, report: RetentionReport) -> None:
        for line in report.lines:
            self.stdout.write(_line(line))
        if not report.lines:
            for_ever = retention_current().production_months is None
            self.stdout.write(
                "Everything is kept for ever; how long is set in the admin under Retention."
                if for_ever
                else "Nothing is older than what is kept."
            )
            return
        gone = "went" if report.applied else "would go; nothing has changed"
        besides = ", ".join(
            f"{sum(getattr(line, name) for line in report.lines):,} {what}"
            for name, what in (
                ("ledger", "claims of the ledger"),
                ("truths", "ground truths"),
                ("judgements", "judgements"),
            )
        )
        self.stdout.write(f"{report.rows:,} rows, and with them {besides} {gone}.")
        if report.applied and not report.complete:
            self.stdout.write("Not all of it: the same command does the rest.")


def _line(line: RetentionLine) -> str:
    size = f"{line.bytes / 1e6:.1f} MB"
    return f"{line.table} {month_name(line.month)}: {_SAID[line.action]} ({line.rows:,} rows, {size}): {line.why}"
