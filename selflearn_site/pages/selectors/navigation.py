"""What the navigation shows beside its words: counts and the active version."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from incidents.selectors import waiting
from manager.domain.lifecycle import ApprovalStatus, PruningStatus
from manager.models import Approval, PruningProposal
from tuner.models import ParameterVersion


@dataclass(frozen=True, slots=True)
class Navigation:
    experiments: int
    waiting: int
    incidents: int
    version: int | None


def navigation() -> Navigation:
    """Counts, five queries. `experiments`: those not decided yet."""
    open_ones = Q(status__in=[ExperimentStatus.PLANNED, ExperimentStatus.RUNNING, ExperimentStatus.COMPLETED])
    return Navigation(
        experiments=Experiment.objects.aggregate(n=Count("id", filter=open_ones))["n"],
        waiting=Approval.objects.filter(status=ApprovalStatus.PENDING).count()
        + PruningProposal.objects.filter(status=PruningStatus.PENDING).count(),
        incidents=waiting().count(),
        version=ParameterVersion.objects.filter(is_active=True).values_list("version", flat=True).first(),
    )
