# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Micro, macro and deep cycles: start, look, stop, and when they come."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema, Status
from ninja.pagination import paginate

from contracts.doors import actor_of
from contracts.etags import TAGGED, tagged
from manager.api.overview import router
from manager.domain.scheduling import TYPES, Holdup, holdup, next_planned
from manager.models import UpkeepCycle
from manager.services.upkeep import (
    facts,
    schedule_change,
    schedule_of,
    schedule_row,
    upkeep_begin,
    upkeep_enqueue,
    upkeep_get,
    upkeep_stop,
)

__all__ = ["router"]  # the one of `/cycles`: a path belongs to one router


class UpkeepIn(Schema):
    type: Literal["micro", "macro", "deep"]
    reason: str = Field(default="asked for over the API", max_length=2000)


class StopIn(Schema):
    reason: str = Field(default="", max_length=2000)


class UpkeepOut(Schema):
    id: uuid.UUID
    type: str
    state: Literal["running", "paused", "completed", "stopped", "failed"]
    dataset: str
    version: int
    started_by: str
    reason: str
    stop_requested: bool
    paused_since: datetime | None = Field(description="Paused by traffic since then; goes on by itself.")
    findings: dict[str, Any]
    progress: dict[str, Any]
    error: str
    created_at: datetime
    finished_at: datetime | None


class ScheduleOut(Schema):
    enabled: bool = Field(description="False: upkeep comes by command only.")
    micro_idle_minutes: int
    macro_idle_minutes: int
    macro_cron: str = Field(description="Macro cycles at these times too, in the site's time zone; empty: none.")
    deep_cron: str
    yields: bool = Field(description="Whether upkeep and background campaigns give way to real users.")
    quiet_seconds: int = Field(description="Without a request for so long, what stood back goes on.")
    patience_hours: int = Field(
        description="A background campaign that has given way for longer goes on for one step; 0: never."
    )
    micro_questions: int
    dataset: str


class DueOut(Schema):
    type: Literal["micro", "macro", "deep"]
    next_due: datetime | None = Field(description="The earliest, if nobody asks until then; null: only by command.")
    holdup: Holdup | None = Field(description="Why none begins now; null: it begins at the next tick, within a minute.")


class StandingOut(Schema):
    schedule: ScheduleOut
    types: list[DueOut]
    last_request: datetime | None = Field(description="When a real user last asked.")


class ScheduleIn(Schema, extra="forbid"):
    """Fields that are left out stay as they are."""

    reason: str = Field(min_length=1, max_length=2000, examples=["Nights are busy in this season."])
    enabled: bool | None = None
    micro_idle_minutes: int | None = Field(default=None, ge=1, le=100_000)
    macro_idle_minutes: int | None = Field(default=None, ge=1, le=100_000)
    macro_cron: str | None = Field(default=None, max_length=100)
    deep_cron: str | None = Field(default=None, max_length=100, examples=["30 2 * * *"])
    yields: bool | None = None
    quiet_seconds: int | None = Field(default=None, ge=1, le=100_000)
    patience_hours: int | None = Field(default=None, ge=0, le=100_000)
    micro_questions: int | None = Field(default=None, ge=1, le=10_000)
    dataset: str | None = Field(default=None, max_length=50)


def _standing() -> dict[str, Any]:
    row, known = schedule_row(), facts()
    schedule = schedule_of(row)
    types = [
        {"type": kind, "next_due": next_planned(schedule, known, kind), "holdup": holdup(schedule, known, kind)}
        for kind in TYPES
    ]
    return {"schedule": row, "types": types, "last_request": known.last_request}


@router.get(
    "/cycles/schedule", response=StandingOut, summary="When upkeep comes, and what holds it up", tags=["cycles"]
)
def schedule_get(request: HttpRequest) -> dict[str, Any]:
    return _standing()


@router.patch("/cycles/schedule", response=StandingOut, summary="Change when upkeep comes", tags=["cycles"])
def schedule_patch(request: HttpRequest, body: ScheduleIn) -> dict[str, Any]:
    """Needs the role meta-user. 422 for a time that makes no sense, 404 for an unknown data set."""
    values = body.model_dump(exclude={"reason"}, exclude_none=True)
    schedule_change(actor=actor_of(request), reason=body.reason, **values)
    return _standing()


@router.post("/cycles", response={201: UpkeepOut}, summary="Start a micro, macro or deep cycle", tags=["cycles"])
def upkeep_create(request: HttpRequest, body: UpkeepIn) -> Status[UpkeepCycle]:
    cycle = upkeep_begin(kind=body.type, actor=actor_of(request), reason=body.reason)
    upkeep_enqueue(cycle.id)
    return Status(201, cycle)


@router.get(
    "/cycles/upkeep", response=list[UpkeepOut], summary="Micro, macro and deep cycles, newest first", tags=["cycles"]
)
@paginate(sort=("created_at", "finished_at"))
def upkeep_list(request: HttpRequest, type: Literal["micro", "macro", "deep"] | None = None) -> QuerySet[UpkeepCycle]:
    found = UpkeepCycle.objects.all()
    return found.filter(type=type) if type else found


@router.get(
    "/cycles/upkeep/{uuid:cycle_id}",
    response=UpkeepOut,
    summary="One micro, macro or deep cycle",
    tags=["cycles"],
    openapi_extra=TAGGED,
)
def upkeep_one(request: HttpRequest, response: HttpResponse, cycle_id: uuid.UUID) -> UpkeepOut:
    return tagged(response, UpkeepOut.from_orm(upkeep_get(cycle_id)))


@router.post(
    "/cycles/{uuid:cycle_id}/stop", response=UpkeepOut, summary="Stop a micro, macro or deep cycle", tags=["cycles"]
)
def upkeep_end(request: HttpRequest, cycle_id: uuid.UUID, body: StopIn | None = None) -> UpkeepCycle:
    return upkeep_stop(cycle_id=cycle_id, actor=actor_of(request), reason=body.reason if body else "")
