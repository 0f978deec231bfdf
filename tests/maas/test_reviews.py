"""Reviews of memories: what is put up and why, what a decision hides from whom, and that it comes back as it was."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.errors import InvalidInput
from maas.access import acting_for, as_service
from maas.client import get_client, memories_quality, safety_checks
from maas.client.memories import (
    memories_bring_back,
    memories_erase,
    memories_flagged,
    memories_keep,
    memories_review,
    memories_set_aside,
    memories_shown,
)
from maas.domain.reviewing import KEPT_DAYS, Signals, review
from maas.reviews import MOST
from tests.maas.conftest import Remember, request_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = Signals(
    memory_id=uuid.UUID(int=1), user_id=uuid.UUID(int=2), retrieved=20, helpful=9, score=0.45, age_days=40.0,
    disliked=0, asked=90, same_as=None, low_since=None, kept_at=None,
)  # fmt: skip


def of(**changes: Any) -> Signals:
    return replace(GOOD, **changes)


@pytest.mark.parametrize(
    ("signals", "codes"),
    [
        (of(), []),
        (of(score=0.05, helpful=1, low_since=NOW - timedelta(days=30)), ["low"]),
        (of(score=0.05, helpful=1, low_since=NOW - timedelta(days=29)), []),
        (of(score=0.1, low_since=NOW - timedelta(days=90)), []),
        (of(retrieved=4, score=0.0, low_since=NOW - timedelta(days=90)), []),
        (of(helpful=0, disliked=2), ["disliked"]),
        (of(helpful=1, disliked=5), []),
        (of(same_as=uuid.UUID(int=9)), ["same"]),
        (of(retrieved=0, score=None, age_days=365.0, asked=50), ["unused"]),
        (of(retrieved=0, score=None, age_days=365.0, asked=49), []),
        (of(retrieved=0, score=None, age_days=364.9, asked=500), []),
        (of(score=0.0, helpful=0, disliked=3, low_since=NOW - timedelta(days=99)), ["low", "disliked"]),
        (of(same_as=uuid.UUID(int=9), kept_at=NOW - timedelta(days=KEPT_DAYS - 1)), []),
        (of(same_as=uuid.UUID(int=9), kept_at=NOW - timedelta(days=KEPT_DAYS)), ["same"]),
    ],
)
def test_review__by_its_signals__names_the_reasons(signals: Signals, codes: list[str]) -> None:
    assert [reason["code"] for reason in review(signals, now=NOW).reasons] == codes


def test_review__score_recovers__starts_the_thirty_days_anew() -> None:
    assert review(of(score=0.02, low_since=NOW - timedelta(days=12)), now=NOW).low_since == NOW - timedelta(days=12)
    assert review(of(score=0.2, low_since=NOW - timedelta(days=12)), now=NOW).low_since is None
    assert review(of(score=0.02), now=NOW).low_since == NOW


def counted(memory: uuid.UUID, *, retrieved: int, used: int = 0, helpful: int = 0) -> None:
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage SET times_retrieved = %s, times_used = %s, times_helpful = %s WHERE id = %s",
            [retrieved, used, helpful, memory],
        )


def found(user: uuid.UUID, query: str) -> list[uuid.UUID]:
    answer = get_client().ask(request_of(user, query, mode="evaluation"))
    return [item.memory_id for item in answer.found]


@pytest.mark.django_db
def test_memories_review__low_for_thirty_days__is_flagged_then_and_let_go_when_it_helps(
    anna: uuid.UUID, remember: Remember
) -> None:
    memory = remember(anna, "Bought a red cello in Kazan.")
    counted(memory, retrieved=9, used=1)
    first = memories_review(now=NOW)
    assert (first.flagged, first.watched) == (0, 1)
    assert memories_review(now=NOW + timedelta(days=30)).flagged == 1
    (flagged,) = memories_flagged()
    assert (flagged.memory_id, flagged.user_id, flagged.score) == (memory, anna, 0.0)
    assert flagged.reasons == [{"code": "low", "days": 30, "retrieved": 9, "score": 0.0}]
    counted(memory, retrieved=10, used=5, helpful=4)
    assert memories_review(now=NOW + timedelta(days=31)).flagged == 0
    assert memories_flagged() == []


@pytest.mark.django_db
def test_memories_review__same_words_twice__flags_the_less_useful_of_one_person_only(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    useful, double = remember(anna, "My cat is called Ember."), remember(anna, "my cat, is called EMBER", day=3)
    remember(boris, "My cat is called Ember.")
    counted(useful, retrieved=6, used=5, helpful=5)
    assert memories_review(now=NOW).flagged == 1
    assert [(item.memory_id, item.reasons) for item in memories_flagged()] == [
        (double, [{"code": "same", "as": str(useful)}])
    ]


@pytest.mark.django_db
def test_memories_review__answers_rated_badly__flags_what_they_rested_on(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "The train to Kazan leaves at nine.")
    with as_service() as cursor:
        for _ in range(2):
            cursor.execute(
                "INSERT INTO pipeline_runs (id, user_id, user_query, status, final_answer, used_memory_ids,"
                " feedback_score, finished_at) VALUES (gen_random_uuid(), %s, 'q', 'COMPLETED', 'a', %s, 1, now())",
                [anna, [memory]],
            )
    memories_review(now=NOW)
    assert [item.reasons for item in memories_flagged()] == [[{"code": "disliked", "times": 2}]]


@pytest.mark.django_db
def test_set_aside__by_a_decision__is_found_no_more_and_comes_back_as_it_was(
    anna: uuid.UUID, remember: Remember
) -> None:
    gone, stays = remember(anna, "The cello is in the attic."), remember(anna, "The cello case is in the cellar.")
    counted(gone, retrieved=7, used=2, helpful=1)
    assert set(found(anna, "Where is the cello?")) == {gone, stays}
    assert memories_set_aside(pairs=[(gone, anna)], decision="prune:1") == [gone]
    assert memories_set_aside(pairs=[(gone, anna)], decision="prune:1") == [gone], "repeating it changes nothing"
    assert found(anna, "Where is the cello?") == [stays]
    assert memories_quality().memories == 1
    assert memories_shown(memory_ids=[gone])[0].set_aside_for == "prune:1"
    with acting_for(anna) as cursor:
        cursor.execute("SELECT id FROM lsm_storage")
        assert cursor.fetchall() == [(stays,)]
    assert memories_bring_back(decision="prune:1") == 1
    assert memories_bring_back(decision="prune:1") == 0
    assert set(found(anna, "Where is the cello?")) == {gone, stays}
    assert memories_shown(memory_ids=[gone])[0].retrieved == 7


@pytest.mark.django_db
def test_set_aside__named_with_another_person__changes_nothing(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    memory = remember(anna, "The cello is in the attic.")
    assert memories_set_aside(pairs=[(memory, boris)], decision="prune:1") == []
    assert found(anna, "Where is the cello?") == [memory]


@pytest.mark.django_db
def test_set_aside__another_decision_did_it__is_left_to_that_one(anna: uuid.UUID, remember: Remember) -> None:
    memory = remember(anna, "The cello is in the attic.")
    memories_set_aside(pairs=[(memory, anna)], decision="merge:1")
    assert memories_set_aside(pairs=[(memory, anna)], decision="prune:2") == []
    assert memories_bring_back(decision="prune:2") == 0


@pytest.mark.django_db
def test_set_aside__too_many_at_once__is_refused(anna: uuid.UUID) -> None:
    with pytest.raises(InvalidInput, match="at most"):
        memories_set_aside(pairs=[(uuid.uuid4(), anna)] * (MOST + 1), decision="prune:1")


@pytest.mark.django_db
def test_keep__said_by_a_person__is_not_put_up_again(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "My cat is called Ember.")
    remember(anna, "My cat is called Ember.", day=3)
    memories_review(now=NOW)
    (flagged,) = memories_flagged()
    assert memories_keep(memory_ids=[flagged.memory_id], by="person:alice") == 1
    assert memories_flagged() == []
    assert memories_review(now=datetime.now(UTC) + timedelta(days=KEPT_DAYS - 1)).flagged == 0
    assert memories_review(now=datetime.now(UTC) + timedelta(days=KEPT_DAYS + 1)).flagged == 1


@pytest.mark.django_db
def test_erase__what_a_decision_hid__takes_its_review_along_and_nothing_else(
    anna: uuid.UUID, remember: Remember
) -> None:
    remember(anna, "My cat is called Ember.")
    remember(anna, "My cat is called Ember.", day=3)
    memories_review(now=NOW)
    (flagged,) = memories_flagged()
    assert memories_erase(decision="prune:1") == 0
    memories_set_aside(pairs=[(flagged.memory_id, anna)], decision="prune:1")
    assert memories_erase(decision="prune:1") == 1
    with as_service() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM lsm_storage), (SELECT count(*) FROM memory_reviews)")
        assert cursor.fetchone() == (1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "may"), [("maas_request", False), ("maas_app", False), ("maas_service", True)])
def test_reviews__of_all_people__are_for_the_service_role_alone(role: str, may: bool) -> None:
    with as_service() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'memory_reviews', 'SELECT')", [role])
        assert cursor.fetchone()[0] is may


@pytest.mark.django_db
def test_safety__with_the_policy_that_hides__still_holds(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "The cello is in the attic.")
    assert {item.name: item.ok for item in safety_checks()}["row-level security"]
