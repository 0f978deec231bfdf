"""`manage.py judge [BATCH] [--repeats K] [--json]`: judge a batch by the judge of the policy, and tell what it did."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from kernel.errors import DomainError
from manager.services.judging import judging_current
from manager.terminal import Screen
from teacher.judges import Steadiness, batch_judge, judge_steadiness, judgings_of, judgings_recent
from teacher.models import BatchJudging

_MARKS = {
    "hallucination_detected": "Made something up",
    "context_utilized": "Used its context",
    "retrieval_relevant": "Found something relevant",
}
_TOLD = (
    "batch",
    "judge_version",
    "repeat",
    "in_force",
    "runs",
    "chosen",
    "judged",
    "missing",
    "calls",
    "cached",
    "stopped",
)


class Command(BaseCommand):
    help = (
        "Judge what is not judged yet of a batch, by the judge of the policy, within its sample and money. With"
        " --repeats K it is judged K times more, which changes no mark and shows how steady the judge is. Without a"
        " batch nothing is judged: what was judged last is listed, with its price."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", nargs="?", help="as evaluation passes and emulations name it")
        parser.add_argument("--repeats", type=int, default=0, metavar="K", help="judge K times more (default: 0)")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        batch, console = options["batch"], Console(stderr=options["json"])
        if options["repeats"] < 0:
            raise CommandError("--repeats is 0 or more", returncode=2)
        if batch is None:
            recent = judgings_recent()
            if options["json"]:
                self.stdout.write(json.dumps({"judgings": [_row(row) for row in recent]}, ensure_ascii=False))
            else:
                _print(console, recent)
            return
        try:
            judging = judging_current()
            with Screen(console) as screen:
                for repeat in range(options["repeats"] + 1):
                    batch_judge(batch=batch, judging=judging, repeat=repeat, on_progress=screen.judged)
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        judgings, steadiness = judgings_of(batch), judge_steadiness(batch=batch)
        if options["json"]:
            self.stdout.write(json.dumps(_told(batch, judgings, steadiness), ensure_ascii=False))
            return
        _print(console, judgings)
        _print_steadiness(console, steadiness)


def _row(row: BatchJudging) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in _TOLD}, "cost_usd": float(row.cost_usd)}


def _told(batch: str, judgings: list[BatchJudging], steadiness: Steadiness) -> dict[str, Any]:
    return {
        "batch": batch,
        "judgings": [_row(row) for row in judgings],
        "steadiness": {
            "judge_version": steadiness.judge_version,
            "runs": steadiness.runs,
            "repeats": steadiness.repeats,
            "missing": steadiness.missing,
            "pairs": dict(steadiness.pairs),
            "equal": dict(steadiness.equal),
        },
    }


def _print(console: Console, judgings: list[BatchJudging]) -> None:
    table = Table(box=None, header_style="dim")
    for title in ("batch", "judge", "repeat", "counts", "runs", "sample", "judged", "missing", "asked", "kept", "USD"):
        table.add_column(title, justify="left" if title in ("batch", "judge", "counts") else "right", overflow="fold")
    for row in judgings:
        table.add_row(
            row.batch, row.judge_version, str(row.repeat), "yes" if row.in_force else "", str(row.runs),
            str(row.chosen), str(row.judged), str(row.missing), str(row.calls), str(row.cached), f"{row.cost_usd:.4f}",
        )  # fmt: skip
    console.print(table)
    for row in judgings:
        if row.stopped:
            console.print(f"[yellow]{row.judge_version} on {row.batch} ended early:[/] {row.stopped}")


def _print_steadiness(console: Console, steadiness: Steadiness) -> None:
    if any(steadiness.pairs.values()):
        console.print(f"Steadiness over {steadiness.runs} runs, each judged up to {steadiness.repeats} times:")
        for name, share in steadiness.equal.items():
            if share is not None:
                console.print(f"  {_MARKS[name]}: {share:.1%} of {steadiness.pairs[name]} pairs agree")
