"""How long recorded rows are kept: months of the calendar (UTC), and what a retention would take or has taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

TABLES = {"sensor_events": "started_at", "telemetry_events": "created_at"}
"""The tables that are partitioned by month, and the column that decides the month."""
FEWEST_MONTHS = 2
"""Full months, beside the current one, that no retention touches. The database holds the same (migration 0006)."""
MONTHS_AHEAD = 3


def month_of(moment: datetime) -> datetime:
    """The beginning of its month."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def months_after(month: datetime, number: int) -> datetime:
    """The beginning of the month that lies `number` months after (before, if negative)."""
    years, place = divmod(month.year * 12 + month.month - 1 + number, 12)
    return month.replace(year=years, month=place + 1)


def month_name(month: datetime) -> str:
    return f"{month:%Y-%m}"


def kept_from(now: datetime, months: int | None) -> datetime | None:
    """From when on rows are kept that are kept `months` full months; None: for ever."""
    return None if months is None else months_after(month_of(now), -months)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLine:
    """One month of one table that is older than what is kept.

    `rows` (of `bytes` on the disk) go: with the partition (`drop`) or out of it (`delete`; the place is used again).
    `kept` stay. `ledger`, `truths`, `judgements`: what else goes of these runs. `postponed`: the month was in use.
    """

    table: str
    month: datetime
    action: Literal["drop", "delete", "keep", "postponed"]
    rows: int
    bytes: int
    kept: int
    why: str
    ledger: int = 0
    truths: int = 0
    judgements: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "month": month_name(self.month)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """What a retention would do (`applied` false) or has done. `recorded_from`: nothing older is recorded again.

    `complete` false: its time was up before all was gone; the next one goes on.
    """

    applied: bool
    lines: Sequence[RetentionLine]
    recorded_from: datetime | None
    complete: bool = True

    @property
    def rows(self) -> int:
        return sum(line.rows for line in self.lines)

    @property
    def going(self) -> list[RetentionLine]:
        return [line for line in self.lines if line.action in ("drop", "delete")]

    def as_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "complete": self.complete,
            "recorded_from": None if self.recorded_from is None else self.recorded_from.isoformat(),
            "rows": self.rows,
            "lines": [line.as_json() for line in self.lines],
        }
