# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Safety checks: what each found last, earlier runs, and a run now."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.pagination import paginate

from contracts.doors import actor_of
from incidents.models import SafetyResult, SafetyRun
from incidents.selectors import safety_last
from kernel.errors import NotFound
from manager.services.checks import safety_begin

router = Router(tags=["safety"])


class CheckOut(Schema):
    name: str
    ok: bool | None
    """Null: it cannot be made here; `detail` says why."""
    detail: str
    checked_at: datetime
    actor: str


class SafetyRunOut(Schema):
    id: uuid.UUID
    state: Literal["queued", "running", "completed", "failed"]
    started_by: str
    done: int
    planned: int
    label: str
    """The check at hand."""
    error: str
    started_at: datetime
    finished_at: datetime | None


class RunDetail(SafetyRunOut):
    results: list[CheckOut]

    @staticmethod
    def resolve_results(run: SafetyRun) -> list[SafetyResult]:
        return list(run.results.order_by("id"))


class SafetyOut(Schema):
    holds: bool | None
    """Whether every check that could be made holds; null before any was made."""
    checks: list[CheckOut]
    """The newest result of each check."""
    run: SafetyRunOut | None
    """The newest run, with its progress while it is at work."""


@router.get("/safety", response=SafetyOut, summary="What each safety check found last")
def safety(request: HttpRequest) -> dict[str, Any]:
    checks = safety_last()
    return {
        "holds": all(item.ok is not False for item in checks) if checks else None,
        "checks": checks,
        "run": SafetyRun.objects.first(),
    }


@router.post("/safety/run", response={202: SafetyRunOut}, summary="Make every safety check now")
def safety_now(request: HttpRequest) -> Status[SafetyRun]:
    """Role operator. In the background: `GET /safety/runs/{id}` shows how far it is. 409 while a run is at work."""
    return Status(202, safety_begin(actor=actor_of(request)))


@router.get("/safety/runs", response=list[SafetyRunOut], summary="Runs of the safety checks, newest first")
@paginate
def safety_runs(request: HttpRequest) -> QuerySet[SafetyRun]:
    return SafetyRun.objects.all()


@router.get("/safety/runs/{uuid:run_id}", response=RunDetail, summary="One run with its results")
def safety_one(request: HttpRequest, run_id: uuid.UUID) -> SafetyRun:
    found = SafetyRun.objects.filter(id=run_id).first()
    if found is None:
        raise NotFound(f"there is no run {run_id} of the safety checks", details={"run": str(run_id)})
    return found
