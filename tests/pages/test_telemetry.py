"""What is recorded, for people: figures by stage and day, and the explorer of any metric over time."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone

from sensor.services import ground_truth_record
from tests.sensor import factories
from tests.sensor.test_dashboard import record

PAGE = "/telemetry/"


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_telemetry__nothing_recorded__says_what_will_be_here(viewer: Client) -> None:
    text = text_of(viewer, PAGE)
    assert "<h1>Nothing has been recorded yet.</h1>" in text
    assert "No stage ended in this time." in text
    assert "Nothing of this was recorded in that time." in text
    assert "data-chart" not in text


def test_latency__of_the_last_hour__has_a_bar_and_numbers_of_each_stage(viewer: Client) -> None:
    record(at=timezone.now() - timedelta(minutes=5), latency=40.0)
    text = text_of(viewer, PAGE)
    assert text.count('<svg class="interval percentiles"') == 5
    assert "whole run" in text
    assert 'aria-label="P50 40 ms, P95 40 ms"' in text


def test_latency__of_another_span__is_counted_over_it(viewer: Client) -> None:
    record(at=timezone.now() - timedelta(minutes=30))
    assert "No stage ended in this time." in text_of(viewer, PAGE + "?minutes=15")
    assert "No stage ended in this time." not in text_of(viewer, PAGE + "?minutes=1440")


def test_hits__day_with_known_answers__are_drawn_and_in_the_file(viewer: Client) -> None:
    memory, now = factories.memory(), timezone.now()
    hit, miss = record(at=now, found=(memory,)), record(at=now)
    ground_truth_record([factories.truth(run_id, expected_memory_ids=(memory,)) for run_id in (hit, miss)])
    (line,) = viewer.get(PAGE + "hit-rate.json").json()["data"]
    assert len(line["x"]) == 30
    assert line["y"][-1] == 0.5
    assert set(line["y"][:-1]) == {None}
    (row,) = csv.DictReader(StringIO(viewer.get(PAGE + "hit-rate.csv").content.decode()))
    assert (row["day"], row["rate"]) == (f"{now.astimezone(UTC):%Y-%m-%d}", "0.5")


def test_explorer__split__has_a_line_and_a_row_of_each(viewer: Client) -> None:
    record(at=timezone.now(), latency=10.0, parameter_version=1)
    for _ in range(2):
        record(at=timezone.now(), latency=30.0, parameter_version=2)
    query = "?metric=latency_ms&show=mean&span=7d&grain=day&by=parameter_version"
    figure = viewer.get(PAGE + "points.json" + query).json()
    assert [(line["name"], line["y"][-1]) for line in figure["data"]] == [("v2", 30.0), ("v1", 10.0)]
    assert len({line["line"]["color"] for line in figure["data"]}) == 2
    text = text_of(viewer, PAGE + query)
    assert ">v2</th>" in text
    assert "30 ms" in text


@pytest.mark.parametrize(("metric", "drawn"), [("latency_ms", "P95"), ("mrr", "mean"), ("runs", "how many")])
def test_explorer__left_to_itself__draws_what_suits_the_metric_and_says_so(
    viewer: Client, metric: str, drawn: str
) -> None:
    assert f"Drawn: {drawn}." in text_of(viewer, f"{PAGE}?metric={metric}")


def test_explorer__more_than_twelve_series__says_how_many_are_left_out_of_the_chart_alone(viewer: Client) -> None:
    for version in range(1, 15):
        record(at=timezone.now(), parameter_version=version)
    query = "?metric=runs&by=parameter_version"
    assert len(viewer.get(PAGE + "points.json" + query).json()["data"]) == 12
    assert "Drawn are the 12 series with the most values; 2 more are in the file only." in text_of(viewer, PAGE + query)
    rows = list(csv.DictReader(StringIO(viewer.get(PAGE + "points.csv" + query).content.decode())))
    assert {row["parameter_version"] for row in rows} == {str(version) for version in range(1, 15)}


def test_explorer__counts__are_zero_where_nothing_was_recorded_and_means_are_not(viewer: Client) -> None:
    record(at=timezone.now(), latency=10.0)
    counted = viewer.get(PAGE + "points.json?metric=runs").json()["data"][0]["y"]
    assert (counted[-1], set(counted[:-1])) == (1.0, {0.0})
    mean = viewer.get(PAGE + "points.json?metric=latency_ms&show=mean").json()["data"][0]["y"]
    assert (mean[-1], set(mean[:-1])) == (10.0, {None})


def test_explorer__of_one_stage__tells_of_that_stage(viewer: Client) -> None:
    record(at=timezone.now())
    (line,) = viewer.get(PAGE + "points.json?metric=latency_ms&stage=analyzer&show=mean").json()["data"]
    assert line["y"][-1] == factories.TIMINGS["analyzer"]


def test_explorer__name_from_outside__is_text_on_the_chart_and_in_the_file(viewer: Client) -> None:
    record(at=timezone.now(), experiment="=1+<b>x</b>", variant="a")
    query = "?metric=runs&by=experiment"
    (line,) = viewer.get(PAGE + "points.json" + query).json()["data"]
    assert line["text"][-1].startswith("=1+&lt;b&gt;x")
    (row,) = csv.DictReader(StringIO(viewer.get(PAGE + "points.csv" + query).content.decode()))
    assert row["experiment"] == "'=1+<b>x</b>"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("metric=x", "There is no metric &#x27;x&#x27;."),
        ("metric=mrr&stage=e2e", "MRR is not recorded of single stages."),
        ("metric=mrr&show=p95", "Percentiles are not kept of “MRR”; take the mean."),
        ("show=colour", "That cannot be drawn."),
        ("span=forever", "Choose one of the spans."),
        ("span=365d&grain=hour", "That is more than 2,400 hours; ask for days, or for a shorter span."),
        ("by=variant&by=split&by=category&by=experiment", "Runs can be split by 3 things at once, not by 4."),
        ("minutes=7", "Choose one of the spans: 15 minutes, 1, 6 or 24 hours."),
        ("minutes=%00", "Choose one of the spans: 15 minutes, 1, 6 or 24 hours."),
    ],
)
def test_question__that_cannot_be_answered__is_said_in_a_sentence_beside_the_rest(
    viewer: Client, query: str, sentence: str
) -> None:
    text = text_of(viewer, f"{PAGE}?{query}", status=422)
    assert f'<li class="error">{sentence}</li>' in text
    assert 'id="explorer-form"' in text


@pytest.mark.parametrize("name", ["points.json", "points.csv"])
def test_data__of_a_wrong_question__is_refused(viewer: Client, name: str) -> None:
    assert viewer.get(f"{PAGE}{name}?metric=x").status_code == 422


def test_form__question_asked__stays_filled_in(viewer: Client) -> None:
    text = text_of(viewer, PAGE + "?metric=mrr&span=30d&grain=day&by=category&minutes=360")
    for kept in ('value="mrr" selected', 'value="30d" selected', 'value="day" selected', 'value="category" checked'):
        assert kept in text
    assert '<input type="hidden" name="minutes" value="360">' in text


def test_table__of_each_hour__is_in_utc(viewer: Client) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0)
    record(at=at)
    assert f"{datetime.now(UTC):%Y-%m-%d %H}:00" in text_of(viewer, PAGE)
