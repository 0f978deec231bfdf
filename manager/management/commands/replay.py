"""`manage.py replay [EXPERIMENT …|--all]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from experiments.models import ExperimentResult
from teacher.services import verdict_replay


class Command(BaseCommand):
    help = "Compute stored verdicts again from their stored samples, and say identical or what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="slugs")
        parser.add_argument("--all", action="store_true", help="every stored verdict")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        slugs = options["experiments"]
        if bool(slugs) == options["all"]:
            raise CommandError("name experiments, or say --all", returncode=2)
        if options["all"]:
            slugs = list(ExperimentResult.objects.order_by("created_at").values_list("experiment_id", flat=True))
        found = [verdict_replay(slug=slug) for slug in slugs]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(item) for item in found], ensure_ascii=False))
        else:
            for item in found:
                self.stdout.write(f"{item.experiment}: {'identical' if item.identical else item.difference}")
            self.stdout.write(f"{sum(item.identical for item in found)} of {len(found)} identical")
        if not all(item.identical for item in found):
            raise CommandError("at least one stored verdict cannot be reproduced")
