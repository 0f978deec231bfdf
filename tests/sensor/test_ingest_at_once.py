"""The same foreign runs sent several times at once, and again before the first sending has ended."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection, connections

from sensor.domain.external import IngestReport
from sensor.models import ExternalEvent, LedgerEntry, SensorEvent, TelemetryEvent
from sensor.services import telemetry_ingest
from tests.sensor import foreign
from tests.sensor.factories import BORIS

pytestmark = pytest.mark.django_db(transaction=True)


def test_ingest__overlapping_batches_at_once__record_each_event_once() -> None:
    events = [foreign.event(found=[foreign.found(user_id=BORIS)], user_id=str(uuid.uuid4())) for _ in range(90)]
    together = threading.Barrier(3)
    reports: list[IngestReport] = []

    def send(part: list[dict[str, Any]]) -> None:
        together.wait()
        reports.append(telemetry_ingest(events=part, source="test"))
        connections.close_all()

    parts = (events[:60], events[:29:-1], events[::2] + events[1::2])
    threads = [threading.Thread(target=send, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(report.accepted for report in reports) == 90
    assert sum(report.duplicates for report in reports) == 120
    assert (SensorEvent.objects.count(), TelemetryEvent.objects.count()) == (90, 450)
    assert (LedgerEntry.objects.count(), ExternalEvent.objects.count()) == (540, 90)


@pytest.mark.parametrize("first_lives", [True, False])
def test_ingest__sent_again_while_the_first_is_under_way__waits_for_its_end(first_lives: bool) -> None:
    """A client that was not answered in time sends again; the first may yet commit, or die."""
    event = foreign.event()
    reports: list[IngestReport] = []

    def send() -> None:
        reports.append(telemetry_ingest(events=[event], source="test"))
        connections.close_all()

    first = connections.create_connection("default")
    try:
        first.set_autocommit(False)
        with first.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sensor_external_events (event_id, run_id, source) VALUES (%s, %s, 'first')",
                [event["event_id"], event["pipeline_run_id"]],
            )
            again = threading.Thread(target=send)
            again.start()
            assert _somebody_waits()
            assert reports == []
        if first_lives:
            first.commit()
        else:
            first.rollback()
    finally:
        first.close()
    again.join()

    (report,) = reports
    assert (report.accepted, report.duplicates) == ((0, 1) if first_lives else (1, 0))


def _somebody_waits() -> bool:
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock')"
            )
            if cursor.fetchone()[0]:
                return True
            time.sleep(0.01)
    return False
