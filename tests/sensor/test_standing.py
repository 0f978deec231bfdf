"""How recording stands: counts, lag and cursors, from rollups; and what waits, from the student."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sensor.models import CaptureCursor, SensorEvent
from sensor.selectors import capture_lag
from sensor.services import catch_up, runs_capture
from sensor.services.rollups import rollups_fold
from sensor.standing import LATE, QUIET, SETTLED, cursors, lag_since, recorded_counts, waiting
from tests.sensor import factories
from tests.sensor.test_dashboard import record

pytestmark = pytest.mark.django_db

FAILED: dict[str, Any] = {"status": "FAILED", "error_type": "ModelDown", "error_message": "it broke"}


def states() -> dict[str, str]:
    return {item.name: item.state for item in cursors(left=waiting())}


@pytest.mark.parametrize("folded", [False, True])
def test_counts__runs_of_today_and_before__are_told_apart(folded: bool) -> None:
    now = timezone.now()
    record(at=now)
    record(at=now, **FAILED)
    record(at=now - timedelta(days=3), **FAILED)
    record(at=now - timedelta(days=40))
    if folded:
        rollups_fold()
    found = recorded_counts()
    assert (found.total, found.failed, found.today, found.failed_today) == (4, 2, 2, 1)
    assert found.failed_share == 0.5
    assert found.by_status() == {"COMPLETED": 2, "FAILED": 2, "total": 4}


def test_counts__a_memory_of_somebody_else__is_a_violation() -> None:
    record(at=timezone.now(), found=(factories.memory(user_id=factories.BORIS),))
    record(at=timezone.now(), found=(factories.memory(),))
    found = recorded_counts()
    assert (found.isolation_checked, found.isolation_violations) == (2, 1)


def test_counts__nothing_recorded__have_no_share() -> None:
    found = recorded_counts()
    assert (found.total, found.failed_share) == (0, None)
    assert lag_since(timezone.now() - timedelta(days=1)).p95_seconds is None


@pytest.mark.parametrize("days", [1, 10, 200])
def test_lag__from_rollups_of_any_grain__is_that_of_the_rows(days: int) -> None:
    now = timezone.now()
    for seconds in (5, 10, 20):
        record(at=now - timedelta(seconds=seconds))
    exact, rolled = capture_lag(), lag_since(now - timedelta(days=days))
    assert rolled.runs == 3
    for name in ("p50_seconds", "p95_seconds", "max_seconds"):
        assert getattr(rolled, name) == pytest.approx(getattr(exact, name), rel=0.005)
    assert rolled.newest_seconds == pytest.approx(exact.newest_seconds)


def test_lag__of_a_span__leaves_out_runs_that_ended_before_it() -> None:
    record(at=timezone.now() - timedelta(hours=5))
    assert lag_since(timezone.now() - timedelta(hours=1)).runs == 0


def test_waiting__run_behind_the_cursor_that_is_recorded__is_left_out() -> None:
    first, second = factories.run(), factories.run()
    runs_capture(run_ids=[first])
    assert waiting().runs == 1
    runs_capture(run_ids=[second])
    assert waiting().runs == 0


def test_cursors__after_a_sweep__are_current() -> None:
    factories.run()
    catch_up()
    assert states() == {SETTLED: "current", LATE: "current"}


def test_cursors__before_the_first_sweep__are_unread() -> None:
    assert states() == {SETTLED: "unread", LATE: "unread"}


def test_cursors__run_that_waits_for_long__is_a_stall() -> None:
    ended = timezone.now() - 2 * QUIET
    factories.run(finished_at=ended, created_at=ended)
    left = waiting()
    assert (left.runs, left.since) == (1, ended)
    assert states()[SETTLED] == "stalled"


def test_cursors__quiet_time_without_runs__is_no_stall_of_runs_but_the_heartbeat_tells() -> None:
    catch_up()
    factories.run()
    catch_up()
    CaptureCursor.objects.update(moved_at=timezone.now() - 2 * QUIET)
    assert states() == {SETTLED: "current", LATE: "stalled"}


def test_counts_and_lag__many_rows__are_not_counted_one_by_one() -> None:
    record(at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        recorded_counts()
        lag_since(timezone.now() - timedelta(hours=1))
    of_rows = [query["sql"] for query in queries if SensorEvent._meta.db_table in query["sql"]]
    assert len(of_rows) == 1
    assert of_rows[0].endswith("LIMIT 1")
