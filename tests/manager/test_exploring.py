"""Which steps a cycle is offered: never a failed one again, wider ones after stagnation, prompts first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contracts.actor import component
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from hypotheses.services import hypothesis_register
from maas.client import get_client
from manager.engine.analyzing import steps_offered
from manager.engine.context import Note, StepContext
from manager.engine.lease import Lease
from manager.engine.screening import chosen_for_screening
from manager.models import Cycle, Policy
from manager.services.policy import policy_current
from teacher.designer import Candidate
from teacher.designer.screening import Difference
from teacher.domain.gaps import MetricGap, gap_of
from teacher.knowledge import Occasion, observations_record
from tests.manager.world import Sizes, campaign_make, dataset_load, goal
from tuner.selectors import active_version

TEACHER = component("teacher")
RECALL = gap_of("retrieval_recall", current=0.4, target=0.9, of_goal=True)
PRECISION = gap_of("retrieval_precision", current=0.4, target=0.9, of_goal=True)
ALLOWED = ("retrieval.top_k", "retrieval.strategy", "prompts.responder")


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make(translation=goal(allowed=ALLOWED))


def context_of(campaign: Campaign, *, before: dict[str, Any] | None = None) -> StepContext:
    """The second cycle, after one that left `before` behind."""
    version = active_version().version
    Cycle.objects.create(campaign=campaign, number=1, data=before or {}, finished_at=campaign.created_at)
    cycle = Cycle.objects.create(campaign=campaign, number=2, data={"version": version})
    return StepContext(cycle, campaign, get_client(), Lease(cycle.id, "w"), 1)


def offered(
    context: StepContext, *gaps: MetricGap, invented: float | None = 0.05
) -> tuple[list[list[Candidate]], list[Note]]:
    lists, notes = steps_offered(context, gaps or (RECALL,), active_version().version, invented=invented)
    return list(lists.values()), notes


def told(items: list[Candidate]) -> list[tuple[str, Any]]:
    return [(item.change.param, item.change.to_value) for item in items]


def failed(
    campaign: Campaign, *, metric: str = "retrieval_recall", base: int | None = None, status: str = "rejected"
) -> None:
    made = hypothesis_register(
        campaign=campaign, factor="retrieval.top_k", from_value=3, to_value=4, metric=metric, direction="increase",
        base_version=base if base is not None else active_version().version, actor=TEACHER,
    )  # fmt: skip
    Hypothesis.objects.filter(pk=made.pk).update(status=status, related_experiments=["e"])


STEP = ("retrieval.top_k", 4)


def test_steps__nothing_tried__hold_single_steps_architecture_and_prompts(campaign: Campaign) -> None:
    (found,), notes = offered(context_of(campaign))

    assert set(told(found)) == {
        STEP, ("retrieval.top_k", 2), ("retrieval.strategy", "lexical"), ("retrieval.strategy", "semantic"),
        ("retrieval.strategy", "hybrid"), ("prompts.responder", "v2"), ("prompts.responder", "v3"),
        ("prompts.responder", "v4"),
    }  # fmt: skip
    assert notes == []


@pytest.mark.parametrize(
    ("more", "again"),
    [
        ({}, False),
        ({"base": 99}, False),
        ({"status": "inconclusive"}, False),
        ({"status": "inconclusive", "base": 99}, True),
        ({"status": "confirmed", "metric": "mrr"}, False),
        ({"metric": "mrr"}, False),
        ({"metric": "mrr", "base": 99}, True),
        ({"metric": "mrr", "status": "inconclusive"}, True),
    ],
)
def test_steps__tried_before__are_not_offered_where_they_would_be_the_same_failed_one(
    campaign: Campaign, more: dict[str, Any], again: bool
) -> None:
    failed(campaign, **more)

    assert (STEP in told(offered(context_of(campaign))[0][0])) is again


@pytest.mark.parametrize(
    ("more", "again"),
    [({}, False), ({"base": 99}, True), ({"metric": "mrr"}, True), ({"status": "inconclusive"}, True)],
)
def test_steps__failed_in_another_campaign__are_not_offered_from_the_same_base_for_the_same_metric(
    campaign: Campaign, more: dict[str, Any], again: bool
) -> None:
    Campaign.objects.update(status="paused")  # one runs at a time
    failed(campaign_make(translation=goal(allowed=ALLOWED, text="Raise recall again")), **more)

    assert (STEP in told(offered(context_of(campaign))[0][0])) is again


def test_steps__registered_as_what_comes_next_but_never_run__are_still_offered(campaign: Campaign) -> None:
    failed(campaign, status=HypothesisStatus.PLANNED)
    Hypothesis.objects.update(related_experiments=[])

    assert STEP in told(offered(context_of(campaign))[0][0])


def test_steps__after_a_cycle_without_promise__hold_wider_ones_that_need_a_person(campaign: Campaign) -> None:
    (found,), _ = offered(context_of(campaign, before={"stalled": 1}))

    wider = {item.change.to_value: item.needs_approval for item in found if item.change.param == "retrieval.top_k"}
    assert wider[5] == ("the step of 2 is larger than 1",)
    assert wider[1] == ("the step of 2 is larger than 1",)
    assert all(item.needs_approval for item in found if item.change.param == "retrieval.strategy")
    assert {"v2", "v3"} <= {value for param, value in told(found) if param == "prompts.responder"}


@pytest.mark.parametrize(("invented", "first"), [(0.05, False), (0.1, False), (0.11, True), (None, False)])
def test_steps__more_made_up_than_a_tenth__have_prompt_versions_first_and_say_so(
    campaign: Campaign, invented: float | None, first: bool
) -> None:
    (found,), notes = offered(context_of(campaign), invented=invented)

    assert ([param for param, _ in told(found)[:2]] == ["prompts.responder"] * 2) is first
    assert [note.text for note in notes] == (
        ["hallucination is .110, above 0.1: v2, v3, v4 of the responder's prompts are screened first"] if first else []
    )


# --- the share that one cycle screens ---------------------------------------------------------------------------------


def screened_at_most(number: int) -> None:
    policy_current()
    Policy.objects.update(screening_steps=number)


def test_screening__more_steps_than_the_policy_allows__takes_the_most_promising_of_each_gap_in_turn(
    campaign: Campaign,
) -> None:
    screened_at_most(2)
    context = context_of(campaign)
    lists, _ = offered(context, RECALL, PRECISION)

    chosen, left = chosen_for_screening(context, lists, active_version().version, again=False)

    assert told(chosen) == [
        ("retrieval.top_k", 4),
        ("retrieval.top_k", 2),
    ]  # recall rises with more, precision with fewer
    assert left == 6


def test_screening__steps_left_out_after_a_vain_cycle__come_first_and_are_counted_down(campaign: Campaign) -> None:
    screened_at_most(6)
    context = context_of(campaign, before={"left_out": 6})
    lists, _ = offered(context)
    version = active_version().version
    seen = {"retrieval_recall": Difference(mean=0.0, error=0.01, deviation=0.1, n=30, clusters=30, base=0.4)}
    before = Occasion("screening", f"c{campaign.number}-k1-screening", campaign.dataset, version)
    observations_record(occasion=before, seen=[(item.change, seen) for item in lists[0][:2]])

    chosen, left = chosen_for_screening(context, lists, version, again=True)

    assert not set(told(chosen)) & set(told(lists[0][:2]))
    assert (len(chosen), left) == (6, 0)
