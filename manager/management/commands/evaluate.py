"""`manage.py evaluate --split validation|golden [--dataset NAME] [--version V] [--json]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from contracts.metric import METRICS
from experiments.bundled import BUNDLED
from maas.client import get_client
from manager.foreground import bundled_ready
from manager.services.evaluation import version_evaluate
from manager.terminal import Screen
from teacher.domain.wording import amount

_HIDDEN = {"isolation_violations"}


class Command(BaseCommand):
    help = "Metrics of a parameter version on validation or golden questions, overall and by category."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--split", required=True, choices=["validation", "golden"])
        parser.add_argument("--dataset", default=BUNDLED, metavar="NAME")
        parser.add_argument(
            "--version", type=int, metavar="V", dest="parameter_version", help="default: the active one"
        )
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Django's own `--version` prints Django's version; here the name means a parameter version."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        client, console = get_client(), Console(stderr=options["json"])
        with Screen(console) as screen:
            if options["dataset"] == BUNDLED:
                bundled_ready(client=client, on_progress=screen.told)
            found = version_evaluate(
                dataset=options["dataset"],
                split=options["split"],
                version=options["parameter_version"],
                client=client,
                on_progress=screen.passed,
                on_judged=screen.judged,
            )
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        console.print(f"[bold]{found['dataset']}, {found['split']}, version {found['version']}[/], n = {found['n']}")
        categories = found["by_category"]
        table = Table(box=None, header_style="dim")
        for title in ("metric", "all", *categories):
            table.add_column(title, justify="left" if title == "metric" else "right")
        for name, value in found["metrics"].items():
            if name in METRICS and name not in _HIDDEN and value is not None:
                cells = [amount(name, group.get(name)) for group in categories.values()]
                table.add_row(METRICS[name].title, amount(name, value), *cells)
        console.print(table)
