"""The end of a campaign: what was applied last is measured too, then the campaign is closed and reported."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.services import chain_lock
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.services import campaign_finish
from hypotheses.services import hypotheses_outdate
from kernel.errors import Conflict, IllegalTransition
from maas.client import MaasClient
from manager.domain.lifecycle import CycleState
from manager.engine.context import MANAGER, TEACHER, StepContext
from manager.engine.evaluating import Standing, settle
from manager.engine.lease import NoLease
from manager.engine.spending import BudgetSpent, Meter, Metered
from manager.models import Cycle
from manager.reports.content import report_write
from manager.services.experiment_closing import experiments_close
from manager.services.journal import journal_write
from manager.services.telling import tell_ended

UNSEEN = "the active version was not looked at again: there is nothing left to pay for it"


def close(campaign: Campaign, client: MaasClient, parallel: int, reason: str) -> None:
    """Settle the active version, where the budget allows to, end the campaign, write its report.

    Needs no lease: its passes run each question once whoever asks, and of two workers one ends the campaign.
    """
    meter = Meter(campaign)
    standing = _look_if_paid(campaign, Metered(client, meter), parallel, meter)
    meter.count()
    if standing is None and campaign.cycles.exists():
        reason = f"{reason}; {UNSEEN}"
    try:
        with transaction.atomic():
            chain_lock()  # before any row, as every step that commits
            if standing is not None:
                _record(campaign, standing)
            end(campaign, reason)
            _close_open(campaign, reason)
    except (Conflict, IllegalTransition):
        campaign.refresh_from_db()
        if campaign.status == CampaignStatus.RUNNING:
            raise
    campaign.refresh_from_db()
    report_write(campaign=campaign)


def look_again(campaign: Campaign, client: MaasClient, parallel: int) -> None:
    """After the end: somebody approved or rolled back since. Settle what is active now, and renew the report."""
    standing = _look(campaign, client, parallel)
    with transaction.atomic():
        _record(campaign, standing)
    campaign.refresh_from_db()
    report_write(campaign=campaign)


def _look_if_paid(campaign: Campaign, client: MaasClient, parallel: int, meter: Meter) -> Standing | None:
    """How the active version stands, where the budget still allows to see it or it was seen before; None else.

    A change that was applied with the last of the money has passed validation and golden; its second look at golden is
    left to the next campaign, to an approval, or to a person (decision 0032).
    """
    if not campaign.cycles.exists():
        return None
    try:
        return _look(campaign, client, parallel, meter)
    except BudgetSpent:
        return None


def _look(campaign: Campaign, client: MaasClient, parallel: int, meter: Meter | None = None) -> Standing:
    cycle = campaign.cycles.order_by("-number").first()
    if cycle is None:
        raise Conflict("a campaign without a cycle has nothing to settle")
    context = StepContext(
        cycle=cycle, campaign=campaign, client=client, lease=NoLease(), parallel=parallel, meter=meter
    )
    try:
        return settle(context)
    except Conflict:  # the active version changed while it was measured: look again
        return settle(context)


def _record(campaign: Campaign, standing: Standing) -> None:
    standing.record(campaign)
    for index, note in enumerate(standing.notes):
        journal_write(
            campaign=campaign,
            key=f"settled-v{standing.version}-{index}",
            kind=note.kind,
            text=note.text,
            reason=note.reason,
        )


def _close_open(campaign: Campaign, reason: str) -> None:
    """A cycle that the budget cut off ends with its campaign, and so does its experiment, which would keep its factor
    from all others. Nothing is open where the cycles were spent one by one."""
    cut = Cycle.objects.filter(campaign=campaign, finished_at__isnull=True)
    if cut.update(
        state=CycleState.IDLE, outcome="budget spent", outcome_text=reason, finished_at=timezone.now(), progress={}
    ):
        experiments_close(campaign=campaign, actor=MANAGER, reason=reason, by="budget")


def end(campaign: Campaign, reason: str) -> None:
    """Inside the caller's transaction: the campaign is completed, and its journal says why."""
    campaign_finish(campaign_id=campaign.id, actor=MANAGER, reason=reason)
    hypotheses_outdate(campaign=campaign, active=None, actor=TEACHER)
    journal_write(campaign=campaign, key="end", kind="ended", text=f"campaign {campaign.number} ended", reason=reason)
    tell_ended(campaign, reason=reason)
