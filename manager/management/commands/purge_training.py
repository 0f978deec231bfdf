"""Take training data away after it has served; parameters, results and the change log stay."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from contracts.actor import Actor, Role
from emulator.models import EmulationBatch
from kernel.errors import DomainError, InvalidInput, NotFound
from manager.services.purging import Counts, PurgePlan, batches_chosen, purge_plan, training_purge


class Command(BaseCommand):
    help = (
        "Delete synthetic users with their runs, logs and memories, and the emulations they took part in. What a"
        " campaign or experiment still needs stays, and so do real people. Interrupted, the same command does the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--batch", action="append", metavar="NAME", help="an emulation; may be given several times")
        which.add_argument("--before", metavar="DATE", help="all begun before a day (2026-11-01) or moment")
        which.add_argument("--all", action="store_true", dest="everything", help="all that may go")
        parser.add_argument("--events", action="store_true", help="what the Sensor recorded of their runs too")
        parser.add_argument("--reason", default="", help="why; kept in the change log")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go and what would stay")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(kind="person", name="command-line", role=Role.META_USER)
        try:
            chosen = batches_chosen(
                names=options["batch"] or (), before=_moment(options["before"]), everything=options["everything"]
            )
            if options["dry_run"]:
                plan = purge_plan(batches=chosen, events=options["events"])
            else:
                plan = training_purge(
                    batches=chosen,
                    actor=actor,
                    reason=options["reason"] or "purged on the command line",
                    events=options["events"],
                    on_progress=None if options["json"] else self._gone,
                )
        except (InvalidInput, NotFound) as error:
            raise CommandError(error.message, returncode=2) from error
        except DomainError as error:
            raise CommandError(error.message, returncode=1) from error
        if options["json"]:
            self.stdout.write(json.dumps(_summary(plan, dry=options["dry_run"])))
        else:
            self._tell(plan, dry=options["dry_run"])
        if options["batch"] and plan.refused:
            raise CommandError("not all of these may go", returncode=1)

    def _gone(self, batch: EmulationBatch, counts: Counts) -> None:
        self.stdout.write(f"{batch.batch}: {counts.turns} turns, {counts.memories} memories gone")

    def _tell(self, plan: PurgePlan, *, dry: bool) -> None:
        for item in plan.refused:
            self.stdout.write(f"{item.batch} stays: {item.reason}")
        counts = ", ".join(f"{number} {name}" for name, number in asdict(plan.counts).items() if number)
        self.stdout.write(f"{'would go' if dry else 'gone'}: {counts or 'nothing'}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment, day = parse_datetime(text), parse_date(text)
    except ValueError:
        moment = day = None
    if day is not None and moment is None:
        moment = datetime.combine(day, time())
    if moment is None:
        raise InvalidInput("--before: a date such as 2026-11-01", details={"field": "before"})
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _summary(plan: PurgePlan, *, dry: bool) -> dict[str, Any]:
    return {
        "dry_run": dry,
        "batches": [batch.batch for batch in plan.batches],
        "refused": [asdict(item) for item in plan.refused],
        "counts": asdict(plan.counts),
    }
