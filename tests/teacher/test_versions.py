"""Versions as they were promised and as they are seen: each source apart, and said where it shows less."""

from __future__ import annotations

import pytest

from contracts.change import ChangeProposal
from contracts.parameters import ParameterChange
from experiments.models import ExperimentResult
from goals.models import Campaign
from sensor.by_version import totals_by_version
from sensor.models import SensorEvent
from teacher.versions import VersionStory, version_stories
from tests.manager.world import ALICE, campaign_make, experiment_won
from tests.teacher.events import event
from tuner.services import change_apply

pytestmark = pytest.mark.django_db
RECALL = "retrieval_recall"


@pytest.fixture
def campaign(db: None) -> Campaign:
    from experiments.models import Dataset

    Dataset.objects.create(name="small-world", source="made up", golden_hash="")
    return campaign_make()


def applied(campaign: Campaign) -> int:
    """A version whose experiment found recall better by two thirds, over 60 pairs."""
    experiment = experiment_won(campaign)
    change = ParameterChange(param=experiment.factor, from_value=1, to_value=2)
    proposal = ChangeProposal(
        changes=(change,), reason="better", experiment=experiment.slug, base_version=1, tested=True
    )
    return change_apply(proposal=proposal, actor=ALICE).version


def runs(version: int, *, found: int, of: int, **columns: object) -> None:
    """`of` questions, the expected memory found in `found` of them."""
    SensorEvent.objects.bulk_create(
        event("m" if place < found else "other", "m", parameter_version=version, variant=None, **columns)
        for place in range(of)
    )


def newest() -> VersionStory:
    return version_stories()[0]


def test_totals__by_source__tell_simulated_held_out_and_real_apart() -> None:
    runs(1, found=1, of=2, split="train")
    runs(1, found=3, of=3, split="validation")
    runs(1, found=1, of=1, split="golden")
    runs(1, found=0, of=4, split=None, client_kind="user", cycle_type="online")
    runs(1, found=5, of=5, split=None, client_kind="agent", cycle_type="online")
    found = totals_by_version(metrics=[RECALL], versions=[1, 2])
    assert {row.source: (row.n, row.total) for row in found} == {
        "train": (2, 1.0), "validation": (3, 3.0), "golden": (1, 1.0), "online": (4, 0.0),
    }  # fmt: skip


def test_stories__nothing_recorded__still_tell_of_the_active_version() -> None:
    (story,) = version_stories()
    assert (story.version, story.active, story.promise, dict(story.rows)) == (1, True, None, {})


def test_stories__applied_version__has_its_promise_and_what_each_source_saw(campaign: Campaign) -> None:
    version = applied(campaign)
    for number, found in ((1, 20), (version, 80)):
        runs(number, found=found, of=100)
    story = newest()
    assert (story.version, story.before) == (version, 1)
    assert story.promise is not None
    assert (story.promise.metric, story.promise.n, round(story.promise.estimate or 0, 3)) == (RECALL, 60, 0.667)
    seen = story.rows[RECALL]["validation"]
    assert (seen.n, seen.mean, round(seen.change or 0, 9)) == (100, 0.8, 0.6)
    assert seen.low < 0.8 < seen.high
    assert (seen.change_low or 0) < 0.6 < (seen.change_high or 0)
    assert "online" not in story.rows[RECALL]


def test_stories__golden_shows_far_less__is_said_with_its_interval(campaign: Campaign) -> None:
    version = applied(campaign)
    for number, found in ((1, 20), (version, 25)):
        runs(number, found=found, of=100, split="golden")
    (warning,) = newest().warnings
    assert warning.startswith("the golden set shows retrieval recall +.050 [")
    assert warning.endswith("less than half of the +.667 that validation promised")


def test_stories__golden_shows_most_of_it__warn_of_nothing(campaign: Campaign) -> None:
    version = applied(campaign)
    for number, found in ((1, 20), (version, 75)):
        runs(number, found=found, of=100, split="golden")
    assert newest().warnings == ()


def test_stories__all_that_could_be_gained__is_no_broken_promise(campaign: Campaign) -> None:
    version = applied(campaign)
    for number, found in ((1, 95), (version, 100)):
        runs(number, found=found, of=100, split="train")
    assert newest().warnings == ()


def test_stories__too_few_to_tell__warn_of_nothing(campaign: Campaign) -> None:
    version = applied(campaign)
    for number in (1, version):
        runs(number, found=1, of=2, split="train")
    assert newest().warnings == ()


def test_stories__real_people__are_told_what_needs_no_truth(campaign: Campaign) -> None:
    version = applied(campaign)
    SensorEvent.objects.bulk_create(
        event("m", None, parameter_version=version, split=None, client_kind="user", cycle_type="online",
              example_id=None, hallucination_detected=place < 3)
        for place in range(10)
    )  # fmt: skip
    rows = newest().rows
    assert rows["hallucination_rate"]["online"].mean == 0.3
    assert RECALL not in rows


def test_stories__more_versions__ask_no_more_queries(campaign: Campaign, django_assert_num_queries: object) -> None:
    applied(campaign)
    assert ExperimentResult.objects.exists()
    with django_assert_num_queries(5):  # type: ignore[operator]  # a fixture of pytest-django
        version_stories()
