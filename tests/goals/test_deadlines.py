"""Dates by which a campaign is to end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from contracts.goal import GoalTranslation
from contracts.metric import METRICS
from goals.translation import translate
from tuner.registry import FACTORS

TODAY = date(2026, 12, 1)


def read(text: str) -> GoalTranslation:
    return translate(text, metrics=METRICS, factors=FACTORS, today=TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Recall 60 % by 2026-12-31", date(2026, 12, 31)),
        ("Raise recall to 60 % until December 15", date(2026, 12, 15)),
        ("Raise recall to 60 % no later than 15th of January", date(2027, 1, 15)),
        ("Поднять полноту до 60 % до 15 декабря", date(2026, 12, 15)),
        ("К 3 мая 2027 года полнота 60 %", date(2027, 5, 3)),
        ("Полнота 60 %, срок: 24.12.2026", date(2026, 12, 24)),
    ],
)
def test_deadline__in_a_goal__is_the_end_of_that_day(text: str, day: date) -> None:
    got = read(text)
    assert got.budget.deadline == datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
    assert [(item.metric, item.value) for item in got.targets] == [("retrieval_recall", 0.6)]
    assert got.unread == ()


def test_deadline__that_has_passed__is_a_conflict() -> None:
    assert read("Recall 60 % by 2026-11-30").conflicts == ("The deadline 2026-11-30 has passed already.",)


@pytest.mark.parametrize("text", ["Recall up to 60 %", "Latency by 2 s lower", "Поднять полноту до 60 %"])
def test_deadline__no_date__is_none(text: str) -> None:
    assert read(text).budget.deadline is None


def test_deadline__that_no_calendar_has__is_unread_and_no_deadline() -> None:
    got = read("Recall 60 % by 31 February")
    assert got.budget.deadline is None
    assert got.unread
