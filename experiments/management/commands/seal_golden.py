"""`manage.py seal_golden --reason TEXT [--json]`: a person seals the bundled golden stories as they are now."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from audit.services import entry_append
from contracts.actor import Actor, Role
from experiments.golden_files import files_hashes, files_problems, files_seal
from kernel.errors import InvalidInput


class Command(BaseCommand):
    help = "Seal the files of the bundled golden stories after a change made by hand: writes experiments/golden/SEAL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="what was changed and why; kept in the change log")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        reason = options["reason"].strip()
        if not reason:
            raise InvalidInput("sealing needs a reason")
        changes = files_problems()
        files = files_seal() if changes else files_hashes()
        if changes:
            entry_append(
                actor=Actor(kind="person", name="command line", role=Role.META_USER),
                action="golden.files_sealed",
                subject_type="dataset",
                subject_id="bundled",
                before={"differed": changes},
                after={"files": files},
                reason=reason,
            )
        if options["json"]:
            self.stdout.write(json.dumps({"changes": changes, "files": files}, ensure_ascii=False))
            return
        for change in changes or ["nothing was changed"]:
            self.stdout.write(f"  {change}")
        self.stdout.write(f"{len(files)} golden files are sealed.")
