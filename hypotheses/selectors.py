"""Reads of hypotheses."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from kernel.errors import NotFound

UNTRIED = (HypothesisStatus.PLANNED, HypothesisStatus.INCONCLUSIVE)
"""What a hypothesis without an experiment may be: it waits, or its base was gone before anybody tried it."""


def hypothesis(hypothesis_id: UUID) -> Hypothesis:
    """Raises `NotFound`."""
    found = Hypothesis.objects.filter(pk=hypothesis_id).first()
    if found is None:
        raise NotFound(f"there is no hypothesis {hypothesis_id}", details={"hypothesis": str(hypothesis_id)})
    return found


def hypotheses(*, campaign: Campaign | None = None, status: HypothesisStatus | None = None) -> QuerySet[Hypothesis]:
    """Oldest first, with their campaigns."""
    found = Hypothesis.objects.select_related("campaign").order_by("created_at", "id")
    if campaign is not None:
        found = found.filter(campaign=campaign)
    if status is not None:
        found = found.filter(status=status)
    return found


def tried(campaign: Campaign) -> QuerySet[Hypothesis]:
    """What this campaign has run at least once, whatever came of it; oldest first."""
    return hypotheses(campaign=campaign).exclude(status__in=UNTRIED, related_experiments=[])


def waiting(campaign: Campaign | None) -> QuerySet[Hypothesis]:
    """Registered and not started; with None those queued between campaigns."""
    return Hypothesis.objects.filter(campaign=campaign, status=HypothesisStatus.PLANNED).order_by("created_at", "id")
