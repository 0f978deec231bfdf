"""How the Sensor's rows lie on the disk: months, their sizes, and what needs attention. Reads only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from sensor.domain.retention import MONTHS_AHEAD, TABLES, month_name, month_of, months_after
from sensor.models import RetentionPolicy

_MONTH = re.compile(r"^(.+)_y(\d{4})m(\d{2})$")
# A month that is detached but still there is one that a retention was taking away when it was broken off.
_PARTITIONS = r"""
SELECT coalesce(p.relname, substring(c.relname from '^(.*)_y\d{4}m\d{2}$')), c.relname, c.relispartition,
       coalesce(nullif(s.n_live_tup, 0), greatest(c.reltuples, 0))::bigint, pg_total_relation_size(c.oid)
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND (p.relname = ANY(%(tables)s)
       OR NOT c.relispartition AND substring(c.relname from '^(.*)_y\d{4}m\d{2}$') = ANY(%(tables)s))
ORDER BY 1, 2
"""
STRAY_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One month of one table: rows from `starts` to before `ends`. Both None in the DEFAULT partition.

    `rows` is the database's estimate, or the count when it was asked for; `bytes` with indexes and long texts.
    `attached` false: a retention was broken off here; nobody sees these rows any more.
    """

    table: str
    name: str
    starts: datetime | None
    ends: datetime | None
    is_default: bool
    attached: bool
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageState:
    """`missing`: `table YYYY-MM` of months ahead that are not made. `stray`: rows in no month, by table.

    `concerns`: what somebody must look at, in sentences; empty when all is well.
    """

    missing: Sequence[str]
    stray: dict[str, int]
    recorded_from: datetime | None
    concerns: Sequence[str]


def partitions(*, exact: bool = False) -> list[Partition]:
    """Every partition, by table and month, DEFAULT first. `exact` counts the rows, which reads them all."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, {"tables": list(TABLES)})
        found = cursor.fetchall()
        counted: dict[str, int] = {}
        for row in found if exact else ():
            cursor.execute(f"SELECT count(*) FROM public.{row[1]}")  # noqa: S608  a name of the catalogue
            counted[row[1]] = cursor.fetchone()[0]
    return [
        Partition(
            table=table,
            name=name,
            starts=(starts := _starts(name)),
            ends=None if starts is None else months_after(starts, 1),
            is_default=starts is None,
            attached=attached,
            rows=counted.get(name, estimate),
            bytes=size,
        )
        for table, name, attached, estimate, size in found
    ]


def storage_state() -> StorageState:
    """Whether months are made ahead and every row lies in one. Cheap: for health, too."""
    this = month_of(timezone.now())
    there = {(each.table, each.starts) for each in partitions() if each.attached}
    missing = [
        (table, month)
        for table in TABLES
        for month in (months_after(this, number) for number in range(MONTHS_AHEAD + 1))
        if (table, month) not in there
    ]
    stray = {table: _stray(table) for table in TABLES}
    soon = [f"{table} {month_name(month)}" for table, month in missing if month <= months_after(this, 1)]
    concerns = [f"{name} has no partition yet: is the Sensor running?" for name in soon]
    concerns += [
        f"{number:,} {'row' if number == 1 else 'rows'} of {table} in no month; maintenance moves what it can"
        for table, number in stray.items()
        if number
    ]
    return StorageState(
        missing=[f"{table} {month_name(month)}" for table, month in missing],
        stray=stray,
        recorded_from=RetentionPolicy.objects.values_list("recorded_from", flat=True).first(),
        concerns=concerns,
    )


def _starts(name: str) -> datetime | None:
    found = _MONTH.match(name)
    return datetime(int(found[2]), int(found[3]), 1, tzinfo=UTC) if found else None


def _stray(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM public.{table}_default LIMIT {STRAY_MOST}) AS few"  # noqa: S608
        )
        number: int = cursor.fetchone()[0]
        return number
