"""The Teacher's page and the map of hypotheses: empty, filled, and reached from where they belong."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contracts.actor import Actor
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_link_experiment, hypothesis_register, hypothesis_transition
from manager.models import Approval
from selflearn_site.pages.selectors.hypothesis_map import IN_CELL, IN_MORE
from sensor.models import SensorEvent
from tests.manager.world import ALICE, experiment_won
from tests.teacher.events import event

PLANNED, RUNNING = HypothesisStatus.PLANNED, HypothesisStatus.RUNNING
CONFIRMED, REJECTED = HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED


def hypothesis(campaign: Campaign, *statuses: HypothesisStatus, actor: Actor = ALICE, **changes: Any) -> Hypothesis:
    given: dict[str, Any] = {
        "factor": "retrieval.top_k", "from_value": 3, "to_value": 4, "base_version": 1, "metric": "retrieval_recall",
        "direction": "increase",
    }  # fmt: skip
    found = hypothesis_register(campaign=campaign, actor=actor, **(given | changes))
    for source, target in zip((PLANNED, *statuses), statuses, strict=False):
        found = hypothesis_transition(
            hypothesis_id=found.id, source=source, target=target, actor=actor, reason="measured",
            next_steps=["try another factor"],
        )  # fmt: skip
    return found


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", ["/teacher/", "/teacher/?by=month", "/hypotheses/map/"])
def test_page__empty_database__opens_and_says_what_will_be_here(viewer: Client, path: str) -> None:
    assert 'class="empty"' in text_of(viewer, path)


def test_teacher__one_winner__tells_the_yield_and_what_it_was_counted_from(viewer: Client, approval: Approval) -> None:
    text = text_of(viewer, "/teacher/")
    assert "<h1>One experiment is finished: one proved a gain.</h1>" in text
    assert "1 of 1 won" in text
    assert f"Campaign {approval.campaign.number}" in text


def test_teacher__by_month__has_a_row_for_this_month(viewer: Client, approval: Approval) -> None:
    assert f"{approval.created_at:%Y-%m}" in text_of(viewer, "/teacher/?by=month")


def test_teacher__runs_of_real_people__stand_in_their_own_column(viewer: Client, approval: Approval) -> None:
    SensorEvent.objects.bulk_create(
        event("m", None, parameter_version=1, split=None, client_kind="user", cycle_type="online", example_id=None,
              hallucination_detected=place < 3)
        for place in range(10)
    )  # fmt: skip
    text = text_of(viewer, "/teacher/")
    assert 'data-label="real conversations"><b>.300</b>' in text
    link = "/admin/sensor/sensorevent/?parameter_version=1&amp;client_kind=user&amp;cycle_type=online"
    assert f'<a href="{link}">n 10</a>' in text
    assert viewer.get(link.replace("&amp;", "&")).context["cl"].result_count == 10


def test_map__hypotheses__stand_by_factor_and_metric_with_their_experiment(viewer: Client, campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    done = hypothesis(campaign, RUNNING, CONFIRMED)
    hypothesis_link_experiment(hypothesis_id=done.id, experiment=experiment.slug)
    hypothesis(campaign, RUNNING, REJECTED, to_value=2, metric="retrieval_precision")
    text = text_of(viewer, "/hypotheses/map/")
    assert f'<a class="chip good " href="/experiments/{experiment.slug}/"' in text
    assert "3 → 4" in text
    assert text.index("Retrieval precision") < text.index("Retrieval recall")  # equal in number: by name
    assert "retrieval.top_k" in text


def test_map__after_a_verdict__says_what_to_try_next_and_what_was_never_tried(
    viewer: Client, campaign: Campaign
) -> None:
    hypothesis(campaign, RUNNING, REJECTED)
    text = text_of(viewer, "/hypotheses/map/")
    assert "try another factor." in text
    assert "Weight of recency" in text.split("Never tried:")[1]
    assert "Memories per query" not in text.split("Never tried:")[1].split("</p>")[0]


def test_map__many_in_one_cell__folds_the_others(viewer: Client, campaign: Campaign) -> None:
    for value in range(4, 13):
        hypothesis(campaign, to_value=value)
    assert "and 3 more" in text_of(viewer, "/hypotheses/map/")


def test_map__more_than_a_cell_unfolds__says_how_many_are_in_the_list_alone(viewer: Client, campaign: Campaign) -> None:
    for number in range(IN_CELL + IN_MORE + 2):
        hypothesis(campaign, to_value=number + 10)
    assert "and 2 more in the list" in text_of(viewer, "/hypotheses/map/")


def test_list__leads_to_the_map_and_says_next_steps(viewer: Client, campaign: Campaign) -> None:
    hypothesis(campaign, RUNNING, REJECTED)
    text = text_of(viewer, "/hypotheses/")
    assert 'href="/hypotheses/map/"' in text
    assert "Next: try another factor." in text


@pytest.mark.parametrize("path", ["/teacher/", "/hypotheses/map/"])
def test_page__more_rows__asks_no_more_queries(viewer: Client, campaign: Campaign, path: str) -> None:
    def asked() -> int:
        viewer.get(path)
        with CaptureQueriesContext(connection) as queries:
            viewer.get(path)
        return len(queries)

    hypothesis(campaign)
    experiment_won(campaign)
    before = asked()
    for value in range(5, 9):
        hypothesis(campaign, to_value=value)
        experiment_won(campaign, slug=f"more-{value}", factor="retrieval.top_k", to_value=value)
    assert asked() <= before < 30


def test_replay__altered_sample__says_the_row_on_the_page(meta_user: Client, campaign: Campaign) -> None:
    from experiments.models import ExperimentResult

    experiment = experiment_won(campaign)
    result = ExperimentResult.objects.get(experiment_id=experiment.slug)
    result.samples[0]["metrics"]["retrieval_recall"] = 1.0
    result.save()
    answer = meta_user.post(f"/experiments/{experiment.slug}/replay/", follow=True)
    assert "row 1 (example e000, arm baseline): retrieval_recall is 1.0, was 0.0" in answer.content.decode()
