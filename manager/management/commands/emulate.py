"""Play dialogues of synthetic users against MaaS, and have the Sensor record them (steps 4 and 5 of a cycle)."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from contracts.actor import Actor, Role
from emulator.models import EmulationBatch
from emulator.selectors import ground_truths, run_ids
from emulator.services import EmulationPlan, Progress, emulation_run, emulation_start
from kernel.errors import DomainError, RuleViolated
from maas.client import get_client
from manager.engine.passes import recorded
from sensor.services import runs_capture

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.fields[rate]:.1f} turns/s"),
)


class Command(BaseCommand):
    help = (
        "Play dialogues of synthetic users against MaaS and record them. The same --batch again goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dialogues", type=int, required=True, help="how many threads to play")
        parser.add_argument("--turns", type=int, help="at most so many turns in each")
        parser.add_argument("--scenarios", default="", help="ids or families, separated by commas; all if left out")
        parser.add_argument("--experiment", help="slug of the experiment that the runs belong to")
        parser.add_argument("--variant", help="arm of that experiment")
        parser.add_argument("--parallel", type=int, default=2, help="how many users talk at once")
        parser.add_argument("--split", choices=("train", "validation"), default="train")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--driver",
            choices=("script", "offline", "llm"),
            help="who words the turns: the scenario's text as it stands, phrases around it (default), or a model",
        )
        parser.add_argument("--batch", help="name of the batch, to go on with it later; made up if left out")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(kind="person", name="command-line", role=Role.OPERATOR)
        try:
            batch = emulation_start(plan=_plan(options), actor=actor)
            quiet = options["json"] or not self.stdout.isatty()
            batch = _play(batch, None if quiet else Bar(*_COLUMNS))
            recorded(ground_truths(batch=batch.batch))
            runs_capture(run_ids=run_ids(batch=batch.batch))
        except RuleViolated as error:
            raise CommandError(error.message, returncode=2) from error
        except DomainError as error:
            raise CommandError(error.message, returncode=1) from error
        self.stdout.write(json.dumps(_summary(batch)) if options["json"] else _sentence(batch))
        if batch.turns_done and batch.turns_failed == batch.turns_done:
            sys.exit(1)


def _plan(options: dict[str, Any]) -> EmulationPlan:
    try:
        return EmulationPlan(
            batch=options["batch"] or f"emulate-{uuid.uuid4().hex[:12]}",
            dialogues=options["dialogues"],
            turns=options["turns"],
            seed=options["seed"],
            split=options["split"],
            scenarios=tuple(name.strip() for name in options["scenarios"].split(",") if name.strip()),
            parallel=options["parallel"],
            experiment=options["experiment"],
            variant=options["variant"],
            driver=options["driver"],
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise CommandError(f"--{first['loc'][0]}: {first['msg']}", returncode=2) from error


def _play(batch: EmulationBatch, bar: Bar | None) -> EmulationBatch:
    if bar is None:
        return emulation_run(batch_id=batch.pk, client=get_client())
    with bar:
        task = bar.add_task("turns", total=batch.turns_total, completed=batch.turns_done, rate=0.0)

        def show(at: Progress) -> None:
            bar.update(task, completed=at.turns_done, rate=at.rate)

        return emulation_run(batch_id=batch.pk, client=get_client(), on_progress=show)


def _summary(batch: EmulationBatch) -> dict[str, Any]:
    return {
        "batch": batch.batch,
        "status": batch.status,
        "dialogues": {"total": batch.dialogues_total, "done": batch.dialogues_done, "invalid": batch.dialogues_invalid},
        "turns": {"total": batch.turns_total, "done": batch.turns_done, "failed": batch.turns_failed},
        "queries": batch.queries_total,
        "statements_unremembered": batch.statements_unremembered,
        "invalid_rate": batch.invalid_rate,
        "seconds": (batch.finished_at - batch.started_at).total_seconds()
        if batch.finished_at and batch.started_at
        else None,
    }


def _sentence(batch: EmulationBatch) -> str:
    return (
        f"{batch.batch}: {batch.status}; {batch.dialogues_done} of {batch.dialogues_total} dialogues, "
        f"{batch.turns_done} turns ({batch.turns_failed} failed), {batch.queries_total} questions with ground truth, "
        f"{batch.dialogues_invalid} dialogues invalid, {batch.statements_unremembered} statements not remembered"
    )
