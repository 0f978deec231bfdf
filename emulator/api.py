# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Runs of the emulator: look, stop."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate

from contracts.doors import actor_of
from emulator.models import EmulationBatch
from emulator.services.batches import batch_get, emulation_stop

router = Router(tags=["emulations"])


class EmulationOut(Schema):
    id: uuid.UUID
    batch: str
    dataset: str
    split: str
    experiment: str
    variant: str
    status: str
    stop_requested: bool
    error: str
    dialogues_total: int
    dialogues_done: int
    dialogues_invalid: int
    invalid_rate: float | None
    turns_total: int
    turns_done: int
    turns_failed: int
    queries_total: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class EmulationDetail(EmulationOut):
    plan: dict[str, Any]


@router.get("/emulations", response=list[EmulationOut], summary="Runs of the emulator, newest first")
@paginate
def emulations(
    request: HttpRequest, status: str | None = None, experiment: str | None = None
) -> QuerySet[EmulationBatch]:
    wanted = {"status": status, "experiment": experiment}
    return EmulationBatch.objects.filter(**{name: value for name, value in wanted.items() if value})


@router.get("/emulations/{uuid:batch_id}", response=EmulationDetail, summary="One run with its plan and progress")
def emulation(request: HttpRequest, batch_id: uuid.UUID) -> EmulationBatch:
    return batch_get(batch_id)


@router.post("/emulations/{uuid:batch_id}/stop", response=EmulationOut, summary="Stop after the turns under way")
def stop(request: HttpRequest, batch_id: uuid.UUID) -> EmulationBatch:
    return emulation_stop(batch_id=batch_id, actor=actor_of(request))
