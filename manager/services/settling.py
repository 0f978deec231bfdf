"""After a person changed what is active and no campaign runs that would look at it: have a worker look."""

from __future__ import annotations

from django_q.tasks import async_task

from goals.domain.lifecycle import ENDED
from goals.models import Campaign

SETTLE_TASK = "manager.tasks.activation_settle"


def activation_settle_enqueue(*, campaign: Campaign | None) -> None:
    """Ask a worker to measure the active version on the campaign's data, and to confirm it or roll it back.

    A campaign that has not ended does this itself in its next cycle. Asked twice is harmless: passes are run once.
    """
    if campaign is not None and Campaign.objects.filter(id=campaign.id, status__in=ENDED).exists():
        async_task(SETTLE_TASK, str(campaign.id), task_name=f"settle {campaign.id}")
