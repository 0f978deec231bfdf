"""Of what time a query asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from maas.retrieval.periods import Period, period_of

NOW = datetime(2025, 5, 14, 15, 30, tzinfo=UTC)  # a Wednesday


def day(month: int, number: int, year: int = 2025) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "months", "years"),
    [
        ("What did I buy in May 2023?", (5,), (2023,)),
        ("Что я купил в мае 2023 года?", (5,), (2023,)),
        ("What happened in March or April?", (3, 4), ()),
        ("Where was I in 2024?", (), (2024,)),
        ("What did we do last year?", (), (2024,)),
        ("Что мы делали в прошлом году?", (), (2024,)),
        ("Чем я занималась прошлой зимой?", (1, 2, 12), ()),
        ("Where did I go in the summer of 2024?", (6, 7, 8), (2024,)),
        ("What did I do last fall?", (9, 10, 11), ()),
    ],
)
def test_period__months_and_years__are_read(text: str, months: tuple[int, ...], years: tuple[int, ...]) -> None:
    assert period_of(text, asked_at=NOW) == Period(months=months, years=years)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("What did I eat yesterday?", day(5, 13), day(5, 14)),
        ("Что я ел позавчера?", day(5, 12), day(5, 13)),
        ("Whom did I meet last week?", day(5, 5), day(5, 12)),
        ("С кем я встречался на прошлой неделе?", day(5, 5), day(5, 12)),
        ("What happened last month?", day(4, 1), day(5, 1)),
        ("What was on 2024-11-03?", day(11, 3, 2024), day(11, 4, 2024)),
        ("Что было 03.11.2024?", day(11, 3, 2024), day(11, 4, 2024)),
        ("What was on 3 November, 2024?", day(11, 3, 2024), day(11, 4, 2024)),
        ("What was on November 3rd, 2024?", day(11, 3, 2024), day(11, 4, 2024)),
        ("Что было 3 ноября 2024 года?", day(11, 3, 2024), day(11, 4, 2024)),
    ],
)
def test_period__a_span_of_days__is_read(text: str, start: datetime, end: datetime) -> None:
    assert period_of(text, asked_at=NOW) == Period(spans=((start, end),))


@pytest.mark.parametrize(("text", "inside"), [("three weeks ago", day(4, 23)), ("2 месяца назад", day(3, 15))])
def test_period__some_time_ago__is_about_then(text: str, inside: datetime) -> None:
    period = period_of(f"What did I say {text}?", asked_at=NOW)
    assert period is not None
    ((start, end),) = period.spans
    assert start <= inside < end
    assert end < NOW


@pytest.mark.parametrize(
    "text", ["What may I eat?", "How many summers?", "Call me at 12:30", "31.02.2024 is no day", "I fall asleep"]
)
def test_period__none_is_named__is_none(text: str) -> None:
    period = period_of(text, asked_at=NOW)
    assert period is None or period.spans == ()
    assert "2024" in text or period is None
