"""The one door to golden rows: a role that is taken for a transaction and given back.

The login `selflearn_app` has no right on `golden_examples`: a forgotten role is an error, not a leak. Inside the door
nothing else can be read but data sets and seals, so nothing can be joined with golden content by the way.
Emulator, designer and hypotheses may not import this module (`.importlinter`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from experiments.models import GoldenExample

ROLE = "selflearn_golden"


@contextmanager
def golden_access() -> Iterator[None]:
    """A transaction in the golden role. May be nested, also in a transaction of another role."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _take(ROLE)
        yield
        # As in `maas.access`: a savepoint that is released keeps the role, so it is given back by hand.
        if nested:
            _take(before)


def _take(role: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('role'), set_config('role', %s, true)", [role])
        return str(cursor.fetchone()[0])


class GoldenRows(QuerySet[GoldenExample]):
    """Golden rows for pages that read late (lists of the admin): each statement goes through the door by itself."""

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            with golden_access():
                super()._fetch_all()
        else:
            super()._fetch_all()

    def count(self) -> int:
        with golden_access():
            return super().count()

    def exists(self) -> bool:
        with golden_access():
            return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        with golden_access():
            return super().aggregate(*args, **kwargs)


def golden_rows() -> GoldenRows:
    return GoldenRows(model=GoldenExample)
