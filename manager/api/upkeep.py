# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Micro, macro and deep cycles: start, look, stop."""

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
from manager.models import UpkeepCycle
from manager.services.upkeep import upkeep_begin, upkeep_enqueue, upkeep_get, upkeep_stop

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
