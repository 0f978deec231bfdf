"""Makes months ahead of time, and moves rows that came before their month was made."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone

from sensor.domain.retention import MONTHS_AHEAD, TABLES, month_of, months_after

YEARS_BACK = 20
"""A row of an earlier time is a mistake of a clock, and no month is made for it."""


def partitions_ensure() -> int:
    """Make the current month and the next ones where they are missing. Returns how many partitions were made."""
    this = month_of(timezone.now())
    return _made(this, months_after(this, MONTHS_AHEAD))


def default_empty() -> int:
    """Make the months of the rows that lie in the DEFAULT partitions, which moves them. Returns how many moved.

    Rows more than 20 years old or further ahead than months are made stay where they are.
    """
    this = month_of(timezone.now())
    first, end = months_after(this, -12 * YEARS_BACK), months_after(this, MONTHS_AHEAD + 1)
    moved = 0
    for table, key in TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT date_trunc('month', {key}, 'UTC'), count(*) FROM public.{table}_default"  # noqa: S608
                f" WHERE {key} >= %s AND {key} < %s GROUP BY 1 ORDER BY 1",
                [first, end],
            )
            months = cursor.fetchall()
        for month, number in months:
            _made(month, month)
            moved += number
    return moved


def _made(first: datetime, last: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.sensor_ensure_partitions(%s, %s)", [first, last])
        made: int = cursor.fetchone()[0]
        return made
