"""Who joins the training pool: consented, answered, real, in production, masked; and nobody else."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from sensor.models import SensorEvent
from sensor.selectors import ConsentedQuestion, consented_questions
from sensor.services import batch_label, catch_up, ground_truth_record, runs_capture
from tests.sensor import factories
from tests.sensor.factories import ANNA, BORIS

pytestmark = pytest.mark.django_db
REAL = {"client_kind": "user", "mode": "dialogue", "cycle_type": "online", "consent": True}


def real(**columns: Any) -> uuid.UUID:
    run_id = factories.run(**{**REAL, **columns})
    runs_capture(run_ids=[run_id])
    return run_id


def pool(limit: int = 100, seed: int = 1, days: float = 30, **more: Any) -> list[ConsentedQuestion]:
    now = datetime.now(UTC)
    return consented_questions(since=now - timedelta(days=days), until=now, limit=limit, seed=seed, **more)


def test_pool__consented_question_of_a_real_user__is_in_it_as_it_was_asked() -> None:
    run_id = real(user_id=BORIS)

    (item,) = pool()

    assert (item.run_id, item.user_id, item.query) == (run_id, BORIS, "Where does my sister live?")
    assert item.asked_at == SensorEvent.objects.get().asked_at


@pytest.mark.parametrize(
    "column",
    [
        {"consent": False},
        {"client_kind": "emulator"},
        {"experiment": "exp-1", "variant": "baseline"},
        {"status": "FAILED", "final_answer": None, "error_message": "no"},
        {"mode": "evaluation"},
        {"cycle_type": "macro"},
        {"created_at": datetime.now(UTC) - timedelta(days=31)},
    ],
    ids=lambda column: next(iter(column)),
)
def test_pool__run_that_lacks_one_condition__is_not_in_it(column: dict[str, Any]) -> None:
    real(**column)

    assert pool() == []


def test_pool__consent_withdrawn_later__takes_the_question_out() -> None:
    run_id = real()
    assert len(pool()) == 1
    factories.change(run_id, consent=False)

    catch_up()

    assert pool() == []


@pytest.mark.parametrize("kept_masked", [True, False])
def test_pool__address_and_number_in_the_question__never_come_out(settings: Settings, kept_masked: bool) -> None:
    settings.SENSOR_MASK_REAL_USERS = kept_masked
    real(user_query="Did I write to ivan@mail.ru or call +7 999 123-45-67?")

    assert [item.query for item in pool()] == ["Did I write to [email] or call [phone]?"]


def test_pool__answered_after_the_given_moment__waits_for_the_next_time() -> None:
    real()

    assert consented_questions(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2020, 1, 2, tzinfo=UTC),
                               limit=9, seed=1) == []  # fmt: skip


def test_pool__more_than_asked_for__is_drawn_by_the_seed_alone_newest_first() -> None:
    now = datetime.now(UTC)
    for minutes in range(12):
        real(created_at=now - timedelta(minutes=minutes + 1))

    drawn = pool(limit=4)

    assert len(drawn) == 4
    assert drawn == pool(limit=4)
    assert [item.asked_at for item in drawn] == sorted((item.asked_at for item in drawn), reverse=True)
    assert len({tuple(pool(limit=4, seed=seed)) for seed in range(10)}) > 1


def test_pool__limit_of_zero__is_empty() -> None:
    real()

    assert pool(limit=0) == []


def test_pool__text_that_is_not_wanted__takes_no_place() -> None:
    for query in ("I moved to Kazan.", "Where do I live?"):
        real(user_query=query)

    assert [item.query for item in pool(limit=1, asks=lambda text: text.endswith("?"))] == ["Where do I live?"]


def test_runs_capture__asked_again_in_the_name_of_a_real_user__is_masked_too() -> None:
    """What is asked again shows the same person's memories."""
    real(user_id=ANNA)
    text = "MEMORIES: call +7 999 123-45-67"
    copy = factories.run(user_id=ANNA, client_kind="emulator", final_context_payload=text, final_answer=text)
    other = factories.run(user_id=BORIS, client_kind="emulator", final_context_payload=text, final_answer=text)

    runs_capture(run_ids=[copy, other])

    kept = {event.pipeline_run_id: (event.context, event.answer) for event in SensorEvent.objects.all()}
    assert kept[copy] == ("MEMORIES: call [phone]", "MEMORIES: call [phone]")
    assert kept[other] == (text, text)


def test_batch_label__recorded_run__gets_its_batch_and_no_truth() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])

    named = [batch_label(run_ids=[run_id], batch="c1-online", dataset="online", split="train") for _ in range(2)]

    event = SensorEvent.objects.get()
    assert named == [1, 0]
    assert (event.batch, event.dataset, event.split) == ("c1-online", "online", "train")
    assert (event.example_id, event.should_retrieve, event.expected_ids, event.key_facts) == (None, None, None, None)


def test_batch_label__run_with_ground_truth__keeps_its_batch() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])
    ground_truth_record([factories.truth(run_id)])

    assert batch_label(run_ids=[run_id], batch="c1-online", dataset="online", split="train") == 0
    assert SensorEvent.objects.get().batch == "batch-1"
