"""What a person says after a run was recorded reaches its row, once, and the row stays one."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from contracts.maas import RunRequest
from maas.client import get_client
from sensor import student
from sensor.models import CaptureCursor, SensorEvent, TelemetryEvent
from sensor.services import backfill, catch_up, runs_capture
from sensor.services.late import late_facts_apply
from tests.sensor import factories
from tests.sensor.factories import ANNA

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOBODY = uuid.UUID(int=0)


def spoken(run_id: uuid.UUID) -> tuple[int | None, bool]:
    event = SensorEvent.objects.get(pipeline_run_id=run_id)
    return event.feedback_score, event.consent


def test_runs_capture__consent_and_feedback_of_the_run__are_recorded_with_it() -> None:
    given = datetime.now(UTC)
    run_id = factories.run(client_kind="user", consent=True, feedback_score=2, feedback_at=given)

    runs_capture(run_ids=[run_id])

    assert spoken(run_id) == (2, True)
    assert SensorEvent.objects.get().feedback_at == given


def test_runs_capture__run_without_consent__is_recorded_without() -> None:
    run_id = factories.run(client_kind="user")

    runs_capture(run_ids=[run_id])

    assert spoken(run_id) == (None, False)


def test_catch_up__feedback_after_the_capture__is_put_on_the_row() -> None:
    run_id = factories.run()
    catch_up()
    given = datetime.now(UTC)
    factories.change(run_id, feedback_score=4, feedback_at=given)

    assert catch_up().captured == 0

    event = SensorEvent.objects.get(pipeline_run_id=run_id)
    assert (event.feedback_score, event.feedback_at) == (4, given)


def test_catch_up__second_word__replaces_the_first() -> None:
    run_id = factories.run()
    catch_up()
    for score in (4, 1):
        factories.change(run_id, feedback_score=score)
        catch_up()

    assert spoken(run_id) == (1, False)


def test_catch_up__consent_withdrawn_after_the_capture__is_withdrawn_on_the_row() -> None:
    run_id, other = (factories.run(client_kind="user", consent=True) for _ in range(2))
    catch_up()
    factories.change(run_id, consent=False)

    catch_up()

    assert (spoken(run_id), spoken(other)) == ((None, False), (None, True))


def test_catch_up__late_change_read_again__adds_and_rewrites_nothing() -> None:
    run_id = factories.run()
    catch_up()
    factories.change(run_id, feedback_score=5)
    catch_up()
    written = _written(run_id)

    assert [catch_up().captured, backfill().captured] == [0, 0]
    assert (SensorEvent.objects.count(), TelemetryEvent.objects.count()) == (1, 5)
    assert _written(run_id) == written


def test_catch_up__run_changed_before_it_was_recorded__is_recorded_once_as_it_stands() -> None:
    run_id = factories.run(finished_at=datetime.now(UTC) - timedelta(seconds=5), consent=True)
    factories.change(run_id, consent=False, feedback_score=3)

    assert catch_up().captured == 1
    assert spoken(run_id) == (3, False)


def test_catch_up__late_change_of_a_run_behind_the_cursor_of_settling__records_it() -> None:
    factories.run()
    catch_up()
    old = factories.run(finished_at=datetime.now(UTC) - timedelta(days=3), created_at=LONG_AGO)
    factories.change(old, feedback_score=2)

    assert catch_up().captured == 0
    assert spoken(old) == (2, False)


def test_catch_up__many_late_changes__are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.services.cursor.PAGE", 2)
    run_ids = [factories.run() for _ in range(5)]
    catch_up()
    for run_id in run_ids:
        factories.change(run_id, feedback_score=5)

    catch_up()

    assert {spoken(run_id) for run_id in run_ids} == {(5, False)}
    assert set(CaptureCursor.objects.values_list("name", flat=True)) == {"pipeline_runs", "pipeline_runs.late"}


def test_catch_up__quiet_since_a_change__does_not_read_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = factories.run()
    factories.change(run_id, feedback_score=5)
    catch_up()
    monkeypatch.setattr("sensor.services.cursor.OVERLAP", timedelta())
    read: list[uuid.UUID] = []
    monkeypatch.setattr("sensor.services.cursor.late_facts_apply", lambda *, run_ids: read.extend(run_ids))

    catch_up()

    assert read == []


def test_late_changes__unsettled_run__is_none() -> None:
    run_id = factories.run(finished_at=None)
    factories.change(run_id, feedback_score=4)

    assert student.late_changes(after=(LONG_AGO, NOBODY), limit=10) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["dialogue", "evaluation"])
def test_late_changes__run_that_only_settled__is_none_until_its_user_speaks(mode: str) -> None:
    """Settling is not taken for a late change: else every run would be read twice."""
    client = get_client()
    answer = client.ask(RunRequest(user_id=ANNA, query="Where does my sister live?", mode=mode))
    assert student.late_changes(after=(LONG_AGO, NOBODY), limit=10) == []

    client.feedback(answer.run_id, user_id=ANNA, score=5)

    assert [run_id for _, run_id in student.late_changes(after=(LONG_AGO, NOBODY), limit=10)] == [answer.run_id]
    catch_up()
    assert spoken(answer.run_id) == (5, False)


@pytest.mark.django_db(transaction=True)
def test_catch_up__change_not_committed_yet__keeps_the_late_cursor_behind_it() -> None:
    first, second = factories.run(), factories.run()
    catch_up()
    other = connections.create_connection("maas")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT set_config('role', 'maas_service', true)")
            cursor.execute(
                "UPDATE pipeline_runs SET consent = true, updated_at = clock_timestamp() WHERE id = %s"
                " RETURNING updated_at", [first],
            )  # fmt: skip
            changed = cursor.fetchone()[0]
            factories.change(second, feedback_score=4)
            catch_up()
            position = CaptureCursor.objects.get(name="pipeline_runs.late").position
        other.commit()
    finally:
        other.close()
    assert position is not None
    assert position <= changed
    catch_up()
    assert (spoken(first), spoken(second)) == ((None, True), (4, False))


@pytest.mark.django_db(transaction=True)
def test_late_facts_apply__many_at_once_while_the_person_changes_his_mind__end_with_the_last_word() -> None:
    run_id = factories.run()
    catch_up()
    together = threading.Barrier(4)

    def apply() -> None:
        together.wait()
        for _ in range(10):
            late_facts_apply(run_ids=[run_id])
        connections.close_all()

    threads = [threading.Thread(target=apply) for _ in range(3)]
    for thread in threads:
        thread.start()
    together.wait()
    for score in (1, 2, 3, 4, 5):
        factories.change(run_id, feedback_score=score)
    late_facts_apply(run_ids=[run_id])
    for thread in threads:
        thread.join()

    assert spoken(run_id) == (5, False)


def test_late_changes__many_runs__are_found_by_their_own_index() -> None:
    with student.as_service() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT updated_at, id FROM pipeline_runs WHERE updated_at > finished_at"
            " AND (updated_at, id) > (%s, %s) ORDER BY updated_at, id LIMIT 10", [LONG_AGO, NOBODY],
        )  # fmt: skip
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "runs_changed_late" in plan


def _written(run_id: uuid.UUID) -> str:
    """Which version of the row this is, to PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text || xmin::text FROM sensor_events WHERE pipeline_run_id = %s", [run_id])
        row = cursor.fetchone()
    return str(row[0])
