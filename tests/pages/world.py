"""What the pages show, made without running a whole campaign."""

from __future__ import annotations

from django.utils import timezone

from contracts.actor import Actor, component
from goals.models import Campaign
from goals.services import campaign_record
from incidents.models import Incident
from incidents.services import incident_open
from manager.models import Cycle
from manager.reports.content import report_write
from tuner.selectors import active_version

MANAGER: Actor = component("manager")


def measured(recall: float, precision: float = 0.3) -> dict[str, object]:
    metrics = {"retrieval_recall": recall, "retrieval_precision": precision, "latency_p95": 40.0, "token_cost": 0.0001}
    return {"n": 54, "metrics": metrics, "counts": dict.fromkeys(metrics, 54), "by_category": {}}


def cycle_measured(campaign: Campaign, *, number: int, recall: float) -> Cycle:
    """A finished cycle, and the campaign's figures as that cycle left them."""
    version = active_version().version
    now = measured(recall)
    if number == 1:
        campaign_record(campaign_id=campaign.id, metrics_before=now, golden_before=now, start_version=version)
    campaign_record(campaign_id=campaign.id, metrics_after=now, golden_after=now, end_version=version)
    campaign.refresh_from_db()
    return Cycle.objects.create(
        campaign=campaign,
        number=number,
        state="IDLE",
        outcome="refused",
        outcome_text="nothing was proved",
        data={"version": version, "validation": now},
        finished_at=timezone.now(),
    )


def report_made(campaign: Campaign) -> None:
    report_write(campaign=campaign)


def incident_made() -> Incident:
    return incident_open(
        kind="degradation",
        severity="warning",
        title="Version 2 was rolled back",
        detail="recall fell",
        subject="version:2",
        actor=MANAGER,
    )
