"""`manage.py first_run`: the main job of `make run`, one campaign on the bundled scenarios; once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from rich.console import Console

from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from manager.terminal import report_print

GOAL = "Raise recall of memories to 60 %, hallucinations below 8 %, fully automatic"


class Command(BaseCommand):
    help = "Run the first campaign on the bundled scenarios, or show its report when it was run before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="seed of the campaign")
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="where the site will be")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        done = (
            Campaign.objects.filter(goal__text=GOAL, status=CampaignStatus.COMPLETED).select_related("report").first()
        )
        if done is not None:
            console.print(f"Campaign {done.number} was run before; this is its report. A new goal starts on the site.")
            report_print(console, done.report.content, site=options["site"])
            return
        console.print(f"Learning from the bundled scenarios. Goal: “{GOAL}”")
        call_command("learn", goal=GOAL, seed=options["seed"])
        console.print(f"Read it with its evidence at {options['site']}")
