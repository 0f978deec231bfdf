"""Hypotheses and incidents."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from incidents.models import Incident
from incidents.services import incident_resolve
from kernel.errors import InvalidInput
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.lists import paged

_OPEN = (HypothesisStatus.PLANNED, HypothesisStatus.RUNNING)


@page
def hypotheses(request: HttpRequest) -> HttpResponse:
    rows = Hypothesis.objects.select_related("campaign").order_by("-created_at")
    counts = rows.aggregate(
        total=Count("id"),
        confirmed=Count("id", filter=Q(status=HypothesisStatus.CONFIRMED)),
        open_=Count("id", filter=Q(status__in=_OPEN)),
    )
    status = request.GET.get("status", "")
    context = {
        "headline": headlines.hypotheses_news(**counts),
        "rows": paged(request, rows.filter(status=status) if status else rows),
        "statuses": [item.value for item in HypothesisStatus],
        "chosen": status,
    }
    return show(request, "pages/hypotheses.html", context)


@page
def incidents(request: HttpRequest) -> HttpResponse:
    rows = Incident.objects.order_by("-id")
    opened = rows.exclude(status="resolved")
    count = opened.count()
    context = {
        "headline": headlines.incidents_news(count),
        "opened": list(opened[:100]),
        "rows": paged(request, rows.filter(status="resolved")),
    }
    return show(request, "pages/incidents.html", context, live=LIVE_SLOW)


@action
def incident_settle(request: HttpRequest, incident_id: int) -> HttpResponse:
    note = request.POST.get("note", "").strip()
    if not note:
        raise InvalidInput(_("Say what was done; it stays with the incident."), details={"field": "note"})
    incident_resolve(incident_id=incident_id, note=note, actor=actor_of(request))
    messages.success(request, _("The incident is resolved."))
    return back(request, "pages:incidents")
