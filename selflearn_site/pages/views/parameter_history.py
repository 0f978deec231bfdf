"""A factor's history, and the configuration at any moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from kernel.errors import NotFound
from selflearn_site.pages.headline import factor_history_news
from selflearn_site.pages.history_chart import history
from selflearn_site.pages.page import page, show
from selflearn_site.pages.said import term
from tuner.registry import FACTORS, factor
from tuner.selectors import active_version, factor_history, version_active_at, version_values, versions_diff


@page
def parameter_history(request: HttpRequest) -> HttpResponse:
    """`factor`: a key or alias (the first one by default). `at`: a moment, as a datetime-local field gives it."""
    chosen = factor(request.GET.get("factor") or next(iter(FACTORS)))
    points = factor_history(chosen.key)
    context: dict[str, Any] = {
        "headline": factor_history_news(title=term(chosen.title), values=len({str(point.value) for point in points})),
        "chosen": chosen,
        "factors": [(key, definition.title) for key, definition in FACTORS.items()],
        "points": points[::-1],
        "asked": request.GET.get("at", "").strip(),
    }
    return show(request, "pages/parameter_history.html", context | _moment(context["asked"]))


@page
def parameter_history_chart(request: HttpRequest) -> HttpResponse:
    chosen = factor(request.GET.get("factor") or next(iter(FACTORS)))
    return JsonResponse(history(factor_history(chosen.key), until=timezone.now()))


def _moment(text: str) -> dict[str, Any]:
    """What was in force then, and what is different now; `problem`: why that cannot be told."""
    if not text:
        return {}
    at = moment_read(text)
    if at is None:
        return {"problem": _("“%(text)s” is no date and time.") % {"text": text[:40]}}
    try:
        version = version_active_at(at)
    except NotFound:
        return {"problem": _("No parameters were in force yet at that time."), "at": at}
    now = active_version().version
    return {
        "at": at,
        "version": version,
        "values": list(version_values(version).items()),
        "now": now,
        "changes": () if version == now else versions_diff(version, now),
    }


def moment_read(text: str) -> datetime | None:
    """What a datetime-local field gave, in the reader's zone; None for what is no moment."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return timezone.make_aware(found) if found is not None and timezone.is_naive(found) else found
