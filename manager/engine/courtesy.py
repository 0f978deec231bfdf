"""How a background campaign stands back for real users, and how long it has the patience to."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from goals.models import Campaign
from manager.domain.scheduling import patience_spent
from manager.engine.context import StepContext, Yielded
from manager.models import Cycle
from manager.services.journal import journal_write
from manager.services.upkeep import schedule_of, schedule_row

YIELDS = "gives way to real users"


def stand_back(context: StepContext) -> None:
    """Before a step of a background worker. Raises `Yielded`; once it is quiet, forgets that it stood back.

    One that has stood back for longer than the schedule's patience goes on with this step beside real users, one
    question at a time; the step after it stands back again.
    """
    if context.courtesy is None:
        return
    since = _since(context.cycle)
    try:
        context.courtesy.look(force=True)
    except Yielded:
        row = schedule_row()
        if since is None or not patience_spent(schedule_of(row), now=timezone.now(), since=since):
            raise
        _go_on(context, since, hours=row.patience_hours)
        return
    if since is not None:
        context.lease.beat({}, force=True)


def yielded_tell(campaign: Campaign, cycle: Cycle, reason: str) -> None:
    """Shown on the cycle with the time since when; written down once for each time that it stands back."""
    cycle.refresh_from_db()
    if cycle.progress.get("yields_since"):
        return
    now = timezone.now()
    Cycle.objects.filter(id=cycle.id).update(progress={"label": YIELDS, "yields_since": now.isoformat()})
    text = f"cycle {cycle.number} gives way to real users while {cycle.state.lower()}"
    key = f"k{cycle.number}-yields-{now:%d%H%M%S%f}"
    journal_write(campaign=campaign, key=key, kind="yields", text=text, reason=reason, cycle=cycle.number)


def _since(cycle: Cycle) -> datetime | None:
    return parse_datetime(cycle.progress.get("yields_since") or "")


def _go_on(context: StepContext, since: datetime, *, hours: int) -> None:
    context.courtesy, context.parallel = None, 1
    cycle = context.cycle
    journal_write(
        campaign=context.campaign,
        key=f"k{cycle.number}-patience-{since:%d%H%M%S%f}",
        kind="patience",
        text=f"cycle {cycle.number} goes on for one step beside real users while {cycle.state.lower()}",
        reason=f"it had given way for more than {hours} h",
        cycle=cycle.number,
    )
