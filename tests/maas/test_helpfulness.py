"""Memories count as helpful when an answer that used them was found right, or rated well: once a run."""

from __future__ import annotations

import uuid

import pytest

from contracts.actor import Actor
from kernel.errors import InvalidInput, NotAuthorised
from maas.access import acting_for
from maas.client import answers_found_right, get_client
from tests.maas.conftest import Remember, request_of

pytestmark = pytest.mark.django_db
QUESTION = "Where did I buy the red cello?"


def helpful(user: uuid.UUID) -> int:
    with acting_for(user) as cursor:
        cursor.execute("SELECT coalesce(sum(times_helpful), 0) FROM lsm_storage WHERE source_run_ids = '{}'")
        return int(cursor.fetchone()[0])


@pytest.fixture
def asked(anna: uuid.UUID, remember: Remember) -> uuid.UUID:
    remember(anna, "Bought a red cello in Kazan.")
    return get_client().ask(request_of(anna, QUESTION)).run_id


def test_found_right__told_twice__counts_once(anna: uuid.UUID, asked: uuid.UUID, bob: Actor) -> None:
    assert answers_found_right(run_ids=[asked, asked], actor=bob) == 1
    assert answers_found_right(run_ids=[asked], actor=bob) == 0
    assert helpful(anna) == 1


def test_found_right__two_answers_with_one_memory__count_both(anna: uuid.UUID, asked: uuid.UUID, bob: Actor) -> None:
    again = get_client().ask(request_of(anna, QUESTION, day=1)).run_id
    assert answers_found_right(run_ids=[asked, again], actor=bob) == 2
    assert helpful(anna) == 2


@pytest.mark.parametrize("scores", [(5,), (5, 2), (1, 5)])
def test_found_right__and_rated_by_its_user__counts_once(
    anna: uuid.UUID, asked: uuid.UUID, bob: Actor, scores: tuple[int, ...]
) -> None:
    first, *later = scores
    get_client().feedback(asked, user_id=anna, score=first)
    answers_found_right(run_ids=[asked], actor=bob)
    for score in later:
        get_client().feedback(asked, user_id=anna, score=score)
    assert helpful(anna) == 1


def test_found_right__evaluation_run__leaves_no_trace(anna: uuid.UUID, remember: Remember, bob: Actor) -> None:
    remember(anna, "Bought a red cello in Kazan.")
    run = get_client().ask(request_of(anna, QUESTION, mode="evaluation")).run_id
    assert answers_found_right(run_ids=[run], actor=bob) == 0
    assert helpful(anna) == 0


def test_found_right__unknown_run__changes_nothing(anna: uuid.UUID, asked: uuid.UUID, bob: Actor) -> None:
    assert answers_found_right(run_ids=[uuid.uuid4()], actor=bob) == 0
    assert helpful(anna) == 0


def test_found_right__by_a_viewer__is_refused(asked: uuid.UUID, charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        answers_found_right(run_ids=[asked], actor=charlie)


def test_found_right__too_many_at_once__is_refused(bob: Actor) -> None:
    from maas.helpfulness import MOST_AT_ONCE
    from maas.helpfulness import answers_found_right as at_once

    with pytest.raises(InvalidInput):
        at_once(run_ids=[uuid.uuid4() for _ in range(MOST_AT_ONCE + 1)], actor=bob)
