"""The admin's lists of recorded rows find their choices and pages without reading all rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kernel.errors import RuleViolated
from sensor import listing
from sensor.dashboard import dimension_values
from sensor.models import SensorEvent, TelemetryEvent
from sensor.services import ground_truth_record
from tests.sensor import factories
from tests.sensor.old import month_ago
from tests.sensor.test_dashboard import record

pytestmark = pytest.mark.django_db
RUNS, STAGES = (reverse(f"admin:sensor_{name}_changelist") for name in ("sensorevent", "telemetryevent"))


@pytest.fixture
def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (SensorEvent, TelemetryEvent):
        monkeypatch.setattr(admin.site.get_model_admin(model), "list_per_page", 1)


@pytest.mark.parametrize("path", [RUNS, STAGES])
@pytest.mark.usefixtures("one_a_page")
def test_list__of_several_pages__asks_for_few_rows_and_for_no_distinct_values(admin_client: Client, path: str) -> None:
    for _ in range(2):
        record(at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(path).status_code == 200
    tables = (f'"{SensorEvent._meta.db_table}"', f'"{TelemetryEvent._meta.db_table}"')
    of_rows = [query["sql"] for query in queries if any(table in query["sql"] for table in tables)]
    assert of_rows
    assert [sql for sql in of_rows if "LIMIT" not in sql or "DISTINCT" in sql or "MIN(" in sql] == []


@pytest.mark.usefixtures("one_a_page")
def test_list__more_rows_than_are_listed__ends_there(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LISTED_MOST", 2)
    for _ in range(3):
        record(at=timezone.now())
    shown = admin_client.get(RUNS).context["cl"]
    assert (shown.result_count, shown.paginator.num_pages) == (2, 2)


@pytest.mark.parametrize(
    ("narrowed", "shown"),
    [
        ("status=FAILED", {"broke"}),
        ("split=validation", {"known"}),
        ("category=temporal", {"known"}),
        ("mode=dialogue", {"talked"}),
        ("split=nonsense", set()),
        ("month=1999-01", set()),
        ("month=nonsense", set()),
    ],
)
def test_runs__narrowed__show_these(admin_client: Client, narrowed: str, shown: set[str]) -> None:
    now = timezone.now()
    record(at=now, user_query="broke", status="FAILED", error_type="ModelDown", error_message="it was down")
    known = record(at=now, user_query="known")
    record(at=now, user_query="talked", mode="dialogue")
    ground_truth_record([factories.truth(known, category="temporal")])
    rows = admin_client.get(f"{RUNS}?{narrowed}").context["cl"].result_list
    assert {row.query for row in rows} == shown


def test_runs__of_a_month__are_those_that_started_in_it(admin_client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_ensure_partitions(%s, %s)", [month_ago(3), month_ago(3)])
    record(at=month_ago(3) + timedelta(days=2), user_query="long ago")
    record(at=timezone.now(), user_query="today")
    page = admin_client.get(f"{RUNS}?month={month_ago(3):%Y-%m}")
    assert [row.query for row in page.context["cl"].result_list] == ["long ago"]


def test_stages__with_an_error__are_those(admin_client: Client) -> None:
    record(at=timezone.now())
    record(at=timezone.now(), status="FAILED", error_type="ModelDown", error_message="it was down")
    counts = {
        wanted: len(admin_client.get(f"{STAGES}?error={wanted}").context["cl"].result_list)
        for wanted in ("yes", "no", "nonsense")
    }
    assert counts["yes"] > 0
    assert counts["yes"] + counts["no"] == counts["nonsense"] == TelemetryEvent.objects.count()


def test_dimension_values__of_runs__are_each_once_in_order() -> None:
    for version in (2, 1, 2):
        record(at=timezone.now(), parameter_version=version)
    assert dimension_values("parameter_version") == ["1", "2"]
    assert dimension_values("category") == []
    with pytest.raises(RuleViolated, match="runs have no colour"):
        dimension_values("colour")
