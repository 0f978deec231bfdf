"""One whole campaign on the small world, and what of it must come out again when it is run again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from experiments.models import ExperimentResult
from goals.models import Campaign
from maas import parameters
from maas.access import as_service
from maas.client import get_client
from manager.foreground import campaign_follow
from manager.models import JournalEntry
from tests.manager.world import campaign_make, dataset_load

CYCLES, SEED = 2, 5


@dataclass(frozen=True)
class Story:
    """What a campaign decided, and the runs that it needed."""

    cycles: list[tuple[int, str]]
    decisions: list[tuple[Any, ...]]
    journal: list[tuple[int | None, str]]
    end_reason: str
    runs: frozenset[str]


def campaign_begin(folder: Path) -> Campaign:
    parameters.forget()
    dataset_load(folder)
    return campaign_make(cycles=CYCLES, seed=SEED)


def campaign_run(folder: Path) -> Campaign:
    campaign = campaign_begin(folder)
    campaign_follow(campaign_id=campaign.id, client=get_client())
    campaign.refresh_from_db()
    return campaign


def run_ids() -> list[str]:
    with as_service() as cursor:
        cursor.execute("SELECT id FROM pipeline_runs")
        return [str(row[0]) for row in cursor.fetchall()]


def recorded_ids() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pipeline_run_id FROM sensor_events")
        return [str(row[0]) for row in cursor.fetchall()]


def story_of(campaign: Campaign) -> Story:
    verdicts = dict(ExperimentResult.objects.values_list("experiment_id", "verdict"))
    return Story(
        cycles=list(campaign.cycles.order_by("number").values_list("number", "outcome")),
        decisions=[
            (item.cycle, item.factor, item.from_value, item.to_value, verdicts.get(item.slug), item.decision)
            for item in campaign.experiments.order_by("created_at")
        ],
        journal=list(JournalEntry.objects.filter(campaign=campaign).order_by("id").values_list("cycle_number", "kind")),
        end_reason=campaign.end_reason,
        runs=frozenset(run_ids()),
    )


class _Databases(TransactionTestCase):
    databases = {"default", "maas"}

    def runTest(self) -> None: ...  # noqa: N802 - unittest's name


def databases_empty() -> None:
    """As after a transactional test."""
    _Databases()._fixture_teardown()  # type: ignore[attr-defined]  # Django's own, and there is no public one
