"""A person decides after the campaign has ended: what is active then is looked at, and the report says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from django_q.models import OrmQ

from contracts.actor import Actor
from goals.models import Campaign
from maas.client import get_client
from manager import tasks
from manager.engine.closing import close
from manager.models import Approval, Cycle
from manager.services.approvals import approval_reject
from manager.services.decisions import approval_decide
from manager.services.safety import rollback_order
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tuner.selectors import active_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(db: None, tmp_path: Path, settings: object) -> Approval:
    """A campaign that ended with one request open."""
    settings.MANAGER_PARALLEL = 1  # type: ignore[attr-defined]  # the fixture's own type is not exported
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=12))
    campaign = campaign_make(cycles=1)
    Cycle.objects.create(campaign=campaign, number=1)
    approval = approval_made(experiment_won(campaign))
    close(campaign, get_client(), 1, "all cycles are spent")
    return approval


def queued() -> list[str]:
    """The tasks that wait for a worker, by name of function."""
    return [str(item.func()) for item in OrmQ.objects.all()]


def report_of(approval: Approval) -> dict[str, object]:
    return dict(Campaign.objects.get(id=approval.campaign_id).report.content)


def test_report__request_approved_after_the_end__no_longer_says_that_it_waits(waiting: Approval, alice: Actor) -> None:
    assert report_of(waiting)["waiting"]
    approval_decide(approval_id=waiting.id, actor=alice)
    assert report_of(waiting)["waiting"] == []
    assert [item["slug"] for item in report_of(waiting)["applied"]] == [waiting.experiment.slug]  # type: ignore[attr-defined]


def test_report__request_rejected_after_the_end__tells_it_among_the_refused(waiting: Approval, alice: Actor) -> None:
    approval_reject(approval_id=waiting.id, actor=alice, comment="not now")
    assert report_of(waiting)["waiting"] == []
    assert [item["slug"] for item in report_of(waiting)["refused"]] == [waiting.experiment.slug]  # type: ignore[attr-defined]


def test_approval__after_the_end__has_a_worker_measure_and_confirm_what_is_active(
    waiting: Approval, alice: Actor
) -> None:
    approval_decide(approval_id=waiting.id, actor=alice)
    assert queued() == ["manager.tasks.activation_settle"]
    assert tasks.activation_settle(str(waiting.campaign_id)) == 2
    assert active_version().stable_since is not None
    assert Campaign.objects.get(id=waiting.campaign_id).end_version == 2


def test_rollback__by_a_person_after_the_end__measures_the_version_that_is_back(
    waiting: Approval, alice: Actor, django_capture_on_commit_callbacks: object
) -> None:
    approval_decide(approval_id=waiting.id, actor=alice)
    tasks.activation_settle(str(waiting.campaign_id))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # pytest-django's own fixture
        rollback_order(reason="users complain", actor=alice)
    assert len(queued()) == 2
    assert tasks.activation_settle(str(waiting.campaign_id)) == 1
    assert Campaign.objects.get(id=waiting.campaign_id).end_version == 1


def test_approval__while_the_campaign_runs__leaves_the_look_to_its_next_cycle(
    db: None, tmp_path: Path, alice: Actor
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    approval = approval_made(experiment_won(campaign_make()))
    approval_decide(approval_id=approval.id, actor=alice)
    assert queued() == []
