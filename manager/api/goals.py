# ruff: noqa: ARG001 - ninja calls every route with `request`
"""From a sentence to a running campaign."""

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status
from ninja.pagination import paginate

from audit.services import chain_lock
from contracts.doors import actor_of
from contracts.etags import TAGGED, TAKES_IF_MATCH, tagged, unchanged
from contracts.goal import Autonomy
from experiments.bundled import BUNDLED
from goals import selectors
from goals.domain.lifecycle import CampaignStatus, GoalStatus
from goals.models import Campaign, LearningGoal
from kernel.errors import NotFound
from manager.services import campaigns

router = Router(tags=["goals"])


class TextIn(Schema, extra="forbid"):
    text: str = Field(max_length=5000, examples=["Raise recall of memories to 60 % without losing precision"])


class GoalIn(TextIn):
    dataset: str = BUNDLED
    autonomy: Autonomy | None = None
    """Absent: what the sentence asks for."""
    cycles: int | None = Field(None, ge=1, le=1000)
    dialogues: int | None = Field(None, ge=1, le=100_000)
    seed: int | None = Field(None, ge=0, lt=2**63)
    priority: int | None = Field(None, ge=1, le=1000)
    """The goal with the smaller number comes first; 100 when absent."""


class TranslationOut(Schema):
    targets: list[dict[str, Any]]
    constraints: list[dict[str, Any]]
    allowed_impacts: list[str]
    forbidden_impacts: list[str]
    autonomy: str | None
    budget: dict[str, Any]
    assumptions: list[str]
    unread: list[str]
    conflicts: list[str]


class CampaignBrief(Schema):
    id: uuid.UUID
    number: int
    status: str
    dataset: str
    end_reason: str


class GoalOut(Schema):
    id: int
    text: str
    language: str
    targets: list[dict[str, Any]]
    constraints: list[dict[str, Any]]
    allowed_impacts: list[str]
    forbidden_impacts: list[str]
    autonomy: str
    budget: dict[str, Any]
    priority: int
    status: str
    created_by: str
    created_at: datetime
    campaigns: list[CampaignBrief]

    @staticmethod
    def resolve_campaigns(goal: LearningGoal) -> list[Campaign]:
        return list(goal.campaigns.all())


class GoalReasonIn(Schema, extra="forbid"):
    reason: str = ""


@router.post("/goals/translate", response=TranslationOut, summary="What is understood of a sentence; changes nothing")
def translate(request: HttpRequest, body: TextIn) -> dict[str, Any]:
    return campaigns.goal_understand(body.text).to_json()


@router.post("/goals", response={201: GoalOut}, summary="Store a goal with a planned campaign; nothing runs yet")
def goal_create(request: HttpRequest, body: GoalIn) -> Status[LearningGoal]:
    campaign = campaigns.campaign_plan(
        translation=campaigns.goal_understand(body.text),
        wish=campaigns.CampaignWish(
            dataset=body.dataset,
            autonomy=body.autonomy,
            cycles=body.cycles,
            dialogues=body.dialogues,
            seed=body.seed,
            priority=body.priority,
        ),
        actor=actor_of(request),
    )
    return Status(201, campaign.goal)


@router.get("/goals", response=list[GoalOut], summary="Goals, most urgent first")
@paginate(sort=("priority", "created_at", "id"))
def goals(request: HttpRequest, status: GoalStatus | None = None) -> QuerySet[LearningGoal]:
    found = LearningGoal.objects.prefetch_related("campaigns").order_by("priority", "-id")
    return found.filter(status=status) if status else found


@router.get("/goals/{int:goal_id}", response=GoalOut, summary="One goal with its campaigns", openapi_extra=TAGGED)
def goal(request: HttpRequest, response: HttpResponse, goal_id: int) -> GoalOut:
    return tagged(response, _shown(goal_id))


@router.post(
    "/goals/{int:goal_id}/start",
    response=GoalOut,
    summary="Start its campaign, or go on with it",
    openapi_extra=TAKES_IF_MATCH,
)
def start(request: HttpRequest, response: HttpResponse, goal_id: int, body: GoalReasonIn | None = None) -> GoalOut:
    """The newest campaign of the goal: a planned one starts, a paused or failed one goes on."""
    with _as_seen(request, goal_id):
        campaign = _newest(goal_id)
        begin = (
            campaigns.campaign_go_on
            if campaign.status in (CampaignStatus.PAUSED, CampaignStatus.FAILED)
            else campaigns.campaign_launch
        )
        begin(campaign_id=campaign.id, actor=actor_of(request))
    return tagged(response, _shown(goal_id))


@router.post(
    "/goals/{int:goal_id}/pause",
    response=GoalOut,
    summary="The step at hand ends, the next waits",
    openapi_extra=TAKES_IF_MATCH,
)
def pause(request: HttpRequest, response: HttpResponse, goal_id: int, body: GoalReasonIn | None = None) -> GoalOut:
    reason = body.reason if body else ""
    with _as_seen(request, goal_id):
        campaigns.campaign_hold(campaign_id=_newest(goal_id).id, actor=actor_of(request), reason=reason)
    return tagged(response, _shown(goal_id))


@router.post(
    "/goals/{int:goal_id}/stop",
    response=GoalOut,
    summary="Stop its campaign for good",
    openapi_extra=TAKES_IF_MATCH,
)
def stop(request: HttpRequest, response: HttpResponse, goal_id: int, body: GoalReasonIn | None = None) -> GoalOut:
    """What was applied stays, and can be rolled back."""
    reason = (body.reason if body else "") or "stopped by a person"
    with _as_seen(request, goal_id):
        campaigns.campaign_end(campaign_id=_newest(goal_id).id, actor=actor_of(request), reason=reason)
    return tagged(response, _shown(goal_id))


def _shown(goal_id: int) -> GoalOut:
    return GoalOut.from_orm(selectors.goal(goal_id))


def _as_seen(request: HttpRequest, goal_id: int) -> AbstractContextManager[None]:
    """Whatever changes a campaign takes the change log's lock first."""
    return unchanged(request, lambda: _shown(goal_id), inside=transaction.atomic, lock=chain_lock)


def _newest(goal_id: int) -> Campaign:
    selectors.goal(goal_id)
    found = selectors.campaigns(goal_id=goal_id).first()
    if found is None:
        raise NotFound(f"goal {goal_id} has no campaign", details={"goal": goal_id})
    return found
