"""What is recorded, in a real browser: the charts are drawn, and the form changes the one of the explorer."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from contracts.actor import Role
from tests.access.people import person
from tests.e2e.conftest import Window
from tests.sensor.test_dashboard import record

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LINES = "#explorer .chart .scatterlayer .trace"


def test_telemetry__form_sent__draws_the_split_and_keeps_what_was_asked(live_server: Any, window: Window) -> None:
    person("charlie", Role.VIEWER)
    for version in (1, 2, 2):
        record(at=timezone.now(), latency=20.0 * version, parameter_version=version)
    window.sign_in("charlie")
    window.open("/telemetry/")
    page = window.page
    assert window.title().startswith("Everything is recorded")
    page.locator(LINES).first.wait_for(state="attached")
    assert page.locator(LINES).count() == 1
    page.locator("#hits .chart .scatterlayer .trace").first.wait_for(state="attached")
    page.select_option("#metric", "runs")
    page.select_option("#span", "7d")
    page.select_option("#grain", "day")
    page.get_by_label("version").check()
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**metric=runs**#explorer")
    page.locator(LINES).nth(1).wait_for(state="attached")
    assert page.input_value("#span") == "7d"
    assert page.locator("#series tbody th").all_inner_texts() == ["v2", "v1"]
    page.get_by_text("each day as a table").click()
    assert "v2" in window.text("#explorer details table")
    with page.expect_download() as download:
        page.click("#csv")
    assert download.value.suggested_filename == "runs-by-day.csv"
