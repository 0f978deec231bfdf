"""A date by which the campaign is to end: "by 31 December", "до 15.12.2026". Hours, days and weeks are quantities."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from goals.translation.wording import Voice

_MONTHS = (
    ("январ", "jan"), ("феврал", "feb"), ("март", "mar"), ("апрел", "apr"), ("ма[йя]", "may"), ("июн", "jun"),
    ("июл", "jul"), ("август", "aug"), ("сентябр", "sep"), ("октябр", "oct"), ("ноябр", "nov"), ("декабр", "dec"),
)  # fmt: skip
_MONTH = "(?:" + "|".join(part for pair in _MONTHS for part in pair) + r")\w*"
_BEFORE = (
    r"(?:(?:не позже|не позднее|самое позднее|к|до|срок|дедлайн|крайний срок|by|until|till|before|deadline|"
    r"no later than|not later than|due)[:\s]+(?:the\s+)?)"
)
_FORMS = (
    r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)",
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>20\d\d)",
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th|-?го)?\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+(?P<y>20\d\d))?",
    rf"(?P<month>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>20\d\d))?",
)
_PATTERNS = [re.compile(rf"(?<!\w){_BEFORE}{form}(?:\s+года)?(?!\w)") for form in _FORMS]


def take(plain: str, *, today: date, voice: Voice) -> tuple[datetime | None, str]:
    """The deadline of a normalised text, and the text with it blanked out; offsets stay. The last second of that day,
    UTC. Without a year the next such day is meant. A date that no calendar has is left to be unread."""
    for pattern in _PATTERNS:
        match = pattern.search(plain)
        day = _day(match.groupdict(), today) if match else None
        if match is None or day is None:
            continue
        blank = plain[: match.start()] + " " * (match.end() - match.start()) + plain[match.end() :]
        if day < today:
            voice.conflict(f"The deadline {day} has passed already.", f"Срок {day} уже прошёл.")
        else:
            voice.assume(f"The deadline is the end of {day}, UTC.", f"Срок – конец дня {day}, UTC.")
        return datetime.combine(day, time(23, 59, 59), UTC), blank
    return None, plain


def _day(parts: dict[str, str | None], today: date) -> date | None:
    month = int(parts.get("m") or 0) or _month(parts.get("month") or "")
    year, day = int(parts.get("y") or today.year), int(parts["d"] or 0)
    try:
        found = date(year, month, day)
        return found.replace(year=year + 1) if not parts.get("y") and found < today else found
    except ValueError:
        return None


def _month(word: str) -> int:
    return next((at for at, pair in enumerate(_MONTHS, 1) if any(re.match(part, word) for part in pair)), 0)
