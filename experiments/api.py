# ruff: noqa: ARG001 - ninja calls every route with `request`, and reads parameters from defaults
"""Experiments and their results; data sets by size, never by content."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from experiments import selectors
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Dataset, DiscoveryEntry, Experiment, ExperimentResult
from kernel.errors import NotFound

router = Router(tags=["experiments"])


class ExperimentOut(Schema):
    id: uuid.UUID
    slug: str
    campaign_id: uuid.UUID | None
    cycle: int | None
    hypothesis_id: uuid.UUID | None
    dataset: str
    factor: str
    from_value: Any
    to_value: Any
    metric: str
    status: str
    base_version: int
    arm_versions: dict[str, int]
    planned_n: int
    look_sizes: list[int]
    """Examples at each planned look; empty: one look, at the end."""
    looks: list[dict[str, Any]]
    """What each look before the end found: n, verdict, p_value, level."""
    closes_at: datetime | None
    ended_early: str
    needs_approval: list[str]
    decision: str
    decision_reason: str
    policy_version: int | None = None
    """Of the policy that it was decided under; null: not decided, or decided before policies had versions."""
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    analyzed_at: datetime | None
    decided_at: datetime | None


class ExperimentDetail(ExperimentOut):
    seed: int
    spec: dict[str, Any]
    """The mission's experiment_spec."""


class ResultOut(Schema):
    experiment_id: str
    verdict: str
    metrics_baseline: dict[str, Any]
    metrics_variant: dict[str, Any]
    p_values: dict[str, Any]
    recommendation: dict[str, Any]
    notes: str
    evaluation: dict[str, Any]
    by_category: dict[str, Any]
    golden: dict[str, Any]
    samples_hash: str
    looks: list[int]
    horizon: int | None
    engine_version: str
    judge_version: str
    created_at: datetime
    samples: list[dict[str, Any]] | None = None
    """The exact input of the statistics; only when asked for."""


class LedgerEntryOut(Schema):
    place: int
    experiment: str
    p_value: float
    untested: str
    """Why nothing could be tested (p counts as 1 then); empty when it was."""
    level: float
    discovery: bool
    candidate: bool
    entered_at: datetime


class StreamOut(Schema):
    stream: str
    """The data set and the split whose questions are looked at again and again."""
    tested: int
    discoveries: int
    spent: float
    left: float
    next_level: float
    """What the next experiment's p must be at most for its change to be applied without a person."""
    entries: list[LedgerEntryOut]


class LedgerOut(Schema):
    streams: list[StreamOut]


class DatasetOut(Schema):
    name: str
    source: str
    golden_hash: str
    created_at: datetime
    sizes: dict[str, int]
    golden_looks: int


@router.get("/experiments", response=list[ExperimentOut], summary="Experiments, newest first")
@paginate(sort=("created_at", "started_at", "decided_at", "slug"))
def experiments(
    request: HttpRequest,
    status: ExperimentStatus | None = None,
    factor: str | None = None,
    campaign: uuid.UUID | None = None,
    dataset: str | None = None,
    metric: str | None = None,
    decision: str | None = None,
) -> QuerySet[Experiment]:
    wanted = {
        "status": status, "factor": factor, "campaign_id": campaign, "dataset": dataset, "metric": metric,
        "decision": decision,
    }  # fmt: skip
    return Experiment.objects.filter(**{name: value for name, value in wanted.items() if value})


@router.get("/experiments/ledger", response=LedgerOut, summary="The ledger of false discoveries: level spent and left")
def ledger(request: HttpRequest, dataset: str | None = None) -> dict[str, Any]:
    standing = selectors.ledger_standing()
    if dataset is not None:
        standing = [row for row in standing if row.stream == selectors.ledger_stream(dataset=dataset)]
    return {"streams": [_stream(last) for last in standing]}


def _stream(last: DiscoveryEntry) -> dict[str, Any]:
    entries = selectors.ledger_entries(stream=last.stream)
    return {
        **{name: getattr(last, name) for name in ("stream", "spent", "left", "next_level")},
        "tested": len(entries),
        "discoveries": sum(entry.discovery for entry in entries),
        "entries": entries,
    }


@router.get("/experiments/{experiment_id}", response=ExperimentDetail, summary="One experiment, by slug or uuid")
def experiment(request: HttpRequest, experiment_id: str) -> Experiment:
    return selectors.experiment_named(experiment_id)


@router.get("/experiments/{experiment_id}/results", response=ResultOut, summary="What the Teacher found")
def results(
    request: HttpRequest,
    experiment_id: str,
    samples: QueryEx[bool, P(description="with the samples that the verdict rests on")] = False,
) -> dict[str, Any]:
    slug = selectors.experiment_named(experiment_id).slug
    result: ExperimentResult | None = selectors.result_of(slug)
    if result is None:
        raise NotFound(f"experiment {slug} has no result yet", details={"experiment": slug})
    return {**ResultOut.from_orm(result).dict(), "samples": result.samples if samples else None}


@router.get("/datasets", response=list[DatasetOut], summary="Data sets and the sizes of their splits")
@paginate(key="name")
def datasets(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            **{name: getattr(row, name) for name in ("name", "source", "golden_hash", "created_at")},
            "sizes": selectors.split_sizes(dataset=row.name),
            "golden_looks": selectors.golden_looks(dataset=row.name),
        }
        for row in Dataset.objects.order_by("name")
    ]
