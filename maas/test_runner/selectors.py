"""Reads of the Test Runner: scenarios with their last results, sessions, one session step by step."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from django.db.models import Count, Q, QuerySet

from maas.models import SessionStatus, TestDialog, TestRun, TestSession
from maas.test_runner.sessions import Step, script_of, session_get

Outcome = Literal["passed", "failed", "unchecked", "waiting"]
"""`unchecked`: answered, and nothing was expected. `waiting`: not played yet."""

# A run without an answer has failed, whether or not a word was expected.
_FAILED = Q(runs__validation=False) | Q(runs__status="FAILED")


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step as it was asked, and what came of it. `latency_ms`: from the query to the answer."""

    position: int
    scenario: str
    step: int
    query: str
    expected: str
    outcome: Outcome
    status: str = ""
    answer: str = ""
    validation: bool | None = None
    error: str = ""
    latency_ms: float | None = None
    model: str = ""
    parameter_version: int | None = None
    pipeline_run_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class ScriptedStep:
    """`last`: the outcome when it was played last."""

    step: int
    query: str
    expected: str
    last: Outcome
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scripted scenario; `session` is the last one that played it."""

    name: str
    steps: tuple[ScriptedStep, ...]
    session: uuid.UUID | None
    played_at: datetime | None

    def count(self, outcome: Outcome) -> int:
        return sum(step.last == outcome for step in self.steps)

    @property
    def passed(self) -> int:
        return self.count("passed")

    @property
    def failed(self) -> int:
        return self.count("failed")


def outcome_of(run: TestRun) -> Outcome:
    if run.status == "FAILED" or run.validation is False:
        return "failed"
    return "passed" if run.validation else "unchecked"


def sessions() -> QuerySet[TestSession]:
    """Newest first, each with `done`, `passed`, `failed` and `unchecked`."""
    return TestSession.objects.annotate(
        done=Count("runs"),
        failed=Count("runs", filter=_FAILED),
        passed=Count("runs", filter=Q(runs__validation=True) & ~Q(runs__status="FAILED")),
        unchecked=Count("runs", filter=Q(runs__validation=None) & ~Q(runs__status="FAILED")),
    ).order_by("-created_at", "-id")


def session_counted(session_id: uuid.UUID) -> Any:
    """One of `sessions()`, with the counts. Raises `NotFound`."""
    session_get(session_id)
    return sessions().get(pk=session_id)


def steps_of(session: TestSession) -> list[StepResult]:
    """Every step of the session's script, in order, played or not."""
    runs = {run.position: run for run in TestRun.objects.filter(session=session)}
    return [_result(step, runs.get(step.position)) for step in script_of(session)]


def _result(step: Step, run: TestRun | None) -> StepResult:
    waiting = StepResult(step.position, step.scenario, step.step, step.query, step.expected, "waiting")
    if run is None:
        return waiting
    return replace(
        waiting,
        outcome=outcome_of(run),
        status=run.status,
        answer=run.answer,
        validation=run.validation,
        error=run.error,
        latency_ms=run.latency_ms,
        model=run.model,
        parameter_version=run.parameter_version,
        pipeline_run_id=run.pipeline_run_id,
    )


def models_of(steps: Sequence[StepResult]) -> tuple[str, ...]:
    """Which models answered."""
    return tuple(sorted({step.model for step in steps if step.model}))


def scenarios() -> list[Scenario]:
    """All scripted scenarios by name, each step with its last result."""
    last = {
        run.dialog_id: run
        for run in TestRun.objects.filter(dialog__isnull=False)
        .select_related("session")
        .order_by("dialog", "-id")
        .distinct("dialog")
    }
    grouped: dict[str, list[TestDialog]] = {}
    for dialog in TestDialog.objects.order_by("scenario", "step"):
        grouped.setdefault(dialog.scenario, []).append(dialog)
    return [_scenario(name, dialogs, last) for name, dialogs in grouped.items()]


def _scenario(name: str, dialogs: Sequence[TestDialog], last: dict[int | None, TestRun]) -> Scenario:
    runs = [last.get(dialog.pk) for dialog in dialogs]
    newest = max((run for run in runs if run is not None), key=lambda run: run.pk, default=None)
    steps = tuple(
        ScriptedStep(
            dialog.step,
            dialog.query,
            dialog.expected_keyword,
            outcome_of(run) if run else "waiting",
            run.answer if run else "",
        )
        for dialog, run in zip(dialogs, runs, strict=True)
    )
    return Scenario(name, steps, newest.session_id if newest else None, newest.created_at if newest else None)


def running() -> int:
    """Sessions that are not at their end."""
    return TestSession.objects.filter(status__in=[SessionStatus.PLANNED, SessionStatus.RUNNING]).count()
