"""The tables stay in order without anyone thinking of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client

from sensor import storage, upkeep
from sensor.domain.retention import TABLES, month_name, month_of, months_after
from sensor.models import RollupDelta, SensorEvent
from sensor.services import maintenance, partitions, runs_capture
from sensor.services.maintenance import maintenance_run
from sensor.services.partitions import default_empty, partitions_ensure
from sensor.services.retention import retention_due
from sensor.services.retention_policy import retention_change
from sensor.storage import storage_state
from sensor.upkeep import Upkeep
from tests.sensor import factories
from tests.sensor.old import exists, kept, month_ago, recorded, rows
from tests.sensor.test_listener import listening

pytestmark = pytest.mark.django_db
FAR = datetime(2040, 11, 20, 12, tzinfo=UTC)


def stray(moment: datetime) -> None:
    """A stage's row that comes before its month is made."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO telemetry_events (created_at, stage) VALUES (%s, 'e2e')", [moment])


@pytest.fixture
def in_2040(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the application; the months of that time are not made."""

    class Clock:
        @staticmethod
        def now() -> datetime:
            return FAR

    for module in (storage, partitions):
        monkeypatch.setattr(module, "timezone", Clock)


def test_ensure__months_ahead_are_missing__makes_this_one_and_three_more(in_2040: None) -> None:
    assert storage_state().missing == [f"{t} {m}" for t in TABLES for m in ("2040-11", "2040-12", "2041-01", "2041-02")]

    assert [partitions_ensure(), partitions_ensure()] == [8, 0]

    assert storage_state().missing == []
    assert all(exists(table, months_after(month_of(FAR), number)) for table in TABLES for number in range(4))


def test_state__next_month_is_missing__says_so(in_2040: None) -> None:
    assert storage_state().concerns[0] == "sensor_events 2040-11 has no partition yet: is the Sensor running?"
    assert len(storage_state().concerns) == 4


def test_state__months_ahead_are_there__has_no_concern() -> None:
    partitions_ensure()

    assert storage_state().concerns == []


def test_default__rows_of_a_time_without_month__move_into_the_month_that_is_made() -> None:
    stray(month_ago(30))
    stray(month_ago(30) + timedelta(days=5))
    assert storage_state().concerns == ["2 rows of telemetry_events in no month; maintenance moves what it can"]

    assert default_empty() == 2

    assert (rows("telemetry_events_default"), rows(f"telemetry_events_y{month_ago(30):%Ym%m}")) == (0, 2)
    assert storage_state().concerns == []


@pytest.mark.parametrize("moment", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)])
def test_default__row_of_a_wrong_clock__stays_and_is_told_of(moment: datetime) -> None:
    stray(moment)

    assert default_empty() == 0
    assert storage_state().stray == {"sensor_events": 0, "telemetry_events": 1}


def test_default__moved_rows__are_not_counted_twice_in_rollups() -> None:
    stray(month_ago(30))
    before = list(RollupDelta.objects.order_by("id").values_list("metric", "n"))

    default_empty()

    assert list(RollupDelta.objects.order_by("id").values_list("metric", "n")) == before


def test_partitions__asked_exactly__count_the_rows_of_each_month() -> None:
    recorded(5)

    found = {each.name: each for each in storage.partitions(exact=True)}

    part = found[f"telemetry_events_y{month_ago(5):%Ym%m}"]
    assert (part.rows, part.starts, part.ends, part.is_default) == (5, month_ago(5), month_ago(4), False)
    assert part.bytes > 8192
    assert found["sensor_events_default"].is_default
    assert found["sensor_events_default"].rows == 0


def test_maintenance__policy_lets_rows_go_by_themselves__applies_it() -> None:
    recorded(5)
    kept(2, automatic=True)

    report = maintenance_run()

    assert report.retention is not None
    assert (report.retention.rows, SensorEvent.objects.count()) == (6, 0)


def test_maintenance__policy_does_not_say_so__removes_nothing() -> None:
    recorded(5)
    kept(2)

    assert maintenance_run().retention is None
    assert SensorEvent.objects.count() == 1


def test_due__after_all_went__not_before_the_next_month_or_another_policy(
    alice: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(3, automatic=True)
    assert retention_due()
    maintenance_run()
    assert not retention_due()

    retention_change(actor=alice, reason="shorter", production_months=2)  # type: ignore[arg-type]  # the cast's
    assert retention_due()


def test_sense__maintain__moves_rows_and_reports_as_json() -> None:
    stray(month_ago(30))
    out = StringIO()

    call_command("sense", "--maintain", "--json", stdout=out)

    found = json.loads(out.getvalue())
    assert (found["moved"], found["retention"], found["state"]["concerns"]) == (1, None, [])


def test_upkeep__maintenance_fails__is_tried_again_later_and_folding_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise DatabaseError("no room")

    monkeypatch.setattr(upkeep, "maintenance_run", fails)
    runs_capture(run_ids=[factories.run()])
    keeper = Upkeep()
    keeper.captured(1)

    keeper.turn(go_on=lambda: True)

    assert not RollupDelta.objects.exists()
    monkeypatch.setattr(upkeep, "maintenance_run", lambda **_: pytest.fail("it was tried again at once"))
    keeper.turn(go_on=lambda: True)


@pytest.mark.django_db(transaction=True)
def test_listen__retention_under_way__records_between_its_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What settles while maintenance works is recorded by it in its pauses."""
    seen: list[bool] = []

    def long_work(*, go_on: object) -> None:
        run_id = factories.run()
        for _ in range(50):
            assert callable(go_on)
            go_on()
            if SensorEvent.objects.filter(pipeline_run_id=run_id).exists():
                seen.append(True)
                return

    monkeypatch.setattr(upkeep, "maintenance_run", long_work)
    with listening() as wait_for:
        wait_for(1)
    assert seen == [True]


@pytest.mark.django_db(transaction=True)
def test_listen__at_its_start__makes_months_and_lets_old_rows_go() -> None:
    recorded(5)
    kept(2, automatic=True)
    with listening() as wait_for:
        factories.run()
        wait_for(1)
        factories.run()
        wait_for(2)

    assert SensorEvent.objects.count() == 2
    assert not exists("sensor_events", month_ago(5))


def test_status__rows_in_no_month__are_told_by_health_and_api(client: Client, admin_client: Client) -> None:
    assert client.get("/api/v1/health").json()["dependencies"]["sensor"]["status"] == "ok"
    stray(month_ago(30))

    found = client.get("/api/v1/health").json()["dependencies"]["sensor"]
    told = admin_client.get("/api/v1/telemetry/status").json()["storage"]

    assert (found["status"], found["detail"]) == ("absent", told["concerns"][0])
    assert "1 row of telemetry_events in no month" in found["detail"]
    assert told["stray"] == {"sensor_events": 0, "telemetry_events": 1}


def test_maintenance__without_anything_to_do__changes_nothing() -> None:
    maintenance_run()
    report = maintenance_run()

    assert (report.made, report.moved, report.folded, report.retention) == (0, 0, 0, None)
    assert maintenance.SENSOR.name == "sensor"
    assert month_name(month_ago(0)) == f"{datetime.now(UTC):%Y-%m}"
