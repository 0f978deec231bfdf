"""`manage.py report CAMPAIGN [--format md|html|json]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from goals.models import Campaign
from kernel.errors import NotFound
from manager.reports.content import report_write
from manager.reports.html import render as render_html
from manager.reports.markdown import render as render_markdown


class Command(BaseCommand):
    help = "The human-readable report of a campaign, by its number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", type=int, metavar="CAMPAIGN", help="the campaign's number")
        parser.add_argument("--format", choices=["md", "html", "json"], default="md")
        parser.add_argument("--json", action="store_true", help="the same as --format json")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.select_related("goal").filter(number=options["campaign"]).first()
        if campaign is None:
            raise NotFound(f"there is no campaign {options['campaign']}")
        content = report_write(campaign=campaign).content
        if options["json"] or options["format"] == "json":
            self.stdout.write(json.dumps(content, ensure_ascii=False, indent=2))
        elif options["format"] == "html":
            self.stdout.write(render_html(content))
        else:
            self.stdout.write(render_markdown(content))
