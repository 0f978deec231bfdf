"""`manage.py test_dialogs`: play scripted dialogues here and now, and say what held."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contracts.actor import Actor, Role
from kernel.errors import DomainError, NotFound, RuleViolated
from maas.models import TestRun
from maas.test_runner import selectors
from maas.test_runner.scripts import rows_read, scripts_load
from maas.test_runner.sessions import Step, session_plan, session_play

_ACTOR = Actor(kind="person", name="command-line", role=Role.OPERATOR)
_MARKS = {"passed": "ok  ", "failed": "FAIL", "unchecked": "-   ", "waiting": "…   "}


class Command(BaseCommand):
    help = (
        "Play scripted dialogues against the student and check each answer for its expected word. "
        "Exit code 1 when a step failed or was not played, 2 for bad usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="names; all if left out")
        other = parser.add_mutually_exclusive_group()
        other.add_argument("--list", action="store_true", help="show the scenarios, play nothing")
        other.add_argument(
            "--load",
            metavar="FILE",
            help='a JSON list of {"scenario", "step", "query", "expected_keyword"}; each scenario in it becomes what '
            "the file says; plays nothing",
        )
        other.add_argument("--resume", metavar="SESSION", type=uuid.UUID, help="go on with a session that broke off")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if options["scenarios"] and (options["load"] or options["resume"]):
                raise CommandError("name scenarios, or use --load or --resume, not both", returncode=2)
            if options["list"]:
                self._list(options)
            elif options["load"]:
                self._load(options)
            else:
                self._run(options)
        except (RuleViolated, NotFound) as error:
            raise CommandError(_lines(error), returncode=2) from error
        except DomainError as error:
            raise CommandError(error.message, returncode=1) from error

    def _list(self, options: dict[str, Any]) -> None:
        wanted = set(options["scenarios"])
        found = [item for item in selectors.scenarios() if not wanted or item.name in wanted]
        missing = wanted - {item.name for item in found}
        if missing:
            raise CommandError(f"there is no scenario {', '.join(sorted(missing))}", returncode=2)
        if options["json"]:
            data = [
                {
                    "scenario": item.name,
                    "steps": [
                        {"step": s.step, "query": s.query, "expected": s.expected, "last": s.last} for s in item.steps
                    ],
                }
                for item in found
            ]
            self.stdout.write(json.dumps(data, ensure_ascii=False))
            return
        for item in found:
            self.stdout.write(f"{item.name}: {len(item.steps)} steps")
            for step in item.steps:
                expected = f"  [{step.expected}]" if step.expected else ""
                self.stdout.write(f"  {_MARKS[step.last]} {step.step}. {step.query}{expected}")

    def _load(self, options: dict[str, Any]) -> None:
        loaded = scripts_load(rows=rows_read(Path(options["load"])), actor=_ACTOR)
        if options["json"]:
            self.stdout.write(json.dumps(loaded._asdict()))
            return
        self.stdout.write(
            f"Scenarios: {loaded.scenarios}. Steps added: {loaded.added}, changed: {loaded.changed}, "
            f"removed: {loaded.removed}."
        )

    def _run(self, options: dict[str, Any]) -> None:
        session_id = options["resume"] or session_plan(scenarios=options["scenarios"], actor=_ACTOR).pk
        try:
            session = session_play(session_id=session_id, on_step=None if options["json"] else self._show)
        except KeyboardInterrupt:
            raise CommandError(
                f"broken off; go on with: manage.py test_dialogs --resume {session_id}", returncode=130
            ) from None
        counted = selectors.session_counted(session.pk)
        steps = selectors.steps_of(session)
        self.stdout.write(
            json.dumps(_summary(counted, steps), ensure_ascii=False) if options["json"] else _sentence(counted, steps)
        )
        if counted.failed or counted.done < counted.steps:
            sys.exit(1)

    def _show(self, step: Step, result: TestRun) -> None:
        if step.step == 1 or step.position == 0:
            self.stdout.write(f"\n{step.scenario}")
        outcome = selectors.outcome_of(result)
        self.stdout.write(f"  {_MARKS[outcome]} {step.step}. {step.query}")
        self.stdout.write(f"          → {result.answer or result.error or '(no answer)'}")
        if outcome == "failed" and step.expected:
            self.stdout.write(f"          expected: {step.expected}")
        self.stdout.flush()


def _lines(error: DomainError) -> str:
    problems = error.details.get("problems")
    return "\n".join(problems) if problems else error.message


def _summary(session: Any, steps: list[selectors.StepResult]) -> dict[str, Any]:
    return {
        "session": str(session.pk),
        "status": session.status,
        "models": list(selectors.models_of(steps)),
        "steps": session.steps,
        "passed": session.passed,
        "failed": session.failed,
        "unchecked": session.unchecked,
        "results": [
            {
                "scenario": step.scenario,
                "step": step.step,
                "query": step.query,
                "expected": step.expected,
                "answer": step.answer,
                "outcome": step.outcome,
                "error": step.error,
                "latency_ms": step.latency_ms,
                "run": str(step.pipeline_run_id) if step.pipeline_run_id else None,
            }
            for step in steps
        ],
    }


def _sentence(session: Any, steps: list[selectors.StepResult]) -> str:
    models = ", ".join(selectors.models_of(steps)) or "none"
    return (
        f"\nSession {session.pk} {session.status}: {session.passed} passed, {session.failed} failed, "
        f"{session.unchecked} with nothing expected, of {session.steps} steps. Answered by: {models}."
    )
