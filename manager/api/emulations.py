# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Runs of the Emulator: start, look, read, stop, go on."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.pagination import paginate
from pydantic import Field

from contracts.doors import actor_of
from emulator.domain.lifecycle import BatchStatus
from emulator.domain.script import DriverName, EmulationPlan
from emulator.models import EmulationBatch, EmulationDialogue
from emulator.services.batches import batch_get
from emulator.standing import Standing, standing
from emulator.transcripts import Exchange, dialogue_get, transcript
from maas.client import get_client
from manager.services import emulations as service

router = Router(tags=["emulations"])


class EmulationIn(Schema, extra="forbid"):
    """What is to be played. Left out: the default."""

    name: str = Field(
        default="", max_length=200, description="The same name with the same plan is the same emulation. Made if empty."
    )
    dialogues: int = Field(default=30, ge=1, le=service.MOST_DIALOGUES, description="How many threads.")
    turns: int | None = Field(default=None, ge=1, le=100, description="At most so many in each.")
    scenarios: list[str] = Field(default=[], max_length=200, description="Ids or families; all of the split if empty.")
    split: Literal["train", "validation"] = "train"
    seed: int = Field(default=0, ge=0, lt=2**63, description="The same seed says the same.")
    parallel: int = Field(default=2, ge=1, le=64, description="How many users talk at once.")
    experiment: str | None = Field(default=None, description="Slug of the experiment that the runs belong to.")
    variant: str | None = Field(default=None, description="Arm of that experiment.")
    pinned_version: int | None = Field(default=None, ge=1, description="Parameter version; the active one if absent.")
    driver: DriverName | None = Field(default=None, description="Who words the turns; `offline` if absent.")


class EmulationOut(Schema):
    id: uuid.UUID
    batch: str
    dataset: str
    split: str
    experiment: str
    variant: str
    status: Literal["pending", "running", "completed", "stopped", "failed"]
    stop_requested: bool
    error: str
    dialogues_total: int
    dialogues_done: int
    dialogues_invalid: int
    invalid_rate: float | None
    turns_total: int = Field(description="A user who listens may say more or less than was planned.")
    turns_done: int
    turns_failed: int
    queries_total: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rate: float | None = Field(description="Turns per second of late; null while nothing is played.")
    eta_seconds: float | None
    stalled: bool = Field(description="It is to be played, and nothing of it has been for a minute.")

    @staticmethod
    def resolve_rate(batch: EmulationBatch) -> float | None:
        return _standing(batch).rate

    @staticmethod
    def resolve_eta_seconds(batch: EmulationBatch) -> float | None:
        return _standing(batch).eta_seconds

    @staticmethod
    def resolve_stalled(batch: EmulationBatch) -> bool:
        return _standing(batch).stalled


class EmulationDetail(EmulationOut):
    plan: dict[str, Any]


class DialogueOut(Schema):
    id: uuid.UUID
    dialogue: str
    scenario: str
    cluster: str
    language: str
    persona: str
    user_id: uuid.UUID
    thread_id: uuid.UUID
    ordinal: int
    ending: str = Field(description="Why the user stopped; empty where the turns were fixed, or it is not over.")
    is_valid: bool
    invalid_reason: str
    finished_at: datetime | None


class TranscriptOut(DialogueOut):
    goal: str
    exchanges: list[Exchange]


def _standing(batch: EmulationBatch) -> Standing:
    """Once for each row, however many of its fields are shown: it is kept on the row."""
    kept: Standing = batch.__dict__.get("_standing") or standing(batch)
    batch.__dict__["_standing"] = kept
    return kept


@router.post("/emulations", response={202: EmulationOut}, summary="Play dialogues of simulated users")
def emulation_create(request: HttpRequest, body: EmulationIn) -> Status[EmulationBatch]:
    """Needs the role operator. A worker plays them; `GET /emulations/{id}` shows how far it is.

    Over the public entrypoint, like any client: what the users tell is remembered, what they ask is answered.
    """
    given = body.model_dump(exclude={"name"})
    plan = EmulationPlan(batch=body.name or service.emulation_name(), **given)
    return Status(202, service.emulation_launch(plan=plan, actor=actor_of(request)))


@router.get("/emulations", response=list[EmulationOut], summary="Runs of the emulator, newest first")
@paginate(sort=("created_at", "started_at", "finished_at"))
def emulations(
    request: HttpRequest, status: BatchStatus | None = None, experiment: str | None = None, dataset: str | None = None
) -> QuerySet[EmulationBatch]:
    wanted = {"status": status, "experiment": experiment, "dataset": dataset}
    return EmulationBatch.objects.filter(**{name: value for name, value in wanted.items() if value})


@router.get("/emulations/{uuid:batch_id}", response=EmulationDetail, summary="One run with its plan and progress")
def emulation(request: HttpRequest, batch_id: uuid.UUID) -> EmulationBatch:
    return batch_get(batch_id)


@router.get(
    "/emulations/{uuid:batch_id}/dialogues", response=list[DialogueOut], summary="Its dialogues, in the order played"
)
@paginate(sort=("ordinal", "finished_at"))
def dialogues(request: HttpRequest, batch_id: uuid.UUID, valid: bool | None = None) -> QuerySet[EmulationDialogue]:
    rows = batch_get(batch_id).dialogues.order_by("ordinal")
    return rows if valid is None else rows.filter(is_valid=valid)


@router.get(
    "/emulations/{uuid:batch_id}/dialogues/{uuid:dialogue_id}",
    response=TranscriptOut,
    summary="One dialogue: what was said, answered, expected and found",
)
def dialogue(request: HttpRequest, batch_id: uuid.UUID, dialogue_id: uuid.UUID) -> dict[str, Any]:
    row = dialogue_get(batch_id=batch_id, dialogue_id=dialogue_id)
    shown = {name: getattr(row, name) for name in DialogueOut.model_fields}
    return {**shown, "goal": row.goal, "exchanges": transcript(dialogue=row, client=get_client())}


@router.post("/emulations/{uuid:batch_id}/stop", response=EmulationOut, summary="Stop after the turns under way")
def stop(request: HttpRequest, batch_id: uuid.UUID) -> EmulationBatch:
    """Needs the role operator."""
    return service.emulation_halt(batch_id=batch_id, actor=actor_of(request))


@router.post(
    "/emulations/{uuid:batch_id}/resume", response={202: EmulationOut}, summary="Go on with what is left of it"
)
def resume(request: HttpRequest, batch_id: uuid.UUID) -> Status[EmulationBatch]:
    """Needs the role operator. No finished turn is played again."""
    return Status(202, service.emulation_resume(batch_id=batch_id, actor=actor_of(request)))
