"""What programs learn of the recorded runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contracts.actor import Role
from sensor.services import catch_up
from tests.access.people import bearer
from tests.sensor.test_dashboard import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(db: None) -> Any:
    headers = bearer(Role.VIEWER)
    return lambda path: Client().get(f"/api/v1/telemetry/{path}", headers=headers)


def test_status__recorded_runs__counts_them_and_says_how_late_and_where_the_cursors_are(ask: Any) -> None:
    record(at=timezone.now() - timedelta(minutes=10))
    catch_up()
    body = ask("status").json()
    assert body["counts"] == {"COMPLETED": 1, "total": 1}
    assert body["lag"]["runs"] == 1
    assert body["lag"]["p95_seconds"] == pytest.approx(600, rel=0.02)
    assert body["waiting"] == {"runs": 0, "since": None}
    assert {item["name"]: item["state"] for item in body["cursors"]} == {
        "pipeline_runs": "current", "pipeline_runs.late": "current"
    }  # fmt: skip


def test_status__since_an_hour_ago__leaves_earlier_lag_out(ask: Any) -> None:
    record(at=timezone.now() - timedelta(hours=3))
    since = (timezone.now() - timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert ask("status").json()["lag"]["runs"] == 1
    assert ask(f"status?since={since}").json()["lag"]["runs"] == 0


def test_latency__last_minutes__has_every_stage(ask: Any) -> None:
    record(at=timezone.now() - timedelta(minutes=5), latency=40.0)
    stages = {row["stage"]: row for row in ask("latency?minutes=15").json()["stages"]}
    assert set(stages) == {"analyzer", "assembler", "responder", "archivist", "e2e"}
    assert (stages["e2e"]["n"], stages["e2e"]["mean_ms"]) == (1, 40.0)


def test_hit_rate__days__are_those_with_rows(ask: Any) -> None:
    now = timezone.now()
    record(at=now)
    record(at=now - timedelta(days=40))
    (day,) = ask("hit-rate?days=30").json()
    assert (day["rows"], day["known"], day["rate"]) == (5, 0, None)


@pytest.mark.parametrize("by", ["by=parameter_version,split", "by=parameter_version&by=split"])
def test_metrics__split__may_be_said_with_commas_or_repeatedly(ask: Any, by: str) -> None:
    record(at=timezone.now(), latency=25.0, parameter_version=3)
    body = ask(f"metrics?metric=latency_ms&grain=day&{by}").json()
    assert (body["title"], body["unit"], body["by"]) == ("Latency", "ms", ["parameter_version", "split"])
    (point,) = body["points"]
    assert point["dimensions"] == {"parameter_version": 3, "split": None}
    assert (point["n"], point["total"], point["mean"]) == (1, 25.0, 25.0)
    assert point["p95"] == pytest.approx(25.0, rel=0.005)


def test_metrics__nothing_asked__counts_runs_of_the_last_day(ask: Any) -> None:
    record(at=timezone.now())
    body = ask("metrics").json()
    assert (body["metric"], body["grain"], [point["n"] for point in body["points"]]) == ("runs", "hour", [1])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("metrics?metric=x", "metric"), ("metrics?by=colour", "by"), ("metrics?grain=minute", "grain"),
        ("metrics?since=2020-01-01T00:00:00Z", "since"), ("metrics?stage=brain", "stage"),
        ("metrics?since=0001-01-01T00:00:00%2B14:00", "since"), ("status?since=0001-01-01T00:00:00", "since"),
    ],
)  # fmt: skip
def test_question__that_breaks_a_rule__is_refused_in_the_one_shape(ask: Any, path: str, field: str) -> None:
    answer = ask(path)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["details"]["field"]) == ("INVALID_INPUT", field)


@pytest.mark.parametrize("path", ["latency?minutes=0", "latency?minutes=5000", "hit-rate?days=x", "metrics?since=soon"])
def test_parameter__of_the_wrong_kind__is_refused_in_the_one_shape(ask: Any, path: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_INPUT")


@pytest.mark.parametrize("path", ["status", "latency", "hit-rate", "metrics"])
def test_telemetry__nobody_signed_in__is_refused(db: None, path: str) -> None:
    assert Client().get(f"/api/v1/telemetry/{path}").status_code == 401
