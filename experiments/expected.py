"""Which memories questions hold to, and whose: what is measured with must not be taken away or change meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from experiments.domain.lifecycle import ExperimentStatus
from experiments.golden_access import golden_access
from experiments.models import EvaluationExample, Experiment, GoldenExample


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a data set and the memories that it must find."""

    user_id: uuid.UUID
    query: str
    asked_at: datetime
    expected: tuple[uuid.UUID, ...]


def memories_expected() -> set[uuid.UUID]:
    """Ids of all memories that a question of any data set expects, golden ones included; ids alone."""
    rows = list(EvaluationExample.objects.values_list("expected_memory_ids", flat=True))
    with golden_access():
        rows += list(GoldenExample.objects.values_list("expected_memory_ids", flat=True))
    return {memory for row in rows for memory in row}


def questions_of(*, users: Iterable[uuid.UUID]) -> list[Asked]:
    """Train and validation questions about these users that expect something, in a stable order."""
    rows = EvaluationExample.objects.filter(user_id__in=list(users)).exclude(expected_memory_ids=[])
    return [
        Asked(user, query, at, tuple(expected))
        for user, query, at, expected in rows.order_by("user_id", "external_id").values_list(
            "user_id", "query", "asked_at", "expected_memory_ids"
        )
    ]


def users_under_test() -> set[uuid.UUID]:
    """Users whose memories a running experiment searches: both of its arms must meet the same ones."""
    running = Experiment.objects.filter(status=ExperimentStatus.RUNNING).order_by()
    datasets = list(running.values_list("dataset", flat=True).distinct())
    if not datasets:
        return set()
    users = set(EvaluationExample.objects.filter(dataset__name__in=datasets).values_list("user_id", flat=True))
    with golden_access():
        users |= set(GoldenExample.objects.filter(dataset__name__in=datasets).values_list("user_id", flat=True))
    return users
