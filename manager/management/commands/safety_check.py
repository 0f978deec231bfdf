"""`manage.py safety_check`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contracts.actor import component
from manager.services.checks import safety_run

_WORDS = {True: "holds", False: "FAILED", None: "not made"}


class Command(BaseCommand):
    help = "Make every safety check now and keep the results. Exit code 1 when one fails; that opens an incident."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        results = safety_run(actor=component("manager"))
        if options["json"]:
            rows = [{"name": item.name, "ok": item.ok, "detail": item.detail} for item in results]
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
        else:
            for item in results:
                self.stdout.write(f"{_WORDS[item.ok]:8}  {item.name}: {item.detail}")
        failed = [item.name for item in results if item.ok is False]
        if failed:
            raise CommandError(f"{len(failed)} of {len(results)} safety checks failed: {', '.join(failed)}")
