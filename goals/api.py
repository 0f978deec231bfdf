# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Campaigns: how each pursuit of a goal stands. Goals themselves are opened by the Manager."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate

from goals import selectors
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign

router = Router(tags=["campaigns"])


class CampaignOut(Schema):
    id: uuid.UUID
    number: int
    goal_id: int
    dataset: str
    autonomy: str
    max_cycles: int
    dialogues_per_cycle: int
    seed: int
    status: str
    end_reason: str
    metrics_before: dict[str, Any] | None
    metrics_after: dict[str, Any] | None
    golden_before: dict[str, Any] | None
    golden_after: dict[str, Any] | None
    start_version: int | None
    end_version: int | None
    tokens: int
    cost_usd: float
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.get("/campaigns", response=list[CampaignOut], summary="Campaigns, newest first")
@paginate(sort=("number", "created_at", "started_at", "finished_at", "cost_usd"))
def campaigns(
    request: HttpRequest, status: CampaignStatus | None = None, goal: int | None = None, dataset: str | None = None
) -> QuerySet[Campaign]:
    found = selectors.campaigns(status=status, goal_id=goal)
    return found.filter(dataset=dataset) if dataset else found


@router.get("/campaigns/{campaign_id}", response=CampaignOut, summary="One campaign, by number or uuid")
def campaign(request: HttpRequest, campaign_id: str) -> Campaign:
    return selectors.campaign(campaign_id)
