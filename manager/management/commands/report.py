"""`manage.py report CAMPAIGN [--cycle N] [--format md|html|json] [--lang en|ru]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import get_language, override

from goals.models import Campaign
from kernel.errors import NotFound
from manager.reports.content import report_write
from manager.reports.cycle import cycle_content, cycle_of
from manager.reports.html import render as render_html
from manager.reports.markdown import render as render_markdown


class Command(BaseCommand):
    help = "The human-readable report of a campaign, or of one of its cycles, by number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", type=int, metavar="CAMPAIGN", help="the campaign's number")
        parser.add_argument("--cycle", type=int, metavar="N", help="one cycle instead of the whole campaign")
        parser.add_argument("--format", choices=["md", "html", "json"], default="md")
        parser.add_argument("--lang", choices=["en", "ru"], help="default: LANGUAGE_CODE")
        parser.add_argument("--json", action="store_true", help="the same as --format json")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.select_related("goal").filter(number=options["campaign"]).first()
        if campaign is None:
            raise NotFound(f"there is no campaign {options['campaign']}")
        if options["cycle"] is None:
            content = report_write(campaign=campaign).content
        else:
            content = cycle_content(campaign, cycle_of(campaign, options["cycle"]))
        with override(options["lang"] or get_language()):
            self.stdout.write(self._said(content, "json" if options["json"] else options["format"]))

    def _said(self, content: dict[str, Any], form: str) -> str:
        if form == "json":
            return json.dumps(content, ensure_ascii=False, indent=2)
        return render_html(content) if form == "html" else render_markdown(content)
