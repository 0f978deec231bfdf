"""Lists of recorded rows that read little more than they show, however many rows there are.

Django counts all rows for a list, and looks for the choices of a filter in all of them. Here counting ends somewhere,
choices come from rollups, and a month is found by its partition.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sensor.dashboard import dimension_values
from sensor.domain.facts import END_TO_END, STAGES
from sensor.domain.retention import TABLES, month_name
from sensor.storage import partitions

LISTED_MOST = 10_000
"""A list goes back so many rows; filters reach what lies before."""
MONTHS_LISTED = 36


class NewestPaginator(Paginator):  # type: ignore[type-arg]  # Django takes none at run time
    """Pages of the first `LISTED_MOST` rows in the order of the list."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        number: int = rows.order_by()[:LISTED_MOST].count()
        return number


class ValueFilter(admin.SimpleListFilter):
    """By the value of a column, among known values. A strange one narrows to nothing rather than to an error."""

    column: ClassVar[str]
    values: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.parameter_name = cls.column

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(value, value) for value in self.known()]

    def known(self) -> tuple[str, ...]:
        return self.values

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:  # noqa: ARG002
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class StatusFilter(ValueFilter):
    title, column, values = _("status"), "status", ("COMPLETED", "FAILED")


class ModeFilter(ValueFilter):
    title, column, values = _("mode"), "mode", ("dialogue", "evaluation")


class CycleFilter(ValueFilter):
    title, column, values = _("cycle"), "cycle_type", ("micro", "macro", "deep", "online")


class StageFilter(ValueFilter):
    title, column, values = _("stage"), "stage", (*STAGES, END_TO_END)


class RolledFilter(ValueFilter):
    """Its values are those that the rollups of runs know."""

    column = ""

    def known(self) -> tuple[str, ...]:
        return tuple(dimension_values(self.column))


class SplitFilter(RolledFilter):
    title, column = _("split"), "split"


class CategoryFilter(RolledFilter):
    title, column = _("category"), "category"


class ErrorFilter(admin.SimpleListFilter):
    """Stages that broke; which error it was stands in the list."""

    title = _("error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("yes", _("with an error")), ("no", _("without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:  # noqa: ARG002
        wanted = self.value()
        return queryset.filter(error_type__isnull=wanted == "no") if wanted in ("yes", "no") else queryset


class MonthFilter(admin.SimpleListFilter):
    """By month of UTC, newest first: the database reads that month's partition alone."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        self._spans: dict[str, tuple[datetime, datetime]] = {
            month_name(part.starts): (part.starts, part.ends)
            for part in sorted(partitions(), key=lambda part: part.name, reverse=True)
            if part.starts and part.ends and part.attached and part.table == model_admin.opts.db_table
            if part.starts <= timezone.now()
        }
        return [(name, name) for name in list(self._spans)[:MONTHS_LISTED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:  # noqa: ARG002
        wanted = self.value()
        if not wanted:
            return queryset
        if wanted not in self._spans:
            return queryset.none()
        since, until = self._spans[wanted]
        column = TABLES[queryset.model._meta.db_table]
        return queryset.filter(**{f"{column}__gte": since, f"{column}__lt": until})
