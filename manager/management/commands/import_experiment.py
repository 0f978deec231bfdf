"""`manage.py import_experiment FILE [--campaign N] [--because TEXT] [--json]`: plan an experiment written by hand."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from contracts.actor import Actor, Role
from kernel.errors import DomainError
from manager.services.importing import Imported, spec_import


class Command(BaseCommand):
    help = (
        "Plan an experiment from a spec in YAML or JSON (a file, or - for standard input) inside an open campaign."
        " Its start waits for a meta-user. Every error is named with its path."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the spec; - reads standard input")
        parser.add_argument("--campaign", type=int, metavar="N", help="which campaign runs it (default: newest open)")
        parser.add_argument("--because", default="", metavar="TEXT", help="why you expect it")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(kind="person", name="command-line", role=Role.OPERATOR)
        try:
            text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}", returncode=2) from error
        try:
            done = spec_import(text=text, actor=actor, campaign=options["campaign"], because=options["because"])
        except DomainError as error:
            errors = error.details.get("errors")
            lines = [f"{item['path']}: {item['message']}" if item["path"] else item["message"] for item in errors or []]
            raise CommandError("\n".join(lines) or error.message, returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(_row(done), ensure_ascii=False))
            return
        console = Console()
        console.print(f"Planned: [b]{done.experiment.slug}[/b]. Its start waits under Approvals.")
        for note in done.notes:
            console.print(f"  {note}", style="dim")


def _row(done: Imported) -> dict[str, Any]:
    return {
        "experiment_id": done.experiment.slug,
        "status": done.experiment.status,
        "approval_id": str(done.approval.id),
        "notes": list(done.notes),
    }
