"""Check scenario files: format, ids, truth, minimums, that no two splits share anything, and the golden files' seal.

It stands here and not beside the emulator because the emulator never reads golden stories.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from emulator.check import ScenarioReport, check_folder
from experiments.scenario_report import bundled_report


class Command(BaseCommand):
    help = "List what scenarios lack and what is wrong with them. Exit code 1 when there is anything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            metavar="DIR",
            help="a folder of scenario files; what is bundled if left out",
        )
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        report = check_folder(Path(options["folder"])) if options["folder"] else bundled_report()
        self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False) if options["json"] else _text(report))
        if not report.ok:
            sys.exit(1)


def _text(report: ScenarioReport) -> str:
    lines = []
    for item in report.scenarios:
        lines.append(
            f"{'ok ' if not item.gaps else 'BAD'} {item.split:<10} {item.language} {item.id}: {item.threads} threads, "
            f"{item.statements} statements, {item.queries} questions"
        )
        lines += [f"      {gap}" for gap in item.gaps]
    lines += [f"BAD {problem}" for problem in report.problems]
    lines.append("All sound." if report.ok else "Not sound; see above.")
    return "\n".join(lines)
