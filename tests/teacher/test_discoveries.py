"""Verdicts enter the ledger of false discoveries once, in order, and are never changed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from contracts.evaluation import HealthCheck
from experiments.models import DiscoveryEntry, ExperimentResult
from experiments.selectors import ledger_standing
from goals.models import Campaign
from kernel.errors import NotFound
from teacher.discoveries import above_level, discovery_enter, ledger_of
from teacher.statistics.ledger import Ledger
from tests.manager.world import Sizes, campaign_make, dataset_load, experiment_won

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make()


def test_discovery_enter__first_winner__meets_the_first_level(campaign: Campaign) -> None:
    entry = discovery_enter(slug=experiment_won(campaign).slug)
    assert (entry.stream, entry.place) == ("small-world/validation", 1)
    assert entry.level == Ledger().next_level()
    assert entry.discovery
    assert above_level(entry) == ""


def test_discovery_enter__again__is_the_same_entry(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    assert discovery_enter(slug=experiment.slug).pk == discovery_enter(slug=experiment.slug).pk
    assert DiscoveryEntry.objects.count() == 1


def test_discovery_enter__stream_of_experiments__levels_follow_the_ledger(campaign: Campaign) -> None:
    entries = [
        discovery_enter(slug=experiment_won(campaign, slug=f"e{row}", gained=gained).slug)
        for row, gained in enumerate((0, 40, 6, 0))
    ]
    again = Ledger()
    for entry in entries:
        again = again.record(entry.experiment, entry.p_value)
    assert [entry.level for entry in entries] == [entry.level for entry in again.entries]
    last = entries[-1]
    assert (last.spent, last.left, last.next_level) == (again.spent, again.left, again.next_level())
    assert ledger_of("small-world/validation") == again


def test_discovery_enter__significant_but_above_the_level__says_why_in_words(campaign: Campaign) -> None:
    experiment = experiment_won(campaign, gained=6)
    assert ExperimentResult.objects.get(experiment_id=experiment.slug).verdict == "winner"
    entry = discovery_enter(slug=experiment.slug)
    assert not entry.discovery
    assert "p = 0.031 is above 0.0055" in above_level(entry)


def test_discovery_enter__unsound_experiment__counts_as_untested_however_small_its_p(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    result = ExperimentResult.objects.get(experiment_id=experiment.slug)
    broken = HealthCheck(name="judge_version", ok=False).model_dump(mode="json")
    result.evaluation["health"].append(broken)
    result.save()
    entry = discovery_enter(slug=experiment.slug)
    assert (entry.p_value, entry.discovery) == (1.0, False)
    assert "judge_version" in entry.untested
    assert "judge_version" in above_level(entry)


def test_discovery_enter__before_the_verdict__is_not_found(campaign: Campaign) -> None:
    with pytest.raises(NotFound):
        discovery_enter(slug="nothing")


def test_discovery_entry__changed_or_deleted__database_refuses(campaign: Campaign) -> None:
    discovery_enter(slug=experiment_won(campaign).slug)
    with pytest.raises(DatabaseError), transaction.atomic():
        DiscoveryEntry.objects.update(level=1.0)
    with pytest.raises(DatabaseError), transaction.atomic():
        DiscoveryEntry.objects.all().delete()


def test_ledger_standing__several_entries__gives_the_last_of_each_stream(campaign: Campaign) -> None:
    for row in range(3):
        discovery_enter(slug=experiment_won(campaign, slug=f"e{row}").slug)
    assert [entry.place for entry in ledger_standing()] == [3]
