"""The end of a campaign: what was applied last is measured too, then the campaign is closed and reported."""

from __future__ import annotations

from django.db import transaction

from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.services import campaign_finish
from kernel.errors import Conflict, IllegalTransition
from maas.client import MaasClient
from manager.engine.context import MANAGER, StepContext
from manager.engine.evaluating import Standing, settle
from manager.engine.lease import NoLease
from manager.reports.content import report_write
from manager.services.journal import journal_write


def close(campaign: Campaign, client: MaasClient, parallel: int, reason: str) -> None:
    """Settle the active version, end the campaign, write its report.

    Needs no lease: its passes run each question once whoever asks, and of two workers one ends the campaign.
    """
    context, standing = _look(campaign, client, parallel)
    try:
        with transaction.atomic():
            standing.record(context)
            _write_down(campaign, standing)
            end(campaign, reason)
    except (Conflict, IllegalTransition):
        campaign.refresh_from_db()
        if campaign.status == CampaignStatus.RUNNING:
            raise
    campaign.refresh_from_db()
    report_write(campaign=campaign)


def look_again(campaign: Campaign, client: MaasClient, parallel: int) -> None:
    """After the end: somebody approved or rolled back since. Settle what is active now, and renew the report."""
    context, standing = _look(campaign, client, parallel)
    with transaction.atomic():
        standing.record(context)
        _write_down(campaign, standing)
    campaign.refresh_from_db()
    report_write(campaign=campaign)


def _look(campaign: Campaign, client: MaasClient, parallel: int) -> tuple[StepContext, Standing]:
    cycle = campaign.cycles.order_by("-number").first()
    if cycle is None:
        raise Conflict("a campaign without a cycle has nothing to settle")
    context = StepContext(cycle=cycle, campaign=campaign, client=client, lease=NoLease(), parallel=parallel)
    try:
        return context, settle(context)
    except Conflict:  # the active version changed while it was measured: look again
        return context, settle(context)


def _write_down(campaign: Campaign, standing: Standing) -> None:
    for index, note in enumerate(standing.notes):
        journal_write(
            campaign=campaign,
            key=f"settled-v{standing.version}-{index}",
            kind=note.kind,
            text=note.text,
            reason=note.reason,
        )


def end(campaign: Campaign, reason: str) -> None:
    """Inside the caller's transaction: the campaign is completed, and its journal says why."""
    campaign_finish(campaign_id=campaign.id, actor=MANAGER, reason=reason)
    journal_write(campaign=campaign, key="end", kind="ended", text=f"campaign {campaign.number} ended", reason=reason)
