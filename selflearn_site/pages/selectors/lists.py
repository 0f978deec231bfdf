"""Pages of long lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PER_PAGE = 50


def paged(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], *, per_page: int = PER_PAGE) -> Page[Any]:
    """The page that `?page=` asks for; a wrong number gives the nearest one."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))
