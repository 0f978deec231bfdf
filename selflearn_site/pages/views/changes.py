"""The change log with its filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.export import export_response
from audit.models import AuditEntry
from audit.selectors import chain_verify, entries
from selflearn_site.pages.headline import changes_news
from selflearn_site.pages.page import action, back, page, show
from selflearn_site.pages.selectors.changes import STEPS, changes_read, initiators
from selflearn_site.pages.selectors.lists import paged
from tuner.registry import FACTORS

FILTERS = ("since", "until", "parameter", "initiator", "experiment", "only")


@page
def changes(request: HttpRequest) -> HttpResponse:
    """Filters: `since` and `until` (dates, both days included), `parameter`, `initiator`, `experiment`, `only`."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    found = paged(request, _chosen(chosen))
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
        "query": request.GET.urlencode(),
    }
    return show(request, "pages/changes.html", context)


@page
def changes_export(request: HttpRequest, form: str) -> HttpResponseBase:
    """What the filters show, as a file: `csv`, or `jsonl` with everything that the hashes cover."""
    if form not in ("csv", "jsonl"):
        raise Http404
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    return export_response(_chosen(chosen), "csv" if form == "csv" else "jsonl")


@action
def changes_verify(request: HttpRequest) -> HttpResponse:
    """Recompute the chain of hashes now, and say what came of it."""
    report = chain_verify()
    if report.ok:
        said = ngettext(
            "%(n)s entry is as it was written; the last one has the fingerprint %(head)s.",
            "All %(n)s entries are as they were written; the last one has the fingerprint %(head)s.",
            report.rows,
        )
        messages.success(request, said % {"n": f"{report.rows:,}", "head": report.head[:16] or "–"})
    else:
        messages.error(request, _("The change log is broken: %(reason)s.") % {"reason": report.reason})
    return back(request, "pages:changes")


def _chosen(chosen: Mapping[str, str]) -> QuerySet[AuditEntry]:
    since, until = _day(chosen["since"]), _day(chosen["until"])
    rows = entries(
        since=since,
        until=until + timedelta(days=1) if until else None,
        parameter=chosen["parameter"] or None,
        initiator=chosen["initiator"] or None,
        experiment=chosen["experiment"] or None,
    )
    if chosen["only"] == "changes":
        return rows.filter(action__in=["parameters.activated", "parameters.rolled_back"])
    if chosen["only"] != "all" and not chosen["experiment"]:
        return rows.exclude(action__in=STEPS)
    return rows


def _day(text: str) -> datetime | None:
    """Midnight of that day in the site's time zone; None for what is no date."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day))
