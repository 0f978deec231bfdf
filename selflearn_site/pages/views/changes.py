"""The change log with its filters."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date

from audit.models import AuditEntry
from audit.selectors import entries
from selflearn_site.pages.headline import changes_news
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.changes import STEPS, changes_read, initiators
from selflearn_site.pages.selectors.lists import paged
from tuner.registry import FACTORS

FILTERS = ("since", "until", "parameter", "initiator", "experiment", "only")


@page
def changes(request: HttpRequest) -> HttpResponse:
    """Filters: `since` and `until` (dates, both days included), `parameter`, `initiator`, `experiment`, `only`."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    since, until = _day(chosen["since"]), _day(chosen["until"])
    rows = entries(
        since=since,
        until=until + timedelta(days=1) if until else None,
        parameter=chosen["parameter"] or None,
        initiator=chosen["initiator"] or None,
        experiment=chosen["experiment"] or None,
    )
    if chosen["only"] == "changes":
        rows = rows.filter(action__in=["parameters.activated", "parameters.rolled_back"])
    elif chosen["only"] != "all" and not chosen["experiment"]:
        rows = rows.exclude(action__in=STEPS)
    found = paged(request, rows)
    context = {
        "headline": changes_news(
            total=found.paginator.count, filtered=any(value for value in chosen.values() if value != "all")
        ),
        "rows": found,
        "changes": changes_read(list(found.object_list)),
        "chosen": chosen,
        "factors": sorted(FACTORS),
        "initiators": initiators(),
        "any": AuditEntry.objects.exists(),
    }
    return show(request, "pages/changes.html", context)


def _day(text: str) -> datetime | None:
    """Midnight of that day in the site's time zone; None for what is no date."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day))
