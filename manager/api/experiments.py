# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Experiments that people write: import as YAML or JSON, and any experiment's spec as either."""

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from contracts.doors import actor_of
from experiments.selectors import experiment_by_slug
from experiments.spec_text import mapping_write, spec_write
from manager.services.importing import spec_import

router = Router(tags=["experiments"])


class SpecIn(Schema, extra="forbid"):
    spec: str | dict[str, Any] = Field(description="the mission's experiment_spec: an object, or YAML or JSON as text")
    campaign: int | None = None
    """Number of the campaign that is to run it; without one, the newest open one."""
    because: str = Field("", max_length=5000)
    """Why its author expects it."""


class ImportedOut(Schema):
    experiment_id: str
    status: str
    campaign: int
    hypothesis: str
    approval_id: uuid.UUID
    """The request that its start waits for."""
    needs_approval: list[str]
    """Why applying it would need a person too; empty when it would not."""
    notes: list[str]
    """What is done otherwise than it was written."""


class SpecOut(Schema):
    experiment_id: str
    spec: dict[str, Any]
    yaml: str
    """The same as text. Either can be imported again."""


@router.post("/experiments/import", response={201: ImportedOut}, summary="Plan an experiment that a person wrote")
def experiment_import(request: HttpRequest, body: SpecIn) -> Status[dict[str, Any]]:
    """422 names every error with its path in `details.errors`. Its start waits for a meta-user."""
    text = body.spec if isinstance(body.spec, str) else mapping_write(body.spec, form="json")
    done = spec_import(text=text, actor=actor_of(request), campaign=body.campaign, because=body.because)
    experiment = done.experiment
    return Status(
        201,
        {
            "experiment_id": experiment.slug,
            "status": experiment.status,
            "campaign": done.approval.campaign.number,
            "hypothesis": experiment.hypothesis.description if experiment.hypothesis else "",
            "approval_id": done.approval.id,
            "needs_approval": experiment.needs_approval,
            "notes": list(done.notes),
        },
    )


@router.get("/experiments/{experiment_id}/spec", response=SpecOut, summary="An experiment's spec, as object and YAML")
def experiment_spec(request: HttpRequest, experiment_id: str) -> dict[str, Any]:
    spec = experiment_by_slug(experiment_id).spec
    return {"experiment_id": experiment_id, "spec": spec, "yaml": spec_write(spec)}
