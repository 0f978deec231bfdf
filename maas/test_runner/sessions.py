"""A session: one playing of scripted scenarios, through the student's own entrypoint."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog
from django.db.models.functions import Coalesce, Now
from django_q.tasks import async_task

from contracts.actor import Actor, Role
from contracts.maas import RunAnswer, RunRequest
from kernel.canonical import derive_seed
from kernel.errors import DomainError, IllegalTransition, InvalidInput, NotFound
from maas.access import as_service
from maas.client import MaasClient, get_client
from maas.models import PipelineRun, SessionStatus, TestDialog, TestRun, TestSession
from maas.test_runner.validation import holds

log = structlog.get_logger(__name__)

PLAY_TASK = "maas.tasks.session_play"
UNFINISHED = (SessionStatus.PLANNED, SessionStatus.RUNNING, SessionStatus.FAILED)
"""What may be played, or played on with."""


class Step(NamedTuple):
    """One step of a session's script."""

    position: int
    dialog: int
    scenario: str
    step: int
    query: str
    expected: str


def session_plan(*, scenarios: Sequence[str] = (), actor: Actor) -> TestSession:
    """Store what is to be played: the scenarios named, or all; nothing is played yet.

    Raises `NotAuthorised` below operator, `NotFound` for an unknown scenario, `InvalidInput` when there is nothing.
    """
    actor.require(Role.OPERATOR)
    names = list(dict.fromkeys(scenarios))
    dialogs = TestDialog.objects.order_by("scenario", "step")
    if names:
        dialogs = dialogs.filter(scenario__in=names)
    script = [
        {"dialog": d.pk, "scenario": d.scenario, "step": d.step, "query": d.query, "expected": d.expected_keyword}
        for d in dialogs
    ]
    found = list(dict.fromkeys(str(item["scenario"]) for item in script))
    unknown = [name for name in names if name not in found]
    if unknown:
        raise NotFound(f"there is no scenario {', '.join(map(repr, unknown))}", details={"scenarios": unknown})
    if not script:
        raise InvalidInput("there are no scripted dialogues to play", details={"field": "scenarios"})
    with as_service():
        return TestSession.objects.create(started_by=actor.label, scenarios=found, script=script, steps=len(script))


def session_start(*, scenarios: Sequence[str] = (), actor: Actor) -> TestSession:
    """`session_plan`, and a worker plays it."""
    session = session_plan(scenarios=scenarios, actor=actor)
    session_enqueue(session_id=session.pk)
    return session


def session_enqueue(*, session_id: uuid.UUID) -> None:
    """Ask a worker to play. Asked twice is harmless: each step is one run and one result, whoever plays it."""
    async_task(PLAY_TASK, str(session_id), task_name=f"test session {session_id}")


def session_resume(*, session_id: uuid.UUID, actor: Actor) -> TestSession:
    """Have a worker go on with a session whose worker died, or that failed. Raises `NotAuthorised`, `NotFound`,
    `IllegalTransition` for one that has ended."""
    actor.require(Role.OPERATOR)
    session = session_get(session_id)
    if session.status not in UNFINISHED:
        raise IllegalTransition(f"a {session.status} session does not go on", details={"from": session.status})
    session_enqueue(session_id=session_id)
    return session


def session_stop(*, session_id: uuid.UUID, actor: Actor) -> TestSession:
    """No step is begun any more; the one at hand is still recorded. Stopping twice is stopping once.

    Raises `NotAuthorised` below operator, `NotFound`, `IllegalTransition` for a finished session.
    """
    actor.require(Role.OPERATOR)
    with as_service():
        TestSession.objects.filter(pk=session_id, status__in=UNFINISHED).update(
            status=SessionStatus.STOPPED, finished_at=Now()
        )
    session = session_get(session_id)
    if session.status != SessionStatus.STOPPED:
        raise IllegalTransition(f"a {session.status} session cannot be stopped", details={"from": session.status})
    return session


def session_play(
    *,
    session_id: uuid.UUID,
    client: MaasClient | None = None,
    at_most: int | None = None,
    on_step: Callable[[Step, TestRun], None] | None = None,
) -> TestSession:
    """Play the steps that have no result yet, in order, `at_most` so many. Safe to run again and by two at once.

    1. planned, running or failed becomes running; anything else is left as it is.
    2. Each step is asked under ids derived from the session, so a step that a killed worker began is the same run, and
       is answered once. Its result is kept once, by the key (session, position).
    3. When every step has its result, running becomes finished. Whoever stopped it meanwhile wins.

    A step that fails is a result. What keeps the runner itself from going on makes the session failed, and is raised.
    """
    with as_service():
        TestSession.objects.filter(pk=session_id, status__in=UNFINISHED).update(
            status=SessionStatus.RUNNING, error="", started_at=Coalesce("started_at", Now())
        )
    session = session_get(session_id)
    try:
        for step in steps_left(session)[:at_most]:
            if session_get(session_id).status != SessionStatus.RUNNING:
                break
            result = _play(session, step, client or get_client())
            if on_step is not None:
                on_step(step, result)
    except Exception as error:
        _failed(session_id, error)
        raise
    if not steps_left(session):
        with as_service():
            TestSession.objects.filter(pk=session_id, status=SessionStatus.RUNNING).update(
                status=SessionStatus.FINISHED, finished_at=Now()
            )
    return session_get(session_id)


def session_get(session_id: uuid.UUID) -> TestSession:
    """Raises `NotFound`."""
    session = TestSession.objects.filter(pk=session_id).first()
    if session is None:
        raise NotFound("there is no such test session", details={"session": str(session_id)})
    return session


def run_of(session_id: uuid.UUID, position: int) -> uuid.UUID:
    """The run of a step: the same whoever plays it."""
    return uuid.uuid5(session_id, f"run {position}")


def script_of(session: TestSession) -> list[Step]:
    return [Step(position=position, **item) for position, item in enumerate(session.script)]


def steps_left(session: TestSession) -> list[Step]:
    """Those without a result, in order."""
    done = set(TestRun.objects.filter(session=session).values_list("position", flat=True))
    return [step for step in script_of(session) if step.position not in done]


def _play(session: TestSession, step: Step, client: MaasClient) -> TestRun:
    """Ask one step and keep what came of it. Runs of the Test Runner are an emulator's, never a real person's.

    The seed is the step's own, so that a difference between two sessions comes from the student, not from chance.
    """
    run_id = run_of(session.pk, step.position)
    request = RunRequest(
        run_id=run_id,
        user_id=uuid.uuid5(session.pk, f"user {step.scenario}"),
        thread_id=uuid.uuid5(session.pk, f"thread {step.scenario}"),
        query=step.query,
        client_kind="emulator",
        cycle_type="micro",
        seed=derive_seed("test dialogue", step.scenario, step.step),
    )
    began = time.monotonic()
    answer: RunAnswer | None = None
    error = ""
    try:
        answer = client.ask(request)
        error = answer.error or ""
    except DomainError as refused:
        error = refused.message
    elapsed = (time.monotonic() - began) * 1000
    return _record(session, step, run_id, answer, error, elapsed)


def _record(
    session: TestSession, step: Step, run_id: uuid.UUID, answer: RunAnswer | None, error: str, elapsed: float
) -> TestRun:
    """One row, once. An expected word is missing from a run that gave no answer."""
    text = (answer.answer if answer else None) or ""
    with as_service():
        # Empty when the student runs elsewhere: then what this process measured stands.
        facts = PipelineRun.objects.filter(pk=run_id).values("model", "latency_ms", "parameter_version").first()
        facts = facts or {"model": None, "latency_ms": None, "parameter_version": None}
        dialog = TestDialog.objects.select_for_update().filter(pk=step.dialog).first()
        row = TestRun(
            dialog=dialog,
            session=session,
            position=step.position,
            pipeline_run_id=run_id,
            status=answer.status if answer else "FAILED",
            answer=text,
            validation=holds(text, step.expected),
            error=error,
            latency_ms=facts["latency_ms"] if facts["latency_ms"] is not None else elapsed,
            model=facts["model"] or "",
            parameter_version=facts["parameter_version"] or (answer.parameter_version if answer else None),
        )
        TestRun.objects.bulk_create([row], ignore_conflicts=True)
        return TestRun.objects.get(session=session, position=step.position)


def _failed(session_id: uuid.UUID, error: Exception) -> None:
    """Say so on the session, if it can still be said."""
    reason = error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    try:
        with as_service():
            TestSession.objects.filter(pk=session_id, status=SessionStatus.RUNNING).update(
                status=SessionStatus.FAILED, error=reason
            )
    except Exception:
        log.exception("session_failure_not_kept", session=str(session_id))
