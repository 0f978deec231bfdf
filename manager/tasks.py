"""Background doors: tasks take ids, call one service, and are safe to run twice."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Task

from contracts.actor import component
from goals.domain.lifecycle import ENDED, CampaignStatus
from goals.models import Campaign
from kernel.errors import Conflict
from maas.client import get_client
from manager.domain.lifecycle import ApprovalStatus
from manager.engine.advance import Worker, campaign_advance
from manager.engine.closing import look_again
from manager.engine.lease import worker_name
from manager.engine.upkeep import upkeep_tick as tick
from manager.engine.upkeep import upkeep_work as work
from manager.services import emulations
from manager.services.approvals import approvals_expire, approvals_unfinished
from manager.services.campaigns import campaign_enqueue, campaigns_held, campaigns_unattended, parallel
from manager.services.checks import safety_work
from manager.services.decisions import approval_finish_enqueue
from manager.services.degradation import live_watch
from manager.services.pruning import prunings_tend
from manager.services.rechecks import approval_recheck
from manager.services.reminders import approvals_remind
from manager.services.settling import activation_settle_enqueue
from tuner.selectors import active_version

HISTORY_DAYS = 7


def campaign_step(campaign_id: str) -> str:
    """One step of a campaign, then the next is queued. A campaign that another worker is at is left to it."""
    key = uuid.UUID(campaign_id)
    outcome = campaign_advance(
        campaign_id=key, worker=Worker(name=worker_name(), client=get_client(), parallel=parallel(), yields=True)
    )
    if outcome == "moved" and Campaign.objects.filter(id=key, status=CampaignStatus.RUNNING).exists():
        campaign_enqueue(campaign_id=key)
    if outcome in ("moved", "ended"):
        for other in campaigns_held():  # what this one did may have made room
            campaign_enqueue(campaign_id=other)
    return outcome


def safety_task(run_id: str) -> bool:
    """Every safety check, once."""
    return safety_work(run_id=uuid.UUID(run_id))


def emulation_play(batch_id: str) -> str:
    """A slice of an emulation; the rest is queued by the service."""
    return emulations.emulation_play(batch_id=uuid.UUID(batch_id), client=get_client()).status


def approval_finish(approval_id: str) -> str:
    """Apply an approved change whose base has moved, after golden was asked anew. A base that moves meanwhile is
    asked about again."""
    for _ in range(3):
        try:
            approval = approval_recheck(
                approval_id=uuid.UUID(approval_id), client=get_client(), actor=component("manager"), parallel=parallel()
            )
            if approval.status == ApprovalStatus.APPLIED:
                activation_settle_enqueue(campaign=approval.campaign)
            return approval.status
        except Conflict:
            continue
    raise Conflict("the active version keeps moving; the approval is asked about again later")


def activation_settle(campaign_id: str) -> int:
    """Measure the active version on the data of an ended campaign; confirm it, or roll it back when golden is worse.

    Returns the version that is active then.
    """
    campaign = Campaign.objects.select_related("goal").get(id=uuid.UUID(campaign_id))
    if campaign.status in ENDED:
        look_again(campaign, get_client(), parallel())
    return active_version().version


def unattended_pick_up() -> int:
    """Every minute: queue running campaigns and emulations that nobody works on and approvals that were not
    finished, close approvals that waited too long, and remind of the others. Returns how many campaigns were queued."""
    with transaction.atomic():
        approvals_expire(actor=component("manager"))
    approvals_remind()
    found = campaigns_unattended()
    for campaign_id in found:
        campaign_enqueue(campaign_id=campaign_id)
    for batch_id in emulations.emulations_unattended():
        emulations.emulation_enqueue(batch_id=batch_id)
    prunings_tend(actor=component("manager"))
    for approval_id in approvals_unfinished():
        approval_finish_enqueue(approval_id=approval_id)
    return len(found)


def upkeep_tick() -> str:
    """Every minute: start, pick up or resume upkeep, as the scheduler decides."""
    found = tick()
    return f"{found.kind}: {found.reason}"


def upkeep_work(cycle_id: str) -> str:
    """Go on with an upkeep cycle. One that stands back for real users is queued again by the tick."""
    return work(cycle_id=uuid.UUID(cycle_id), worker=worker_name(), client=get_client())


def degradation_watch() -> str:
    """Every five minutes: is the active version worse for real people? If so it is rolled back."""
    return live_watch()


def history_prune() -> int:
    """Every hour: forget finished tasks older than a week (`save_limit` is off, because it locks every row)."""
    old = Task.objects.filter(stopped__lt=timezone.now() - timedelta(days=HISTORY_DAYS))
    deleted, _ = old.delete()
    return int(deleted)
