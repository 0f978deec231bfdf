# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Single experiments: validated, planned from a hypothesis or from what a person wrote, started, stopped, followed."""

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from contracts.doors import actor_of
from experiments.selectors import experiment_named
from experiments.spec_text import mapping_write, spec_write
from kernel.errors import InvalidInput
from manager.services import single_experiments as single
from manager.services.experiment_closing import experiment_stop
from manager.services.importing import Draft, Imported, spec_check, spec_import
from teacher.services import Replay

router = Router(tags=["experiments"])
_SPEC = {
    "type": "experiment_spec",
    "experiment_id": "top_k_3_vs_2",
    "variants": [
        {"name": "baseline", "params": {"retrieval.top_k": 3}},
        {"name": "variant", "params": {"retrieval.top_k": 2}},
    ],
    "success_criteria": [{"metric": "retrieval_precision", "direction": "increase", "min_delta": 0.01}],
}


class SpecIn(Schema, extra="forbid"):
    spec: str | dict[str, Any] = Field(
        description="the mission's experiment_spec: an object, or YAML or JSON as text", examples=[_SPEC]
    )
    campaign: int | None = Field(None, ge=1, lt=2**31)
    """Number of the campaign that is to run it; without one, the newest open one."""
    because: str = Field("", max_length=5000)
    """Why its author expects it."""


class PlanIn(Schema, extra="forbid"):
    """Either `spec` or `hypothesis`."""

    spec: str | dict[str, Any] | None = Field(
        None, description="the mission's experiment_spec: an object, or YAML or JSON as text", examples=[_SPEC]
    )
    hypothesis: uuid.UUID | None = Field(None, description="a registered one, planned or inconclusive")
    campaign: int | None = Field(None, ge=1, lt=2**31)
    """Number of the campaign that is to run it; without one, the hypothesis' own while it is open, else the newest
    open one."""
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


class ValidatedOut(Schema):
    experiment_id: str
    campaign: int
    metric: str
    factor: str
    from_value: Any
    to_value: Any
    base_version: int
    questions: int
    """How many each arm would be asked."""
    needs_approval: list[str]
    notes: list[str]
    spec: dict[str, Any]
    """As it would be run: guards added or narrowed, arms paired."""


class SpecOut(Schema):
    experiment_id: str
    spec: dict[str, Any]
    yaml: str
    """The same as text. Either can be imported again."""


class ProgressOut(Schema):
    experiment_id: str
    status: str
    runs_done: int
    runs_planned: int
    looks: list[dict[str, Any]]
    """What each look before the end found."""
    look_sizes: list[int]
    label: str = Field(description="what its worker is at; empty while nobody is")
    rate: float | None = Field(description="runs a second")
    left_seconds: float | None
    waits_for: str = Field(description="why it does not go on; empty while it does")
    closes_at: datetime | None
    verdict: str = Field(description="empty before the end")
    decision: str
    decision_reason: str


class ExperimentStartIn(Schema, extra="forbid"):
    comment: str = Field("", max_length=5000)


class ExperimentStopIn(Schema, extra="forbid"):
    reason: str = Field(min_length=1, max_length=2000)


class EvaluatedOut(Schema):
    experiment_id: str
    verdict: str
    identical: bool
    """Whether the stored samples give the stored evaluation, byte by byte."""
    difference: str


@router.post(
    "/experiments/validate", response=ValidatedOut, operation_id="experiment_validate",
    summary="What would be planned; changes nothing",
)  # fmt: skip
def experiment_validate(request: HttpRequest, body: PlanIn) -> dict[str, Any]:
    """A dry run of `/experiments/plan`: 422 names every error with its path in `details.errors`."""
    actor = actor_of(request)
    if _one_of(body) == "spec":
        return _validated(spec_check(text=_text(body.spec), actor=actor, campaign=body.campaign))
    assert body.hypothesis is not None  # noqa: S101 - one of both
    return _validated(single.hypothesis_check(hypothesis_id=body.hypothesis, actor=actor, campaign=body.campaign))


@router.post(
    "/experiments/plan", response={201: ImportedOut}, operation_id="experiment_plan",
    summary="Plan an experiment from a hypothesis or a spec",
)  # fmt: skip
def experiment_plan(request: HttpRequest, body: PlanIn) -> Status[dict[str, Any]]:
    """Needs the role operator. Its start waits for a meta-user: `POST /experiments/{id}/start`."""
    actor = actor_of(request)
    if _one_of(body) == "spec":
        done = spec_import(text=_text(body.spec), actor=actor, campaign=body.campaign, because=body.because)
    else:
        assert body.hypothesis is not None  # noqa: S101 - one of both
        done = single.hypothesis_plan(
            hypothesis_id=body.hypothesis, actor=actor, campaign=body.campaign, because=body.because
        )
    return Status(201, _imported(done))


@router.post("/experiments/import", response={201: ImportedOut}, summary="Plan an experiment that a person wrote")
def experiment_import(request: HttpRequest, body: SpecIn) -> Status[dict[str, Any]]:
    """As `/experiments/plan` with a spec. 422 names every error with its path in `details.errors`."""
    done = spec_import(text=_text(body.spec), actor=actor_of(request), campaign=body.campaign, because=body.because)
    return Status(201, _imported(done))


@router.get("/experiments/{experiment_id}/spec", response=SpecOut, summary="An experiment's spec, as object and YAML")
def experiment_spec(request: HttpRequest, experiment_id: str) -> dict[str, Any]:
    found = experiment_named(experiment_id)
    spec = found.spec
    return {"experiment_id": found.slug, "spec": spec, "yaml": spec_write(spec)}


@router.get(
    "/experiments/{experiment_id}/progress", response=ProgressOut, operation_id="experiment_progress",
    summary="How far an experiment is, and what it waits for",
)  # fmt: skip
def experiment_progress(request: HttpRequest, experiment_id: str) -> dict[str, Any]:
    """`GET /events` tells its verdict live."""
    return _progress(experiment_named(experiment_id).slug)


@router.post(
    "/experiments/{experiment_id}/start", response=ProgressOut, operation_id="experiment_start",
    summary="Let a planned experiment start",
)  # fmt: skip
def experiment_start(request: HttpRequest, experiment_id: str, body: ExperimentStartIn | None = None) -> dict[str, Any]:
    """Needs the role meta-user: it approves the request that its start waits for. The campaign's next cycle runs it."""
    comment = body.comment if body else ""
    slug = experiment_named(experiment_id).slug
    single.experiment_begin(slug=slug, actor=actor_of(request), comment=comment)
    return _progress(slug)


@router.post(
    "/experiments/{experiment_id}/evaluate", response=EvaluatedOut, operation_id="experiment_evaluate",
    summary="Compute a verdict again from its stored samples",
)  # fmt: skip
def experiment_evaluate(request: HttpRequest, experiment_id: str) -> dict[str, Any]:
    """Changes nothing. 409 while there is no verdict: an experiment is evaluated at its planned looks and its end."""
    found: Replay = single.experiment_evaluate(slug=experiment_named(experiment_id).slug)
    return {
        "experiment_id": found.experiment,
        "verdict": single.experiment_follow(slug=found.experiment).verdict,
        "identical": found.identical,
        "difference": found.difference,
    }


@router.post(
    "/experiments/{experiment_id}/stop",
    response=ProgressOut,
    operation_id="experiment_stop",
    summary="Close an experiment before its verdict",
)
def experiment_halt(request: HttpRequest, experiment_id: str, body: ExperimentStopIn) -> dict[str, Any]:
    """Needs the role operator. Its campaign goes on; what was run stays recorded and decides nothing."""
    slug = experiment_named(experiment_id).slug
    experiment_stop(slug=slug, actor=actor_of(request), reason=body.reason)
    return _progress(slug)


def _one_of(body: PlanIn) -> str:
    if (body.spec is None) == (body.hypothesis is None):
        raise InvalidInput("give either spec or hypothesis", details={"field": "spec"})
    return "spec" if body.spec is not None else "hypothesis"


def _text(spec: str | dict[str, Any] | None) -> str:
    return spec if isinstance(spec, str) else mapping_write(spec or {}, form="json")


def _imported(done: Imported) -> dict[str, Any]:
    experiment = done.experiment
    return {
        "experiment_id": experiment.slug,
        "status": experiment.status,
        "campaign": done.approval.campaign.number,
        "hypothesis": experiment.hypothesis.description if experiment.hypothesis else "",
        "approval_id": done.approval.id,
        "needs_approval": experiment.needs_approval,
        "notes": list(done.notes),
    }


def _validated(draft: Draft) -> dict[str, Any]:
    return {
        "experiment_id": draft.spec.experiment_id,
        "campaign": draft.campaign.number,
        "metric": draft.metric,
        "factor": draft.change.param,
        "from_value": draft.change.from_value,
        "to_value": draft.change.to_value,
        "base_version": draft.base,
        "questions": draft.spec.expected_n,
        "needs_approval": draft.needs_approval,
        "notes": list(draft.notes),
        "spec": draft.spec.to_mission_json(),
    }


def _progress(slug: str) -> dict[str, Any]:
    found = single.experiment_follow(slug=slug)
    row = found.experiment
    shown = ("status", "looks", "look_sizes", "closes_at", "decision", "decision_reason")
    told = ("runs_done", "runs_planned", "label", "rate", "left_seconds", "waits_for", "verdict")
    return {
        "experiment_id": row.slug,
        **{name: getattr(row, name) for name in shown},
        **{name: getattr(found, name) for name in told},
    }
