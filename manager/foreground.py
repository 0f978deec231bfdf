"""A campaign in the foreground: the same steps that workers run, one after the other, until it ends."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.actor import Actor
from experiments.bundled import BUNDLED, bundled_prepare
from goals.models import Campaign
from kernel.errors import Conflict
from maas.client import MaasClient
from manager.domain.lifecycle import ApprovalStatus
from manager.engine.advance import Worker, campaign_advance
from manager.engine.context import MANAGER, Show
from manager.engine.lease import worker_name
from manager.models import Approval
from manager.services.approvals import approval_approve, approval_by_id
from manager.services.campaigns import parallel
from manager.services.rechecks import approval_recheck

_WAIT = 0.5
_RECHECKS = 3


@dataclass(frozen=True, slots=True)
class Answered:
    """An approval request that was answered on the way, and what came of it."""

    factor: str
    status: str
    outcome: str


def bundled_ready(*, client: MaasClient, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Make sure that the bundled data set is there."""
    bundled_prepare(client=client, actor=MANAGER, on_progress=on_progress, parallel=parallel())


def campaign_follow(
    *,
    campaign_id: uuid.UUID,
    client: MaasClient,
    approve_as: Actor | None = None,
    show: Show | None = None,
    on_step: Callable[[Campaign], None] | None = None,
) -> list[Answered]:
    """Advance a running campaign to its end. `approve_as` answers each approval request in that person's name.

    A cycle that another worker holds, or whose turn has not come, is waited for. Returns the answered requests.
    """
    worker = Worker(name=worker_name(), client=client, parallel=parallel(), show=show)
    answered: list[Answered] = []
    while True:
        outcome = campaign_advance(campaign_id=campaign_id, worker=worker)
        if outcome in ("ended", "waiting"):
            return answered
        if outcome in ("busy", "held"):
            time.sleep(_WAIT)
            continue
        if approve_as is not None:
            answered += _approve_all(campaign_id, client, approve_as)
        if on_step is not None:
            on_step(Campaign.objects.get(id=campaign_id))


def _approve_all(campaign_id: uuid.UUID, client: MaasClient, actor: Actor) -> list[Answered]:
    pending = Approval.objects.filter(campaign_id=campaign_id, status=ApprovalStatus.PENDING).order_by("created_at")
    return [_approve(item, client, actor) for item in pending]


def _approve(item: Approval, client: MaasClient, actor: Actor) -> Answered:
    try:
        told = "approved on the command line (--approve)"
        approval = approval_approve(approval_id=item.id, actor=actor, comment=told, seen=item.content_hash)
    except Conflict:  # void, expired or decided by somebody else meanwhile: it says so itself
        approval = approval_by_id(item.id)
    for _ in range(_RECHECKS):
        if approval.status != ApprovalStatus.APPROVED or approval.kind != "apply":
            break
        try:
            approval = approval_recheck(approval_id=item.id, client=client, actor=MANAGER, parallel=parallel())
        except Conflict:
            continue
    return Answered(factor=approval.experiment.factor, status=approval.status, outcome=approval.outcome)


def learn_json(campaign: Campaign, answered: list[Answered]) -> dict[str, Any]:
    """The documented output of `learn --json` (interfaces.md)."""
    report = campaign.report.content
    return {
        "campaign": campaign.number,
        "goal": campaign.goal.text,
        "cycles": report["cycles"],
        "verdicts": [
            {key: item.get(key) for key in ("slug", "factor", "from", "to", "verdict", "decision", "reason", "n")}
            for item in report["experiments"]
        ],
        "versions": [item["version"] for item in report["applied"]],
        "metrics_before": (campaign.metrics_before or {}).get("metrics", {}),
        "metrics_after": (campaign.metrics_after or {}).get("metrics", {}),
        "golden_before": (campaign.golden_before or {}).get("metrics", {}),
        "golden_after": (campaign.golden_after or {}).get("metrics", {}),
        "approvals": {
            "waiting": report["waiting"],
            "answered": [{"factor": item.factor, "status": item.status, "outcome": item.outcome} for item in answered],
        },
        "status": campaign.status,
    }


def needs_bundled(dataset: str) -> bool:
    return dataset == BUNDLED
