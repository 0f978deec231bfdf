"""Check the hash chain of the change log."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.selectors import chain_verify


class Command(BaseCommand):
    help = "Recompute the hash chain of the change log; names the first bad row. Exit code 1 when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        report = chain_verify()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
        elif report.ok:
            self.stdout.write(f"The change log is sound: {report.rows} rows, head {report.head or 'none'}")
        else:
            self.stdout.write(f"The change log is broken: {report.reason} ({report.rows} rows)")
        if not report.ok:
            sys.exit(1)
