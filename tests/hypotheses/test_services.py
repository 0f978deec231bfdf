"""Hypotheses: registered once, moved once, linked once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from audit.selectors import entries
from contracts.actor import Actor
from goals.models import Campaign
from hypotheses import selectors, services
from hypotheses.domain.lifecycle import HYPOTHESIS_LIFECYCLE, HypothesisStatus
from hypotheses.models import Hypothesis
from kernel.errors import Conflict, IllegalTransition, NotFound
from tests.goals.factories import make_campaign

pytestmark = pytest.mark.django_db
PLANNED, RUNNING = HypothesisStatus.PLANNED, HypothesisStatus.RUNNING


def register(campaign: Campaign | None, actor: Actor, **changes: Any) -> Hypothesis:
    given: dict[str, Any] = {
        "campaign": campaign,
        "factor": "retrieval.top_k",
        "from_value": 3,
        "to_value": 2,
        "base_version": 1,
        "metric": "retrieval_precision",
        "direction": "increase",
        "actor": actor,
        "rationale": "fewer memories, fewer irrelevant ones",
    }
    return services.hypothesis_register(**(given | changes))


def move(hypothesis: Hypothesis, source: HypothesisStatus, target: HypothesisStatus, actor: Actor) -> Hypothesis:
    return services.hypothesis_transition(
        hypothesis_id=hypothesis.pk, source=source, target=target, actor=actor, reason="measured"
    )


def test_hypothesis_register__same_key_twice__is_one_row_with_one_audit_row(alice: Actor) -> None:
    campaign = make_campaign(alice)
    one, other = register(campaign, alice), register(campaign, alice, rationale="another reason")
    assert one.pk == other.pk
    assert other.rationale == "fewer memories, fewer irrelevant ones"
    assert entries(campaign=str(campaign.pk)).filter(action="hypothesis.register").count() == 1


@pytest.mark.parametrize(
    "change",
    [{"to_value": 4}, {"factor": "retrieval.min_score"}, {"base_version": 2}, {"metric": "hallucination_rate"}],
)
def test_hypothesis_register__other_value_factor_or_base__is_another(alice: Actor, change: dict[str, Any]) -> None:
    campaign = make_campaign(alice)
    assert register(campaign, alice).pk != register(campaign, alice, **change).pk


def test_hypothesis_register__between_campaigns__is_registered_once_too(alice: Actor) -> None:
    assert register(None, alice).pk == register(None, alice).pk
    assert list(selectors.waiting(None)) == [Hypothesis.objects.get()]


def test_hypothesis__duplicate_behind_the_service__is_refused_by_the_database(alice: Actor) -> None:
    one = register(None, alice)
    values = {field.attname: getattr(one, field.attname) for field in Hypothesis._meta.fields if field.attname != "id"}
    with pytest.raises(IntegrityError, match="hypothesis_is_registered_once_per_base_version"), transaction.atomic():
        Hypothesis.objects.create(**values)


def test_hypothesis_transition__inconclusive__may_be_planned_again(alice: Actor) -> None:
    hypothesis = register(make_campaign(alice), alice)
    move(hypothesis, PLANNED, RUNNING, alice)
    move(hypothesis, RUNNING, HypothesisStatus.INCONCLUSIVE, alice)
    assert move(hypothesis, HypothesisStatus.INCONCLUSIVE, PLANNED, alice).status == PLANNED


@pytest.mark.parametrize("verdict", [HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED])
def test_hypothesis_transition__resolved__is_final_and_has_its_time(alice: Actor, verdict: HypothesisStatus) -> None:
    hypothesis = register(make_campaign(alice), alice)
    move(hypothesis, PLANNED, RUNNING, alice)
    assert move(hypothesis, RUNNING, verdict, alice).resolved_at is not None
    with pytest.raises(IllegalTransition):
        move(hypothesis, verdict, PLANNED, alice)
    assert HYPOTHESIS_LIFECYCLE.is_final(verdict)


def test_hypothesis_transition__unknown__is_not_found(alice: Actor) -> None:
    hypothesis = register(None, alice)
    hypothesis.pk = make_campaign(alice).pk
    with pytest.raises(NotFound):
        move(hypothesis, PLANNED, RUNNING, alice)


def test_hypothesis_link_experiment__twice__is_linked_once(alice: Actor) -> None:
    hypothesis = register(make_campaign(alice), alice)
    for slug in ("top-k-2", "top-k-2", "top-k-2-again"):
        hypothesis = services.hypothesis_link_experiment(hypothesis_id=hypothesis.pk, experiment=slug)
    assert hypothesis.related_experiments == ["top-k-2", "top-k-2-again"]


def test_tried__planned_and_started__names_only_what_ran(alice: Actor) -> None:
    campaign = make_campaign(alice)
    register(campaign, alice, to_value=4)
    ran = register(campaign, alice, to_value=2)
    move(ran, PLANNED, RUNNING, alice)
    again = register(campaign, alice, to_value=1)
    services.hypothesis_link_experiment(hypothesis_id=again.pk, experiment="top-k-1")
    assert {hypothesis.to_value for hypothesis in selectors.tried(campaign)} == {1, 2}


def test_outdate__another_version_is_active__ends_what_waited_on_the_old_one_once(alice: Actor) -> None:
    campaign = make_campaign(alice)
    old, new = register(campaign, alice), register(campaign, alice, base_version=2)
    assert services.hypotheses_outdate(campaign=campaign, active=2, actor=alice) == 1
    assert services.hypotheses_outdate(campaign=campaign, active=2, actor=alice) == 0
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == ("inconclusive", "planned")
    assert old.next_steps == [
        "version 2 took the place of version 1 before it was tried: screen the step again on the version that is "
        "active then"
    ]
    entry = entries(campaign=str(campaign.pk)).get(action="hypothesis.inconclusive")
    assert "nothing was learnt" in entry.reason


def test_outdate__campaign_over__ends_all_that_waits_but_what_has_an_experiment(alice: Actor) -> None:
    campaign = make_campaign(alice)
    alone, tested = register(campaign, alice), register(campaign, alice, to_value=1)
    services.hypothesis_link_experiment(hypothesis_id=tested.pk, experiment="top-k-1")
    assert services.hypotheses_outdate(campaign=campaign, active=None, actor=alice) == 1
    assert {item.pk: item.status for item in Hypothesis.objects.all()} == {
        alone.pk: "inconclusive", tested.pk: "planned",
    }  # fmt: skip


def test_outdate__base_is_back__may_be_planned_and_tried_and_was_never_tried_before(alice: Actor) -> None:
    campaign = make_campaign(alice)
    register(campaign, alice)
    services.hypotheses_outdate(campaign=campaign, active=2, actor=alice)
    assert not selectors.tried(campaign).exists()
    again = register(campaign, alice)
    assert (again.status, again.next_steps) == ("planned", [])
    assert move(again, PLANNED, RUNNING, alice).status == "running"


@pytest.mark.django_db(transaction=True)
def test_hypothesis_register__four_at_once__make_one_row(alice: Actor, transactional_db: None) -> None:
    campaign = make_campaign(alice)
    barrier = Barrier(4)

    def attempt(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            return str(register(campaign, alice).pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(attempt, range(4)))) == 1
    assert Hypothesis.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_hypothesis_transition__two_verdicts_at_once__one_wins(alice: Actor, transactional_db: None) -> None:
    hypothesis = register(make_campaign(alice), alice)
    move(hypothesis, PLANNED, RUNNING, alice)
    barrier = Barrier(2)

    def decide(verdict: HypothesisStatus) -> str:
        try:
            barrier.wait(timeout=30)
            return move(hypothesis, RUNNING, verdict, alice).status
        except Conflict:
            return "conflict"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(decide, [HypothesisStatus.CONFIRMED, HypothesisStatus.REJECTED]))
    assert outcomes.count("conflict") == 1


def test_hypothesis_next_steps__said_anew__replace_what_was_said(alice: Actor) -> None:
    hypothesis = register(make_campaign(alice), alice, next_steps=["further this way"])
    services.hypothesis_next_steps(hypothesis_id=hypothesis.pk, next_steps=["another factor"])
    hypothesis.refresh_from_db()
    assert hypothesis.next_steps == ["another factor"]
