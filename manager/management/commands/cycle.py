"""`manage.py cycle micro|macro|deep [--json]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from contracts.actor import Actor, Role
from experiments.bundled import BUNDLED
from kernel.errors import DomainError
from maas.client import get_client
from manager.domain.scheduling import TYPES
from manager.engine.lease import worker_name
from manager.engine.upkeep import upkeep_work
from manager.foreground import bundled_ready
from manager.services.upkeep import schedule_row, upkeep_begin, upkeep_get

COMMAND_LINE = Actor(kind="person", name="command-line", role=Role.OPERATOR)


class Command(BaseCommand):
    help = "Run one upkeep cycle now, in the foreground. It does not wait for real users, as scheduled ones do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("type", choices=TYPES)
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        console, client = Console(stderr=True), get_client()
        try:
            if schedule_row().dataset == BUNDLED and options["type"] != "deep":
                bundled_ready(client=client)
            cycle = upkeep_begin(kind=options["type"], actor=COMMAND_LINE, reason="asked for on the command line")
            with console.status("") as status:
                upkeep_work(
                    cycle_id=cycle.id,
                    worker=worker_name(),
                    client=client,
                    yields=False,
                    show=lambda label, done, planned: status.update(f"{label}: {done} of {planned}"),
                )
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        cycle = upkeep_get(cycle.id)
        if options["json"]:
            shown = {"id": str(cycle.id), "type": cycle.type, "state": cycle.state, "findings": cycle.findings}
            self.stdout.write(json.dumps(shown, ensure_ascii=False))
            return
        self.stdout.write(f"{cycle.type} cycle {cycle.state}")
        for name, found in cycle.findings.items():
            self.stdout.write(f"  {name}: {json.dumps(found, ensure_ascii=False)}")
