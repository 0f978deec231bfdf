"""Play dialogues of synthetic users against MaaS, and have the Sensor record them (steps 4 and 5 of a cycle)."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from contracts.actor import Actor, Role
from emulator.domain.lifecycle import BatchStatus
from emulator.models import EmulationBatch
from emulator.selectors import batch_by_name
from emulator.services import EmulationPlan, Progress, emulation_start
from kernel.errors import DomainError, InvalidInput, NotFound, RuleViolated
from maas.client import get_client
from manager.services.emulations import arm_check, emulation_halt, emulation_name
from manager.services.playing import emulation_follow

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("{task.fields[dialogues]}"),
    TextColumn("{task.fields[rate]:.1f} turns/s"),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
    TextColumn("[red]{task.fields[failed]}"),
)
_ALL_FAILED, _STOPPED = 1, 1


class Command(BaseCommand):
    help = (
        "Play dialogues of synthetic users against MaaS and record them. Ctrl-C stops after the turns at hand;"
        " --resume NAME goes on from there. Ends with 0 when all was played, 1 when it was stopped or nothing could be"
        " said, 2 for bad usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dialogues", type=int, help="how many threads to play")
        parser.add_argument("--turns", type=int, help="at most so many turns in each")
        parser.add_argument("--scenarios", default="", help="ids or families, separated by commas; all if left out")
        parser.add_argument("--experiment", help="slug of the experiment that the runs belong to")
        parser.add_argument("--variant", help="arm of that experiment")
        parser.add_argument("--parallel", type=int, help="how many users talk at once (default: 2)")
        parser.add_argument("--split", choices=("train", "validation"), default="train")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--driver",
            choices=("script", "offline", "llm"),
            help="who words the turns: the scenario's text as it stands, phrases around it (default), or a model",
        )
        parser.add_argument("--batch", help="name of the batch, to go on with it later; made up if left out")
        parser.add_argument("--resume", metavar="NAME", help="go on with a batch as it was planned")
        parser.add_argument("--stop", metavar="NAME", help="have whoever plays the batch stop after the turns at hand")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(kind="person", name="command-line", role=Role.OPERATOR)
        _one_of(options)
        try:
            if options["stop"]:
                batch = emulation_halt(batch_id=batch_by_name(options["stop"]).pk, actor=actor)
                self._say(batch, options["json"])
                return
            batch = _begun(options, actor)
            batch, interrupted = self._play(batch, quiet=options["json"])
        except (RuleViolated, NotFound) as error:
            raise CommandError(error.message, returncode=2) from error
        except DomainError as error:
            raise CommandError(error.message, returncode=1) from error
        self._say(batch, options["json"])
        if batch.status == BatchStatus.STOPPED:
            how = "interrupted" if interrupted else "stopped"
            raise CommandError(
                f"{how}; go on with: manage.py emulate --resume {shlex.quote(batch.batch)}", returncode=_STOPPED
            )
        if batch.turns_done and batch.turns_failed == batch.turns_done:
            raise CommandError("not one turn could be said", returncode=_ALL_FAILED)

    def _play(self, batch: EmulationBatch, *, quiet: bool) -> tuple[EmulationBatch, bool]:
        console = Console(stderr=True)
        if quiet or not console.is_terminal:
            return emulation_follow(batch=batch, client=get_client())
        with Bar(*_COLUMNS, console=console) as bar:
            task = bar.add_task(
                "turns", total=batch.turns_total, completed=batch.turns_done, rate=0.0, dialogues="", failed=""
            )

            def show(at: Progress) -> None:
                bar.update(
                    task,
                    completed=at.turns_done,
                    total=at.turns_total,
                    rate=at.rate,
                    dialogues=f"{at.dialogues_done}/{at.dialogues_total} dialogues",
                    failed=f"{at.turns_failed} failed" if at.turns_failed else "",
                )

            return emulation_follow(batch=batch, client=get_client(), on_progress=show)

    def _say(self, batch: EmulationBatch, as_json: bool) -> None:
        self.stdout.write(json.dumps(_summary(batch)) if as_json else _sentence(batch))


def _one_of(options: dict[str, Any]) -> None:
    given = [name for name in ("dialogues", "resume", "stop") if options[name] is not None]
    if len(given) != 1:
        raise CommandError("one of --dialogues, --resume, --stop is needed", returncode=2)
    if options["batch"] and given != ["dialogues"]:
        raise CommandError("--batch names a batch to be played: give --dialogues too", returncode=2)


def _begun(options: dict[str, Any], actor: Actor) -> EmulationBatch:
    """The batch to play: as planned before, or by the options. How many talk at once may be another each time."""
    if options["resume"]:
        batch = batch_by_name(options["resume"])
        if batch.status == BatchStatus.COMPLETED:
            raise InvalidInput(f"{batch.batch} was played to its end", details={"field": "resume"})
        plan = EmulationPlan.model_validate(batch.plan)
        return _at_once(batch, options["parallel"] or plan.parallel)
    plan = _plan(options)
    arm_check(plan)
    return _at_once(emulation_start(plan=plan, actor=actor), plan.parallel)


def _at_once(batch: EmulationBatch, parallel: int) -> EmulationBatch:
    if not 1 <= parallel <= 64:
        raise InvalidInput("--parallel: from 1 to 64", details={"field": "parallel"})
    if batch.plan["parallel"] != parallel:
        batch.plan = {**batch.plan, "parallel": parallel}
        EmulationBatch.objects.filter(pk=batch.pk).update(plan=batch.plan)
    return batch


def _plan(options: dict[str, Any]) -> EmulationPlan:
    try:
        return EmulationPlan(
            batch=options["batch"] or emulation_name(),
            dialogues=options["dialogues"],
            turns=options["turns"],
            seed=options["seed"],
            split=options["split"],
            scenarios=tuple(name.strip() for name in options["scenarios"].split(",") if name.strip()),
            parallel=2 if options["parallel"] is None else options["parallel"],
            experiment=options["experiment"],
            variant=options["variant"],
            driver=options["driver"],
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise CommandError(f"--{first['loc'][0]}: {first['msg']}", returncode=2) from error


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
