"""Of what time a query asks: months, years and spans that it names, in Russian and English. Shallow, no parsing.

"in May 2023", «прошлым летом», "last week", «3 дня назад», "yesterday", 2023-05-12, 12.05.2023. Relative words are
counted from the time at which the query is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from llm.offline.question import months_in

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d?)-(\d\d?)\b")
_DOTTED = re.compile(r"\b(\d\d?)[./](\d\d?)[./]((?:19|20)\d\d)\b")
_DAY_THEN_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?\s+([^\W\d_]{3,})", re.IGNORECASE)
_MONTH_THEN_DAY = re.compile(r"\b([^\W\d_]{3,})\s+(\d{1,2})(?:st|nd|rd|th)?\b(?![:.]\d)", re.IGNORECASE)
_AGO = re.compile(
    r"\b(?:(\d{1,3}|an?|one|two|three|four|five|six|couple of|few)\s+)?"
    r"(day|week|month|year)s?\s+(?:ago|earlier|back)\b|"
    r"\b(?:(\d{1,3}|один|одну|два|две|три|четыре|пять|шесть|пару|несколько)\s+)?"
    r"(день|дня|дней|недел[юиь]|месяца?|месяцев|года?|лет)\s+назад\b",
    re.IGNORECASE,
)
_COUNTS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple of": 2, "few": 3,
    "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "пару": 2, "несколько": 3,
}  # fmt: skip
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30.4, "y": 365.25, "д": 1, "н": 7, "м": 30.4, "г": 365.25, "л": 365.25}
_SEASONS = (
    (re.compile(r"\bwinter\b|\bзим(?:ой|у|ы|е)\b", re.IGNORECASE), (12, 1, 2)),
    (re.compile(r"\b(?:in|last|this|during the|that) spring\b|\bвесн(?:ой|у|ы|е)\b", re.IGNORECASE), (3, 4, 5)),
    (re.compile(r"\bsummer\b|\bлет(?:ом|а)\b|\bлето\b", re.IGNORECASE), (6, 7, 8)),
    (re.compile(r"\bautumn\b|\b(?:in the|last|this) fall\b|\bосен(?:ью|ь|и)\b", re.IGNORECASE), (9, 10, 11)),
)


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar months and years (empty: any), and spans [from, to). A time belongs when it fits either."""

    months: tuple[int, ...] = ()
    years: tuple[int, ...] = ()
    spans: tuple[tuple[datetime, datetime], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "months": list(self.months),
            "years": list(self.years),
            "spans": [[start.date().isoformat(), end.date().isoformat()] for start, end in self.spans],
        }


def period_of(text: str, *, asked_at: datetime) -> Period | None:
    """The period that `text` names, for a question asked at `asked_at` (aware). None when it names none."""
    spans = _days(text) + _relative(text, asked_at)
    if spans:
        return Period(spans=tuple(spans))
    months = set(months_in(text))
    for pattern, season in _SEASONS:
        if pattern.search(text):
            months.update(season)
    years = {int(year) for year in _YEAR.findall(text)}
    if re.search(r"\blast year\b|\bв прошлом году\b|\bпрошл(?:ый|ого) год", text, re.IGNORECASE):
        years.add(asked_at.year - 1)
    elif re.search(r"\bthis year\b|\bв этом году\b", text, re.IGNORECASE):
        years.add(asked_at.year)
    return Period(tuple(sorted(months)), tuple(sorted(years))) if months or years else None


def _days(text: str) -> list[tuple[datetime, datetime]]:
    """Days that are named in full; a day and a month without a year say too little."""
    found = []
    for year, month, day in _ISO.findall(text):
        found.append(_day(int(year), int(month), int(day)))
    for day, month, year in _DOTTED.findall(text):
        found.append(_day(int(year), int(month), int(day)))
    years = _YEAR.findall(text)
    if len(years) == 1:
        named = [*_DAY_THEN_MONTH.findall(text), *((day, name) for name, day in _MONTH_THEN_DAY.findall(text))]
        for day, name in named:
            found.extend(_day(int(years[0]), month, int(day)) for month in months_in(name.capitalize()))
    return [span for span in found if span is not None]


def _day(year: int, month: int, day: int) -> tuple[datetime, datetime] | None:
    try:
        start = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return start, start + timedelta(days=1)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _back(first: int, last: int) -> Callable[[datetime], tuple[datetime, datetime]]:
    """From `first` days before today's midnight to `last` days before it."""
    return lambda today: (today - timedelta(days=first), today - timedelta(days=last))


_NAMED: tuple[tuple[re.Pattern[str], Callable[[datetime], tuple[datetime, datetime]]], ...] = (
    (re.compile(r"\bday before yesterday\b|\bпозавчера\b", re.IGNORECASE), _back(2, 1)),
    (re.compile(r"(?<!before )\byesterday\b|(?<!\w)вчера\b", re.IGNORECASE), _back(1, 0)),
    (re.compile(r"\btoday\b|\bсегодня\b", re.IGNORECASE), _back(0, -1)),
    (
        re.compile(r"\blast week\b|\bна прошлой неделе\b", re.IGNORECASE),
        lambda today: _back(today.weekday() + 7, today.weekday())(today),
    ),
    (
        re.compile(r"\bthis week\b|\bна этой неделе\b", re.IGNORECASE),
        lambda today: _back(today.weekday(), today.weekday() - 7)(today),
    ),
    (
        re.compile(r"\blast month\b|\bв прошлом месяце\b", re.IGNORECASE),
        lambda today: ((today.replace(day=1) - timedelta(days=1)).replace(day=1), today.replace(day=1)),
    ),
    (
        re.compile(r"\bthis month\b|\bв этом месяце\b", re.IGNORECASE),
        lambda today: (today.replace(day=1), today + timedelta(days=1)),
    ),
    (re.compile(r"\brecently\b|\blately\b|\bнедавно\b|\bв последнее время\b", re.IGNORECASE), _back(30, -1)),
)


def _relative(text: str, asked_at: datetime) -> list[tuple[datetime, datetime]]:
    today = _midnight(asked_at)
    found = [span(today) for pattern, span in _NAMED if pattern.search(text)]
    for count_en, unit_en, count_ru, unit_ru in _AGO.findall(text):
        count = (count_en or count_ru).lower()
        number = int(count) if count.isdigit() else _COUNTS.get(count, 1)
        days = _UNIT_DAYS[(unit_en or unit_ru)[0].lower()]
        # "Three weeks ago" is vague by about half of its unit.
        middle, slack = today - timedelta(days=number * days), timedelta(days=max(days / 2, 0.5))
        found.append((middle - slack, middle + slack + timedelta(days=1 if days == 1 else 0)))
    return found
