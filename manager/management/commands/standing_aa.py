"""`manage.py standing_aa [--experiments N] [--dataset NAME] [--json]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from contracts.metric import METRICS
from experiments.bundled import BUNDLED
from experiments.models import StandingTest
from kernel.errors import DomainError
from maas.client import get_client
from manager.domain.standing import LIMIT, Share
from manager.foreground import bundled_ready
from manager.services.standing import standing_run, standing_share
from manager.terminal import Screen


class Command(BaseCommand):
    help = "Run experiments of two identical arms through the product, and tell how often they found a difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--experiments", type=int, default=1, metavar="N", help="run so many now; 0: only tell")
        parser.add_argument("--dataset", default=BUNDLED, metavar="NAME")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["experiments"] < 0:
            raise CommandError("--experiments is 0 or more", returncode=2)
        client, console = get_client(), Console(stderr=options["json"])
        dataset, ran = options["dataset"], []
        try:
            with Screen(console) as screen:
                if dataset == BUNDLED and options["experiments"]:
                    bundled_ready(client=client, on_progress=screen.told)
                for _ in range(options["experiments"]):
                    ran.append(
                        standing_run(dataset=dataset, client=client, on_progress=screen.passed, on_judged=screen.judged)
                    )
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        share = standing_share(dataset=dataset)
        if options["json"]:
            self.stdout.write(json.dumps(_json(dataset, ran, share), ensure_ascii=False))
        else:
            _print(console, ran, share)
        if share.too_many:
            raise CommandError(f"more than {LIMIT:.1%} of experiments on {dataset} find what is not there")


def _json(dataset: str, ran: list[StandingTest], share: Share) -> dict[str, Any]:
    names = ("slug", "metric", "verdict", "p_value", "n", "alike", "looks")
    return {
        "dataset": dataset,
        "experiments": [{name: getattr(test, name) for name in names} for test in ran],
        "share": {**asdict(share), "limit": LIMIT},
    }


def _print(console: Console, ran: list[StandingTest], share: Share) -> None:
    if ran:
        table = Table(box=None, header_style="dim")
        for title in ("A/A", "metric", "n", "alike", "p", "verdict"):
            table.add_column(title, justify="left" if title in ("metric", "verdict") else "right")
        for test in ran:
            p_value = "" if test.p_value is None else f"{test.p_value:.3f}"
            title = METRICS[test.metric].title
            table.add_row(str(test.number), title, str(test.n), str(test.alike), p_value, test.verdict)
        console.print(table)
    if share.share is None:
        console.print(f"No A/A experiment that could show anything was finished yet ({share.alike} had no difference).")
        return
    console.print(
        f"{share.false} of {share.tests} ended with a verdict: {share.share:.1%} [{share.low:.1%}, {share.high:.1%}], "
        f"held to {LIMIT:.1%}" + (f"; {share.alike} more had no pair that differed" if share.alike else "")
    )
