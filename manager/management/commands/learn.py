"""`manage.py learn --goal TEXT [...]`: one campaign in the foreground."""

from __future__ import annotations

import getpass
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from rich.console import Console

from contracts.actor import Actor, Role
from contracts.goal import Autonomy
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import bundled_ready, campaign_follow, learn_json, needs_bundled
from manager.reports.content import report_write
from manager.services.campaigns import (
    CYCLES,
    DIALOGUES,
    CampaignWish,
    campaign_begin,
    campaign_go_on,
    campaign_unfinished,
    goal_refuse_contradiction,
    goal_understand,
)
from manager.terminal import Screen, report_print


class Command(BaseCommand):
    help = "Turn a goal into a campaign and run it here, with live progress and a report at the end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--goal", required=True, metavar="TEXT", help="the goal in plain Russian or English")
        parser.add_argument("--cycles", type=int, metavar="N", help=f"at most so many cycles (default {CYCLES})")
        parser.add_argument("--dialogues", type=int, metavar="N", help=f"dialogues a cycle (default {DIALOGUES})")
        parser.add_argument("--dataset", default="bundled", metavar="NAME", help="data set (default: bundled)")
        parser.add_argument("--autonomy", choices=[level.value for level in Autonomy], help="overrides the goal's own")
        parser.add_argument("--approve", action="store_true", help="answer approval requests as the calling user")
        parser.add_argument("--seed", type=int, metavar="S", help="same seed, same campaign (latency apart)")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Actor(kind="person", name=getpass.getuser(), role=Role.META_USER)
        console = Console(stderr=options["json"])
        client = get_client()
        translation = goal_understand(options["goal"])
        goal_refuse_contradiction(translation)
        wish = CampaignWish(
            dataset=options["dataset"],
            autonomy=Autonomy(options["autonomy"]) if options["autonomy"] else None,
            cycles=options["cycles"],
            dialogues=options["dialogues"],
            seed=options["seed"],
        )
        for alias in connections:
            # Before anything is stored: a campaign without its student could only fail, and stay behind.
            connections[alias].ensure_connection()
        with Screen(console) as screen:
            if needs_bundled(wish.dataset):
                bundled_ready(client=client, on_progress=screen.told)
            campaign = campaign_unfinished(text=translation.text, dataset=wish.dataset)
            if campaign is not None:
                console.print(f"going on with campaign {campaign.number}, which began and did not end")
                console.print(
                    "[dim]its own seed, cycles, dialogues and autonomy hold; another worker's step is waited for[/]"
                )
                if campaign.status == CampaignStatus.FAILED:
                    campaign_go_on(campaign_id=campaign.id, actor=person, background=False)
            else:
                campaign = campaign_begin(translation=translation, wish=wish, actor=person)
                for text in translation.assumptions:
                    console.print(f"[dim]assumed   {text}[/]")
                for text in translation.unread:
                    console.print(f"[yellow]not read  {text}[/]")
            try:
                answered = campaign_follow(
                    campaign_id=campaign.id,
                    client=client,
                    approve_as=person if options["approve"] else None,
                    show=screen.show,
                    on_step=screen.journal,
                )
            except KeyboardInterrupt:
                # Not stopped: what was answered is kept, and with `up` running a worker takes it on.
                console.print(
                    f"interrupted; campaign {campaign.number} is not stopped: the same command goes on with it, as a "
                    "worker of `manage.py up` does; its page can pause or stop it"
                )
                raise
            screen.journal(campaign)
        campaign = Campaign.objects.select_related("goal").get(id=campaign.id)
        # Renewed, because what was approved on the way is told too; a campaign that somebody paused or stopped
        # from elsewhere has none yet.
        report = report_write(campaign=campaign)
        if options["json"]:
            self.stdout.write(json.dumps(learn_json(campaign, answered), ensure_ascii=False))
        else:
            report_print(console, report.content)
