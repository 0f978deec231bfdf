"""Every list route's pages: `limit`, `cursor` or `offset`, and `sort` where the route names what may order it.

`NINJA_PAGINATION_CLASS`, so that rooms write `@paginate` and import nothing of the site.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Field as Column
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from ninja import Field, Schema
from ninja.pagination import PaginationBase
from pydantic import create_model

from contracts.base import Json
from contracts.paging import cursor_read, cursor_write, cursor_wrong
from kernel.errors import InvalidInput

OFFSET_MOST = 1_000_000
_PAGE = {"limit", "cursor", "offset"}


class PageInput(Schema):
    limit: int = Field(settings.NINJA_PAGINATION_PER_PAGE, ge=1, le=settings.NINJA_PAGINATION_MAX_LIMIT)
    cursor: str | None = Field(None, description="`next` of the page before, with the same filters and order")
    offset: int = Field(0, ge=0, le=OFFSET_MOST, description="rows to skip; rows that come meanwhile shift it")


class PageOutput(Schema):
    items: list[Any]
    count: int = Field(description="of the whole list, as filtered")
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class Order(NamedTuple):
    column: Column[Any, Any]
    falls: bool

    @property
    def name(self) -> str:
        return ("-" if self.falls else "") + self.column.attname


class CursorPages(PaginationBase):
    """`sort`: columns that may order the list, either way. `key`: the field that tells items of a plain sequence apart.
    `beside`: fields that stand beside `items`, by name and type; `Pages` gives them."""

    Output: Any = PageOutput
    Input: Any = PageInput

    def __init__(self, *, sort: tuple[str, ...] = (), key: str = "", beside: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key, self._beside = key, tuple(beside or ())
        if beside:
            fields: Any = {name: (kind, ...) for name, kind in beside.items()}
            self.Output = create_model("PageOutput", __base__=PageOutput, **fields)
        if sort:
            names = tuple(itertools.chain.from_iterable((name, f"-{name}") for name in sort))
            described = Field(None, description="by what, falling with a minus; the route's own order when left out")
            ordered: Any = {"sort": (Literal[names] | None, described)}
            self.Input = create_model("PageInput", __base__=PageInput, **ordered)

    def paginate_queryset(self, queryset: Any, pagination: Any, request: HttpRequest, **_params: Any) -> dict[str, Any]:
        """`queryset`: what the route returned: rows, `contracts.paging.Pages`, or a sequence with a `key`.

        Raises `InvalidInput` for a cursor that is none of this list's, or one beside an offset.
        """
        if pagination.cursor and pagination.offset:
            raise InvalidInput("give cursor or offset, not both", details={"field": "offset"})
        place = _place(request)
        after = cursor_read(place, pagination.cursor) if pagination.cursor else None
        limit, offset = pagination.limit, pagination.offset
        if isinstance(queryset, QuerySet):
            sort = getattr(pagination, "sort", None)
            found, keys, count = _rows(queryset, sort, after=after, limit=limit + 1, offset=offset)
        elif hasattr(queryset, "page"):
            found, count = queryset.page(after=after, limit=limit + 1, offset=offset)
            keys = queryset.key
        else:
            found, keys, count = self._sequence(queryset, after=after, limit=limit + 1, offset=offset)
        more = len(found) > limit
        items = found[:limit]
        following = cursor_write(place, keys(items[-1])) if more else None
        beside = {name: getattr(queryset, name) for name in self._beside}
        if getattr(queryset, "turned", False):
            items.reverse()
        return {**beside, "items": items, "count": count, "next": following}

    def _sequence(
        self, items: Sequence[Any], *, after: list[Any] | None, limit: int, offset: int
    ) -> tuple[list[Any], Any, int]:
        def key(item: Any) -> list[Json]:
            return [_plain(item[self._key] if isinstance(item, Mapping) else getattr(item, self._key))]

        start = offset
        if after is not None:
            known = [key(item) for item in items]
            if after not in known:
                raise cursor_wrong("the row that this cursor stands behind is gone")
            start = known.index(after) + 1
        return list(items[start : start + limit]), key, len(items)


def _place(request: HttpRequest) -> str:
    asked = sorted((name, value) for name, values in request.GET.lists() if name not in _PAGE for value in values)
    return f"{request.path}?{urlencode(asked)}"


def _rows(
    rows: QuerySet[Any], sort: str | None, *, after: list[Any] | None, limit: int, offset: int
) -> tuple[list[Any], Any, int]:
    order = _order(rows.model, [sort] if sort else list(rows.query.order_by or rows.model._meta.ordering))
    count = rows.count()
    rows = rows.order_by(*(part.name for part in order))
    if after is not None:
        rows = rows.filter(_behind(order, _values(order, after)))

    def key(row: Any) -> list[Json]:
        return [_plain(getattr(row, part.column.attname)) for part in order]

    return list(rows[offset : offset + limit]), key, count


def _order(model: type[Model], names: list[Any]) -> list[Order]:
    """The columns up to one that no two rows share; the key at the end when there is none."""
    found: list[Order] = []
    for name in names:
        plain = name.removeprefix("-")
        column: Any = model._meta.pk if plain == "pk" else model._meta.get_field(plain)
        found.append(Order(column, name.startswith("-")))
        if column.unique:  # a key is too
            return found
    return [*found, Order(model._meta.pk, bool(found) and found[0].falls)]


def _values(order: list[Order], after: list[Any]) -> list[Any]:
    if len(after) != len(order):
        raise cursor_wrong("this is no cursor of this list")
    try:
        found = [part.column.to_python(value) for part, value in zip(order, after, strict=True)]
    except (ValidationError, TypeError, ValueError, OverflowError) as error:
        raise cursor_wrong("this is no cursor of this list") from error
    for part, value in zip(order, found, strict=True):
        naive = isinstance(value, datetime) and value.tzinfo is None
        if (value is None and not part.column.null) or naive or (isinstance(value, str) and "\0" in value):
            raise cursor_wrong("this is no cursor of this list")
    return found


def _behind(order: list[Order], values: list[Any]) -> Q:
    """Rows that come after the one with these values. PostgreSQL puts nulls last when rising, first when falling."""
    found, equal = Q(pk__in=[]), Q()
    for part, value in zip(order, values, strict=True):
        name = part.column.attname
        if value is None:
            beyond = Q(**{f"{name}__isnull": False}) if part.falls else Q(pk__in=[])
            same = Q(**{f"{name}__isnull": True})
        else:
            beyond = Q(**{f"{name}__{'lt' if part.falls else 'gt'}": value})
            if part.column.null and not part.falls:
                beyond |= Q(**{f"{name}__isnull": True})
            same = Q(**{name: value})
        found |= equal & beyond
        equal &= same
    first = order[0]
    if not first.column.null and len(order) > 1:  # said again, so that an index on it is used
        found &= Q(**{f"{first.column.attname}__{'lte' if first.falls else 'gte'}": values[0]})
    return found


def _plain(value: Any) -> Json:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value
