"""Numbers in words: one way to write each unit, true minus signs, ratios in percent."""

from __future__ import annotations

import pytest

from teacher.domain.wording import amount, change_of, interval, signed


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("retrieval_recall", 0.4184, ".418"),
        ("retrieval_recall", 0.0, ".000"),
        ("retrieval_recall", 1.0, "1.000"),
        ("retrieval_recall", -0.25, "-.250"),
        ("not_catalogued", 10.05, "10.050"),
        ("latency_p95", 4812.4, "4,812 ms"),
        ("latency_p50", 3.14, "3.1 ms"),
        ("token_cost", 0.0021, "$0.0021"),
        ("token_cost", 0.25, "$0.2500"),
        ("token_cost", 0.0, "$0"),
        ("memory_age", 10.0, "10"),
        ("user_satisfaction", 4.25, "4.25"),
        ("retrieval_recall", None, "not measured"),
    ],
)
def test_amount__of_each_unit__is_written_its_way(metric: str, value: float | None, text: str) -> None:
    assert amount(metric, value) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("retrieval_recall", 0.044, "+.044"),
        ("retrieval_recall", -0.044, "−.044"),
        ("latency_p95", -120.0, "−120 ms"),
        ("retrieval_recall", None, "not measured"),
    ],
)
def test_signed__either_way__has_its_sign(metric: str, value: float | None, text: str) -> None:
    assert signed(metric, value) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("token_cost", 0.125, "+12.5 %"),
        ("latency_ms", -0.04, "−4.0 %"),
        ("retrieval_precision", -0.04, "−.040"),
        ("token_cost", None, "not known"),
    ],
)
def test_change_of__cost_and_mean_latency__is_a_ratio(metric: str, value: float | None, text: str) -> None:
    assert change_of(metric, value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.01, 0.05, "[+.010, +.050]"), (-0.02, None, "[−.020, …]"), (None, 0.05, "[…, +.050]"), (None, None, "")],
)
def test_interval__open_or_closed__shows_the_bounds_that_are_known(
    low: float | None, high: float | None, text: str
) -> None:
    assert interval("retrieval_recall", low, high) == text
