"""Whose run comes next, and how a worker lets go of one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maas import pipeline
from maas.access import as_service
from maas.agents import asking
from maas.claims import _CLAIM_NEXT, claim, claim_next, hand_back
from maas.client import get_client
from maas.orchestrator import Bell
from maas.pipeline import carry_on
from tests.maas.conftest import request_of
from tests.maas.models import FlakyModel

pytestmark = pytest.mark.django_db
TEXT = "I bought a red cello in Kazan."


def user_number(number: int) -> uuid.UUID:
    """The higher the number, the lower the id: order by user is not order by age."""
    return uuid.UUID(int=(1 << 127) - number)


def submit(user: uuid.UUID, query: str = TEXT, **fields: Any) -> uuid.UUID:
    return get_client().submit(request_of(user, query, **fields))


def pause_is_over() -> None:
    with as_service() as cursor:
        cursor.execute(
            "UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until > now()"
        )


def row(run_id: uuid.UUID, columns: str) -> tuple[object, ...]:
    with as_service() as cursor:
        cursor.execute(f"SELECT {columns} FROM pipeline_runs WHERE id = %s", [run_id])  # noqa: S608  own names
        return tuple(cursor.fetchone())


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FlakyModel]]:
    def use(task: str, failures: int) -> FlakyModel:
        model = FlakyModel(task=task, failures=failures, error=TimeoutError("the model is away"))
        monkeypatch.setattr(asking, "get_chat_model", lambda _name=None: model)
        return model

    yield use


# --- which one -------------------------------------------------------------------------------------------------------


def test_next__many_users__is_the_oldest_run() -> None:
    waiting = [submit(user_number(number)) for number in range(5)]
    taken = [run.id for run in iter(claim_next, None)]
    assert taken == waiting


def test_next__user_with_many_runs__does_not_hold_up_others(anna: uuid.UUID, boris: uuid.UUID) -> None:
    first, *_ = [submit(anna) for _ in range(20)]
    other = submit(boris)
    assert [run.id for run in iter(claim_next, None)] == [first, other]


def test_next__earlier_run_of_the_user_held__leaves_the_later_one(anna: uuid.UUID) -> None:
    held, later = submit(anna), submit(anna)
    run = claim(held, anna)
    assert run is not None
    assert claim_next() is None
    carry_on(run)
    assert (following := claim_next()) is not None and following.id == later


def test_next__evaluations_of_one_user__are_all_free(anna: uuid.UUID) -> None:
    runs = [submit(anna, mode="evaluation") for _ in range(3)]
    assert [run.id for run in iter(claim_next, None)] == runs


def test_next__worker_gone__is_taken_over_when_the_lease_is_out(anna: uuid.UUID) -> None:
    run_id = submit(anna)
    assert claim_next() is not None
    assert claim_next() is None
    pause_is_over()
    taken = claim_next()
    assert taken is not None and (taken.id, taken.retry_count, taken.lost_workers) == (run_id, 1, 1)


def test_next__backlog__reads_a_few_rows_of_one_index(anna: uuid.UUID) -> None:
    with as_service() as cursor:
        cursor.execute(
            "INSERT INTO pipeline_runs (id, user_id, user_query, status, created_at)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 'x', 'NEW', now() + n * interval '1 s'"
            " FROM generate_series(1, 5000) AS n"
        )
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_CLAIM_NEXT}", ["worker", 45.0])
        plan = str(cursor.fetchone()[0])
    assert "runs_open_by_age" in plan
    assert "Seq Scan" not in plan


# --- letting go ------------------------------------------------------------------------------------------------------


def test_failed_try__of_an_orchestrator__frees_the_worker_until_the_next(
    anna: uuid.UUID, flaky: Callable[..., FlakyModel]
) -> None:
    model = flaky("answer", 2)
    run_id = submit(anna)
    for tries in (1, 2):
        run = claim_next()
        assert run is not None
        rest = carry_on(run, patient=False)
        assert rest is not None and rest >= pipeline.BACKOFF_SECONDS * tries
        assert row(run_id, "status, claimed_by, lease_until > now(), retry_count, error_type") == (
            "RESPONDING", None, True, tries, "TimeoutError",
        )  # fmt: skip
        assert claim_next() is None
        pause_is_over()
    run = claim_next()
    assert run is not None and (run.stage_tries, run.lost_workers) == ({"response": 2}, 0)
    assert carry_on(run, patient=False) is None
    assert row(run_id, "status, retry_count") == ("COMPLETED", 2)
    assert model.calls == 3


def test_failed_try__the_third__fails_the_run_with_its_reason(
    anna: uuid.UUID, flaky: Callable[..., FlakyModel]
) -> None:
    model = flaky("keywords", 9)
    run_id = submit(anna)
    for _ in range(3):
        run = claim_next()
        assert run is not None
        carry_on(run, patient=False)
        pause_is_over()
    assert row(run_id, "status, error_message") == ("FAILED", "the model is away")
    assert model.calls == 3
    assert claim_next() is None


def test_failed_try__resting__holds_the_users_order(anna: uuid.UUID, flaky: Callable[..., FlakyModel]) -> None:
    flaky("keywords", 1)
    first, second = submit(anna), submit(anna)
    run = claim_next()
    assert run is not None and run.id == first
    carry_on(run, patient=False)
    assert claim(second, anna) is None


def test_stop__between_stages__hands_the_run_to_the_next_worker(anna: uuid.UUID) -> None:
    run_id = submit(anna)
    run = claim_next()
    assert run is not None
    stops = iter([False, False, True])
    assert carry_on(run, stopping=lambda: next(stops)) is None
    assert row(run_id, "status, claimed_by, lease_until") == ("RESPONDING", None, None)
    taken = claim_next()
    assert taken is not None and (taken.id, taken.retry_count) == (run_id, 0)
    carry_on(taken)
    assert row(run_id, "status, retry_count") == ("COMPLETED", 0)


def test_hand_back__of_a_run_that_another_has__changes_nothing(anna: uuid.UUID) -> None:
    submit(anna)
    lost = claim_next()
    pause_is_over()
    holder = claim_next()
    assert lost is not None and holder is not None
    hand_back(lost)
    assert row(holder.id, "claimed_by") == (holder.claimed_by,)


# --- the bell --------------------------------------------------------------------------------------------------------


def test_bell__rung_often_while_nobody_waits__wakes_one_once() -> None:
    bell = Bell()
    for _ in range(50):
        bell.ring()
    bell.wait()
    second = threading.Thread(target=bell.wait)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    bell.close()
    second.join(5)
    assert not second.is_alive()


def test_bell__closed__keeps_nobody_waiting() -> None:
    bell = Bell()
    bell.close()
    waiting = threading.Thread(target=bell.wait, daemon=True)
    waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()
