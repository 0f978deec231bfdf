"""Check scenario files: format, ids, truth, minimums, that no two splits share anything, and the golden files' seal.

It stands here and not beside the emulator because the emulator never reads golden stories.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from emulator.check import ScenarioReport, check_folder, leaks
from emulator.library import DATA, load_scenario
from experiments.golden_files import FOLDER, files_problems
from kernel.errors import InvalidInput


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
        report = check_folder(Path(options["folder"])) if options["folder"] else _bundled()
        self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False) if options["json"] else _text(report))
        if not report.ok:
            sys.exit(1)


def _bundled() -> ScenarioReport:
    """The bundled scenarios and the golden stories: each by itself, against each other, and the seal of the files."""
    own, golden = check_folder(), check_folder(FOLDER)
    problems = [*own.problems, *golden.problems, *files_problems()]
    try:
        paths = [*sorted((DATA / "scenarios").glob("*.json")), *sorted(FOLDER.glob("*.json"))]
        problems += leaks([load_scenario(path) for path in paths])
    except InvalidInput:
        pass  # a file that cannot be read is among the problems already
    return ScenarioReport(scenarios=(*own.scenarios, *golden.scenarios), problems=tuple(dict.fromkeys(problems)))


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
