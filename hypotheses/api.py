# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Hypotheses: what was thought, and what came of it."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate

from hypotheses import selectors
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis

router = Router(tags=["hypotheses"])


class HypothesisOut(Schema):
    id: uuid.UUID
    name: str
    description: str
    status: str
    campaign_id: uuid.UUID | None
    factor: str
    from_value: Any
    to_value: Any
    base_version: int
    metric: str
    direction: str
    expected_effect: float | None
    rationale: str
    needs_approval: bool
    related_experiments: list[str]
    tags: list[str]
    next_steps: list[Any]
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


@router.get("/hypotheses", response=list[HypothesisOut], summary="Hypotheses, newest first")
@paginate(sort=("created_at", "updated_at", "resolved_at", "expected_effect"))
def hypotheses(
    request: HttpRequest,
    status: HypothesisStatus | None = None,
    factor: str | None = None,
    campaign: uuid.UUID | None = None,
    metric: str | None = None,
) -> QuerySet[Hypothesis]:
    found = selectors.hypotheses(status=status)
    wanted = {"factor": factor, "campaign_id": campaign, "metric": metric}
    return found.filter(**{name: value for name, value in wanted.items() if value}).order_by("-created_at", "id")


@router.get("/hypotheses/{uuid:hypothesis_id}", response=HypothesisOut, summary="One hypothesis")
def hypothesis(request: HttpRequest, hypothesis_id: uuid.UUID) -> Hypothesis:
    return selectors.hypothesis(hypothesis_id)
