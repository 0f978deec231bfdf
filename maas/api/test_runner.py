# ruff: noqa: ARG001 - ninja calls every route with `request`
"""The Test Runner over HTTP: scripted scenarios, and sessions that play them."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.pagination import paginate
from pydantic import Field

from contracts.doors import actor_of
from maas.models import TestSession
from maas.test_runner import selectors
from maas.test_runner.sessions import session_resume, session_start, session_stop

router = Router(tags=["test runner"])
Outcome = Literal["passed", "failed", "unchecked", "waiting"]


class ScriptedStepOut(Schema):
    step: int
    query: str
    expected: str = Field(description="alternatives separated by |; empty: nothing is expected")
    last: Outcome = Field(description="when it was played last; waiting: never")
    answer: str = Field(description="the last answer")


class ScenarioOut(Schema):
    name: str
    steps: list[ScriptedStepOut]
    passed: int
    failed: int
    session: uuid.UUID | None = Field(description="the last session that played it")
    played_at: datetime | None


class SessionIn(Schema, extra="forbid"):
    scenarios: list[str] = Field(default=[], max_length=1000, description="names; all when left out")


class SessionOut(Schema):
    id: uuid.UUID
    status: Literal["planned", "running", "finished", "stopped", "failed"]
    scenarios: list[str]
    steps: int
    done: int
    passed: int
    failed: int
    unchecked: int
    error: str
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepOut(Schema):
    position: int
    scenario: str
    step: int
    query: str
    expected: str
    outcome: Outcome
    status: str = Field(description="of the run; empty while it waits")
    answer: str
    validation: bool | None = Field(description="whether the expected word is in the answer; null: none was expected")
    error: str
    latency_ms: float | None
    model: str
    parameter_version: int | None
    pipeline_run_id: uuid.UUID | None


class SessionDetail(SessionOut):
    results: list[StepOut]


@router.get("/tests/scenarios", response=list[ScenarioOut], summary="Scripted scenarios with their last results")
@paginate(key="name")
def scenarios(request: HttpRequest) -> list[selectors.Scenario]:
    return selectors.scenarios()


@router.post("/tests/sessions", response={202: SessionOut}, summary="Play scenarios in the background")
def session_create(request: HttpRequest, body: SessionIn) -> Status[TestSession]:
    """Needs the role operator. `GET /tests/sessions/{id}` shows how far it is."""
    session = session_start(scenarios=body.scenarios, actor=actor_of(request))
    return Status(202, selectors.session_counted(session.pk))


@router.get("/tests/sessions", response=list[SessionOut], summary="Sessions of the Test Runner, newest first")
@paginate(sort=("created_at", "finished_at"))
def sessions(request: HttpRequest) -> QuerySet[TestSession]:
    return selectors.sessions()


@router.get("/tests/sessions/{uuid:session_id}", response=SessionDetail, summary="One session, step by step")
def session_detail(request: HttpRequest, session_id: uuid.UUID) -> dict[str, Any]:
    session = selectors.session_counted(session_id)
    shown = {name: getattr(session, name) for name in SessionOut.model_fields}
    return {**shown, "results": selectors.steps_of(session)}


@router.post("/tests/sessions/{uuid:session_id}/stop", response=SessionOut, summary="Begin no further step")
def stop(request: HttpRequest, session_id: uuid.UUID) -> Any:
    """Needs the role operator. The step at hand is still recorded."""
    session_stop(session_id=session_id, actor=actor_of(request))
    return selectors.session_counted(session_id)


@router.post(
    "/tests/sessions/{uuid:session_id}/resume", response={202: SessionOut}, summary="Go on with a broken session"
)
def resume(request: HttpRequest, session_id: uuid.UUID) -> Status[TestSession]:
    """Needs the role operator. Steps that have a result are not played again."""
    session_resume(session_id=session_id, actor=actor_of(request))
    return Status(202, selectors.session_counted(session_id))
