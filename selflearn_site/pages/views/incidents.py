"""Incidents: what went wrong, since when, what was done; look into one, and end it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from incidents.domain.lifecycle import IncidentStatus
from incidents.models import Severity
from incidents.services import incident_acknowledge, incident_resolve
from kernel.errors import InvalidInput
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.incidents import FILTERS, incidents_chosen, incidents_count, kinds, links_of
from selflearn_site.pages.selectors.lists import paged

MOST = 100
"""Unresolved ones that the page lists."""


@page
def incidents(request: HttpRequest) -> HttpResponse:
    """Filters: `status`, `severity`, `kind`."""
    chosen = {name: request.GET.get(name, "")[:80] for name in FILTERS}
    rows = incidents_chosen(chosen)
    opened = list(rows.exclude(status=IncidentStatus.RESOLVED)[:MOST])
    resolved = paged(request, rows.filter(status=IncidentStatus.RESOLVED))
    links = links_of([*opened, *resolved.object_list])
    open_, taken = incidents_count()
    context = {
        "headline": headlines.incidents_news(open_, taken),
        "opened": [(one, links[one.pk], done_by_itself(one.kind, one.severity)) for one in opened],
        "resolved": [(one, links[one.pk]) for one in resolved.object_list],
        "rows": resolved,
        "chosen": chosen,
        "narrowed": any(chosen.values()),
        "statuses": [status.value for status in IncidentStatus],
        "severities": Severity.values,
        "kinds": kinds(),
    }
    return show(request, "pages/incidents.html", context, live=LIVE_SLOW)


@action
def incident_take(request: HttpRequest, incident_id: int) -> HttpResponse:
    note = request.POST.get("note", "").strip()
    incident_acknowledge(incident_id=incident_id, note=note, actor=actor_of(request))
    messages.success(request, _("The change log says that you look into it. It no longer waits on Home."))
    return back(request, "pages:incidents")


@action
def incident_settle(request: HttpRequest, incident_id: int) -> HttpResponse:
    note = request.POST.get("note", "").strip()
    if not note:
        raise InvalidInput(_("Say what was done; it stays with the incident."), details={"field": "note"})
    incident_resolve(incident_id=incident_id, note=note, actor=actor_of(request))
    messages.success(request, _("The incident is resolved."))
    return back(request, "pages:incidents")


def done_by_itself(kind: str, severity: str) -> str:
    """What the system did about an incident of this kind; empty where that is said in its cause alone."""
    if kind == "degradation":
        return (
            _("The last stable version is active again.")
            if severity == Severity.WARNING
            else _("Nothing was changed: a person must choose a version.")
        )
    return {
        "golden_seal": _("The golden set is not asked while it differs from its seal."),
        "isolation": _("The run is marked; nothing else was changed."),
        "safety": _("Nothing was changed. Mend it, then make the checks again."),
    }.get(kind, "")
